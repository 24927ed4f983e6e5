//! Ctrl-C: the first asks the work to stop where it can, the second ends the program at once.

use deepdream::{CancelToken, Error, Fault, Result};

use crate::console::say;
use crate::exit;

/// A token that Ctrl-C cancels from now on; to be called once.
///
/// # Errors
/// What the operating system says.
pub(crate) fn listen() -> Result<CancelToken> {
    let token = CancelToken::new();
    let asked = token.clone();
    handle(move || {
        if asked.is_cancelled() {
            end();
        }
        asked.cancel();
        say("\nstopping at the next step; Ctrl-C again ends at once");
    })?;
    Ok(token)
}

/// Has Ctrl-C end the program at once from now on, for work that is soon over; to be called once.
///
/// # Errors
/// What the operating system says.
pub(crate) fn end_at_once() -> Result<()> {
    handle(|| {
        say("\ndeepdream: stopped");
        end();
    })
}

fn handle(handler: impl FnMut() + Send + 'static) -> Result<()> {
    ctrlc::set_handler(handler)
        .map_err(|error| Error::new(Fault::Usage, format!("could not listen to Ctrl-C: {error}")))
}

fn end() -> ! {
    std::process::exit(exit::number(Fault::Cancelled).into());
}
