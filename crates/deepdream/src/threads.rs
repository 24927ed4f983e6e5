//! Threads for the parts of a job that go on at once. The system may have none left.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::{Error, Fault, Result};

/// Starts `work` beside the thread that calls this.
///
/// # Errors
/// The system starts no more threads.
pub(crate) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new()
        .spawn_scoped(scope, work)
        .map_err(|error| none_left(format!("could not start a thread: {error}")))
}

/// The error for threads that cannot be started.
pub(crate) fn none_left(what: impl std::fmt::Display) -> Error {
    Error::new(Fault::Memory, what)
        .hint("End other programs, or raise the limit on processes and threads.")
}
