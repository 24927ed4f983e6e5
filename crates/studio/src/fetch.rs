//! Networks that are fetched: one at a time, while dreams go on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::desk::{Desk, Part};
use crate::workshop::Failure;

/// A network on its way, or what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fetch {
    name: String,
    /// Bytes that are there, and how many there are to be, where the server says.
    done: u64,
    total: Option<u64>,
    state: State,
    failure: Option<Failure>,
    #[serde(skip)]
    cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Running,
    Cancelled,
    Failed,
    Done,
}

/// Begins to fetch a network; what was there of it by an earlier attempt is not fetched again.
///
/// # Errors
/// Another one that is on its way.
pub(crate) fn fetch(desk: &Arc<Desk>, name: String) -> Result<(), Failure> {
    {
        let mut inner = desk.lock();
        if let Some(other) = inner.fetch.as_ref().filter(|fetch| fetch.state == State::Running) {
            let what = format!("{} is on its way already.", other.name);
            return Err(Failure::new("busy", what).way_out("Wait for it, or cancel it."));
        }
        let state = State::Running;
        let (done, total, failure, cancelled) = (0, None, None, false);
        inner.fetch = Some(Fetch { name: name.clone(), done, total, state, failure, cancelled });
        desk.tell(&mut inner, Part::Networks);
    }
    let desk = desk.clone();
    let work = move || {
        let mut last = Instant::now();
        let result = desk.workshop.fetch(&name, &mut |done, total| {
            let mut inner = desk.lock();
            let over = inner.over;
            let Some(fetch) = inner.fetch.as_mut() else { return ControlFlow::Break(()) };
            (fetch.done, fetch.total) = (done, total);
            let ends = fetch.cancelled || over;
            if last.elapsed().as_millis() >= 200 {
                last = Instant::now();
                desk.tell(&mut inner, Part::Networks);
            }
            if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let mut inner = desk.lock();
        if let Some(fetch) = inner.fetch.as_mut() {
            fetch.state = match &result {
                Ok(()) => State::Done,
                Err(failure) if failure.is_stopped() => State::Cancelled,
                Err(_) => State::Failed,
            };
            fetch.failure = result.err().filter(|failure| !failure.is_stopped());
        }
        desk.tell(&mut inner, Part::Networks);
    };
    std::thread::Builder::new()
        .name("fetching".to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| Failure::new("internal", error))
}

/// Ends what is on its way; a later attempt goes on from there.
pub(crate) fn cancel(desk: &Desk) {
    if let Some(fetch) = desk.lock().fetch.as_mut() {
        fetch.cancelled = true;
    }
}
