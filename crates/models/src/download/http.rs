//! One HTTP request on its own thread, so that the caller can cancel at any time, even while the server is
//! silent.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use crate::error::ModelError;
use crate::event::EVENT_INTERVAL;

/// The most redirects to follow.
pub(super) const MAX_REDIRECTS: u32 = 10;

/// How many pieces of a body may be queued.
const QUEUE: usize = 4;

/// Called ten times a second while the server is silent. An error cancels the request.
pub(super) type GoOn<'a> = &'a mut dyn FnMut() -> Result<(), ModelError>;

/// A server's response.
pub(super) struct Response {
    /// The HTTP status.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: HeaderMap,
    body: Receiver<io::Result<Vec<u8>>>,
}

/// The rest of a file, from the byte `start` on, provided that its version is still that of `validator`.
pub(super) struct Range<'a> {
    /// How many bytes are left out.
    pub(super) start: u64,
    /// A strong ETag, or the time of the last change.
    pub(super) validator: &'a str,
}

/// Requests a file, or the rest of it. The server may be silent for up to `silence`.
///
/// # Errors
/// Inside: the server could not be reached. Outside: `go_on` cancelled.
pub(super) fn get(
    url: &str,
    range: Option<Range>,
    silence: Duration,
    go_on: GoOn,
) -> Result<Result<Response, ureq::Error>, ModelError> {
    let mut request = agent(url, silence).get(url).header(header::ACCEPT_ENCODING, "identity");
    if let Some(Range { start, validator }) = range {
        request = request
            .header(header::RANGE, format!("bytes={start}-"))
            .header(header::IF_RANGE, validator);
    }
    let (head_sender, head) = sync_channel(1);
    let (body_sender, body) = sync_channel(QUEUE);
    let spawned = std::thread::Builder::new().name("download".to_owned()).spawn(move || {
        let (head, body) = match request.call().map(|response| response.into_parts()) {
            Ok((head, body)) => (Ok((head.status.as_u16(), head.headers)), Some(body)),
            Err(error) => (Err(error), None),
        };
        let wanted = head_sender.send(head).is_ok();
        if let Some(body) = body.filter(|_| wanted) {
            let body = body.into_with_config().limit(u64::MAX).reader();
            send_body(body, &body_sender);
        }
    });
    if let Err(error) = spawned {
        return Ok(Err(error.into()));
    }
    Ok(match next(&head, go_on)? {
        Some(Ok((status, headers))) => Ok(Response { status, headers, body }),
        Some(Err(error)) => Err(error),
        None => Err(io::Error::other("the request was given up").into()),
    })
}

impl Response {
    /// The next piece of the body, or the error that ended it early; `None` at its end.
    ///
    /// # Errors
    /// `go_on` cancelled.
    pub(super) fn piece(&self, go_on: GoOn) -> Result<Option<io::Result<Vec<u8>>>, ModelError> {
        next(&self.body, go_on)
    }
}

/// Sends a body piece by piece until its end, or until the receiver is gone.
fn send_body(mut body: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let piece = match body.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(buffer[..length].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let last = piece.is_err();
        if sender.send(piece).is_err() || last {
            return;
        }
    }
}

/// The next message, or `None` if the sender is gone.
fn next<T>(receiver: &Receiver<T>, go_on: GoOn) -> Result<Option<T>, ModelError> {
    loop {
        match receiver.recv_timeout(EVENT_INTERVAL) {
            Ok(message) => return Ok(Some(message)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => go_on()?,
        }
    }
}

/// Uses the proxy that the usual environment variables name, except for this machine itself. The platform
/// verifies certificates, so that a company's own authority counts.
fn agent(url: &str, silence: Duration) -> Agent {
    let uri = url.parse::<Uri>().ok();
    let here =
        matches!(uri.as_ref().and_then(Uri::host), Some("localhost" | "127.0.0.1" | "[::1]"));
    let proxy = if here { None } else { Proxy::try_from_env() };
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(MAX_REDIRECTS)
        .max_redirects_will_error(true)
        .user_agent(concat!("deepdream/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(silence))
        .timeout_recv_response(Some(silence))
        .timeout_per_read(Some(silence))
        .build()
        .new_agent()
}
