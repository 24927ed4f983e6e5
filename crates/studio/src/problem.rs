//! Answers to what cannot be done, as RFC 9457 has them, in the words that the command line has.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::workshop::Failure;

/// A failure and its status.
#[derive(Debug)]
pub(crate) struct Problem(StatusCode, Box<Failure>);

impl Problem {
    pub(crate) fn new(status: StatusCode, fault: &str, detail: impl ToString) -> Self {
        Self::of(status, Failure::new(fault, detail))
    }

    pub(crate) fn of(status: StatusCode, failure: Failure) -> Self {
        Self(status, Box::new(failure))
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = match failure.fault.as_str() {
            "elsewhere" => StatusCode::CONFLICT,
            "internal" => StatusCode::INTERNAL_SERVER_ERROR,
            "disk" => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::of(status, failure)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, failure) = self;
        let body = json!({
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "fault": failure.fault,
            "detail": failure.detail,
            "ways_out": failure.ways_out,
            "knob": failure.knob,
            "value": failure.value,
        });
        let mut answer = (status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}
