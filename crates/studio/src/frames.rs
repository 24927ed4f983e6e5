//! Frames: the newest picture of the dream, fetched by who wants to see it. It is made into a JPEG when it is
//! fetched, once for all who fetch it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use crate::desk::{Desk, Frame};
use crate::problem::Problem;
use crate::routes::usual_size;

/// How long a request waits for news.
const WAIT: Duration = Duration::from_secs(1);

/// Which frame is wanted.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// The number of the frame that is there.
    #[serde(default)]
    after: u64,
    /// The longest side.
    #[serde(default = "usual_size")]
    max: u32,
    /// JPEG's quality; frames of whole dreams are better than that.
    #[serde(default = "usual_quality")]
    q: u8,
}

fn usual_quality() -> u8 {
    80
}

/// Which JPEG: of which frame, how large, how good.
type Key = (u64, u32, u8);

/// What was made into a JPEG last.
#[derive(Default)]
pub(crate) struct Encoded(Mutex<Option<(Key, Bytes)>>);

impl Encoded {
    fn get(&self, frame: &Frame, wanted: &Wanted) -> Bytes {
        let size = wanted.max.clamp(16, 4096);
        let quality = if frame.whole { 92 } else { wanted.q.clamp(20, 95) };
        let key = (frame.number, size, quality);
        // Who comes meanwhile waits for this one.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some((known, bytes)) if *known == key => bytes.clone(),
            _ => {
                let bytes = Bytes::from(frame.picture.jpeg(size, quality));
                *made = Some((key, bytes.clone()));
                bytes
            }
        }
    }
}

/// The newest frame after the one that is there, or 204 if there is none within a second.
pub(crate) async fn frame(
    desk: Arc<Desk>,
    encoded: Arc<Encoded>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let until = Instant::now() + WAIT;
    let mut told = desk.told.subscribe();
    let frame = loop {
        if let Some(frame) = desk.frame(wanted.after) {
            break frame;
        }
        if desk.is_over() || timeout_at(until, told.changed()).await.is_err() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        sleep(Duration::from_millis(5)).await;
    };
    let Frame { number, rev, step, whole, done, .. } = frame;
    let bytes = crate::routes::blocking(move || Ok(encoded.get(&frame, &wanted))).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-frame", number.into());
    headers.insert("x-rev", rev.into());
    headers.insert("x-octave", step.octave.into());
    headers.insert("x-whole", u32::from(whole).into());
    // How long it took from the step to here, as the browser's tools show it.
    let took = format!("step;dur={:.1}", done.elapsed().as_secs_f64() * 1000.0);
    headers.extend(
        HeaderValue::try_from(took).map(|took| (HeaderName::from_static("server-timing"), took)),
    );
    Ok((headers, bytes).into_response())
}
