//! Progress of a change to the store, and how to cancel it.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::error::ModelError;

/// What a change to the store is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent {
    /// Waiting for another program that is changing the store.
    Waiting,
    /// Adding a model file whose input neither the file, the catalogue nor the caller states. The usual input of
    /// its format is assumed.
    InputAssumed,
    /// Connecting to a server, or waiting to try again.
    Connecting,
    /// Downloading a file.
    Downloading {
        /// Bytes received so far, earlier attempts included.
        done: u64,
        /// Size of the whole file in bytes, if the server says.
        total: Option<u64>,
    },
}

/// Called with every event; while waiting, ten times a second. Return [`ControlFlow::Break`] to cancel: the
/// change then fails with [`ModelError::Cancelled`].
pub type OnEvent<'a> = &'a mut dyn FnMut(StoreEvent) -> ControlFlow<()>;

/// The longest time between two events.
pub(crate) const EVENT_INTERVAL: Duration = Duration::from_millis(100);

/// Reports an event.
///
/// # Errors
/// [`ModelError::Cancelled`] if the caller cancels.
pub(crate) fn tell(on_event: OnEvent, event: StoreEvent) -> Result<(), ModelError> {
    match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Cancelled),
    }
}
