//! Pictures as answers: to be shown, or to be saved under a name.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;

use crate::routes::Answer;

/// A format in which dreams are saved.
pub(crate) struct Format {
    pub(crate) extension: &'static str,
    pub(crate) kind: &'static str,
    /// Whether it is for what no recipe makes.
    pub(crate) unfinished: bool,
}

impl Format {
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (extension, kind) = match name {
            "dream.png" => ("png", "image/png"),
            "dream.jpg" | "unfinished.jpg" => ("jpg", "image/jpeg"),
            "dream.webp" => ("webp", "image/webp"),
            _ => return None,
        };
        Some(Self { extension, kind, unfinished: name.starts_with("unfinished") })
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
            headers.extend(attachment(name).map(|name| (header::CONTENT_DISPOSITION, name)))
        }
    }
    (headers, bytes).into_response()
}

/// The header of a download of this name.
pub(crate) fn attachment(name: &str) -> Option<HeaderValue> {
    let plain: String =
        name.chars().map(|c| if c.is_ascii() && c != '"' { c } else { '-' }).collect();
    let encoded: String = name.bytes().map(percent).collect();
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).ok()
}

fn percent(byte: u8) -> String {
    match byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    }
}
