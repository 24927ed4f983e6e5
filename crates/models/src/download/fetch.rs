//! Downloads one file over HTTP. After an interruption it resumes where the last attempt ended.
//!
//! The server is not trusted: the caller limits how much it may send and verifies the checksum. Ranges are
//! requested with `If-Range` (RFC 9110, 13.1.5), so a file that has changed is sent whole.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, HeaderName, header};

use super::http::{MAX_REDIRECTS, Range, Response, get};
use super::part::Part;
use super::resume::PartState;
use crate::error::ModelError;
use crate::event::{EVENT_INTERVAL, OnEvent, StoreEvent, tell};

/// How often to try, and how long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Give up after this many attempts in a row without a new byte.
    pub(crate) attempts: u32,
    /// The pause before the second attempt; it doubles with each further one.
    pub(crate) pause: Duration,
    /// The longest a server may be silent.
    pub(crate) silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 4, pause: Duration::from_secs(1), silence: Duration::from_secs(60) }
    }
}

/// Why an attempt failed.
enum Failure {
    /// Another attempt may succeed.
    Passing(ModelError),
    /// No other attempt will.
    Final(ModelError),
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Failure::Final(error)
    }
}

/// Downloads `url` into `part`, of at most `limit` bytes, and resumes what is already there.
///
/// # Errors
/// [`ModelError::BrokeOff`] and [`ModelError::Cancelled`] keep the part for the next call, as a killed
/// program does; [`ModelError::TooLong`] deletes it. Other errors concern the connection or the disk.
pub(crate) fn download(
    url: &str,
    part: &Part,
    limit: u64,
    patience: Patience,
    on_event: OnEvent,
) -> Result<(), ModelError> {
    let whole = part.state(url).and_then(|state| state.total);
    if whole.is_some_and(|whole| whole == part.len()) {
        return Ok(());
    }
    let (mut reached, mut fruitless) = (part.len(), 0);
    loop {
        let error = match attempt(url, part, limit, patience.silence, on_event) {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Passing(error)) => error,
        };
        if part.len() > reached {
            (reached, fruitless) = (part.len(), 0);
        }
        fruitless += 1;
        if fruitless >= patience.attempts {
            return Err(error);
        }
        wait(patience.pause * 2u32.saturating_pow(fruitless - 1), on_event)?;
    }
}

/// Waits before the next attempt, unless the caller cancels.
fn wait(pause: Duration, on_event: OnEvent) -> Result<(), ModelError> {
    let end = Instant::now() + pause;
    loop {
        tell(on_event, StoreEvent::Connecting)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(EVENT_INTERVAL));
    }
}

fn attempt(
    url: &str,
    part: &Part,
    limit: u64,
    silence: Duration,
    on_event: OnEvent,
) -> Result<(), Failure> {
    let bounds = Bounds { url, part, limit };
    let state = part.state(url).filter(|_| part.len() > 0);
    let range =
        state.as_ref().map(|state| Range { start: part.len(), validator: &state.validator });
    let mut connecting = || tell(on_event, StoreEvent::Connecting);
    connecting()?;
    let response =
        get(url, range, silence, &mut connecting)?.map_err(|error| connect_failure(url, error))?;
    match (response.status, state) {
        (200, _) => {
            let total = number(&response.headers, header::CONTENT_LENGTH);
            bounds.admit(total)?;
            let state = validator(&response.headers).map(|validator| PartState {
                url: url.to_owned(),
                validator,
                total,
            });
            let file = part.restart(state.as_ref())?;
            receive(&response, file, 0, total, &bounds, on_event)
        }
        (206, Some(state)) => {
            let range = content_range(&response.headers);
            let same = validator(&response.headers).is_none_or(|now| now == state.validator);
            let Some((_, total)) = range.filter(|(start, _)| *start == part.len() && same) else {
                part.remove()?;
                return Err(passing(url, 0, None, "the server sent the wrong range"));
            };
            let total = total.or(state.total);
            bounds.admit(total)?;
            let (file, done) = (part.append()?, part.len());
            receive(&response, file, done, total, &bounds, on_event)
        }
        (416, Some(_)) => {
            part.remove()?;
            Err(passing(url, 0, None, "the server has no such range"))
        }
        (status @ (408 | 429 | 500..), _) => {
            Err(Failure::Passing(ModelError::Status { url: url.to_owned(), status }))
        }
        (status, _) => Err(Failure::Final(ModelError::Status { url: url.to_owned(), status })),
    }
}

/// How much to accept, from where, and into which file.
struct Bounds<'a> {
    url: &'a str,
    part: &'a Part,
    limit: u64,
}

impl Bounds<'_> {
    /// Fails, and deletes the part, if `length` is over the limit.
    fn admit(&self, length: Option<u64>) -> Result<(), Failure> {
        if length.is_none_or(|length| length <= self.limit) {
            return Ok(());
        }
        self.part.remove()?;
        let (url, limit) = (self.url.to_owned(), self.limit);
        Err(Failure::Final(ModelError::TooLong { url, limit }))
    }
}

/// Appends the response's body to the `done` bytes in `file`.
fn receive(
    response: &Response,
    mut file: File,
    mut done: u64,
    total: Option<u64>,
    bounds: &Bounds,
    on_event: OnEvent,
) -> Result<(), Failure> {
    let path = bounds.part.path();
    loop {
        let mut downloading = || tell(on_event, StoreEvent::Downloading { done, total });
        downloading()?;
        match response.piece(&mut downloading)? {
            Some(Ok(piece)) => {
                done += piece.len() as u64;
                bounds.admit(Some(done))?;
                file.write_all(&piece).map_err(ModelError::file(path))?;
            }
            Some(Err(error)) => return Err(passing(bounds.url, done, total, error)),
            None if total.is_some_and(|total| done < total) => {
                return Err(passing(bounds.url, done, total, "the connection was closed"));
            }
            None => break,
        }
    }
    file.sync_all().map_err(ModelError::file(path))?;
    Ok(())
}

fn passing(url: &str, done: u64, total: Option<u64>, problem: impl ToString) -> Failure {
    let (url, problem) = (url.to_owned(), problem.to_string());
    Failure::Passing(ModelError::BrokeOff { url, done, total, problem })
}

fn connect_failure(url: &str, error: ureq::Error) -> Failure {
    let url = url.to_owned();
    let passing = match &error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => {
            matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
        }
        _ => false,
    };
    let error = match error {
        ureq::Error::TooManyRedirects => ModelError::Redirects { url, limit: MAX_REDIRECTS },
        error => ModelError::Connect { url, problem: error.to_string() },
    };
    if passing { Failure::Passing(error) } else { Failure::Final(error) }
}

/// A value for `If-Range`: a strong ETag, or else the time of the last change.
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    text(header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| text(header::LAST_MODIFIED))
        .map(str::to_owned)
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The start of the range and the size of the whole file, from `bytes START-END/TOTAL`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}
