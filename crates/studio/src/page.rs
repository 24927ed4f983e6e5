//! The page: five files that are part of the program. `web/` has what they are built from.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::routes::Answer;

struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const ICON: &str = "/icon.svg";

const FILES: [File; 5] = [
    File {
        path: "/",
        kind: "text/html; charset=utf-8",
        bytes: include_bytes!("../page/index.html"),
    },
    File {
        path: "/app.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../page/app.js"),
    },
    File {
        path: "/app.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../page/app.css"),
    },
    File { path: "/coffee.jpg", kind: "image/jpeg", bytes: include_bytes!("../page/coffee.jpg") },
    File { path: ICON, kind: "image/svg+xml", bytes: include_bytes!("../page/icon.svg") },
];

/// What the page may do: run its own script, show its own pictures, talk to its own server.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The icon with its ring filled to so many tenths, from the top on.
fn filled(icon: &[u8], tenths: u8) -> String {
    let ring = format!(
        r#"stroke-width="3" pathLength="10" stroke-dasharray="{tenths} 10" transform="rotate(-90 16 16)""#
    );
    String::from_utf8_lossy(icon).replacen(r#"stroke-width="3""#, &ring, 1)
}

/// The file of the page at a path. The icon's ring is filled to as many tenths as the query says.
pub(crate) fn file(path: &str, query: Option<&str>) -> Option<Answer> {
    let file = FILES.iter().find(|file| file.path == path)?;
    let tenths = query.and_then(|query| query.strip_prefix("tenths=")?.parse().ok());
    let body = match tenths {
        Some(tenths @ 0u8..=10) if path == ICON => Body::from(filled(file.bytes, tenths)),
        _ => Body::from(file.bytes),
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(answer)
}
