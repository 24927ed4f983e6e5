//! Pictures as answers: to be shown, or to be saved under a name.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;

use crate::routes::Answer;

/// A format in which dreams are saved.
pub(crate) struct Format {
    pub(crate) extension: &'static str,
    pub(crate) kind: &'static str,
}

impl Format {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "dream.png" => Self { extension: "png", kind: "image/png" },
            "dream.jpg" => Self { extension: "jpg", kind: "image/jpeg" },
            "dream.webp" => Self { extension: "webp", kind: "image/webp" },
            _ => return None,
        })
    }
}

/// A picture's bytes, which browsers may keep, or a download of this name.
pub(crate) fn picture(kind: &'static str, bytes: Vec<u8>, name: Option<&str>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let kept = "private, max-age=31536000, immutable";
    match name {
        None => drop(headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept))),
        Some(name) => {
            let plain: String =
                name.chars().map(|c| if c.is_ascii() && c != '"' { c } else { '-' }).collect();
            let encoded: String = name.bytes().map(percent).collect();
            let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
        }
    }
    (headers, bytes).into_response()
}

fn percent(byte: u8) -> String {
    match byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    }
}
