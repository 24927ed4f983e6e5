//! Ctrl-C: the first asks the work to stop where it can, the second ends the program at once.

use deepdream::{CancelToken, Error, Fault, Result};

use crate::exit;

/// A token that Ctrl-C cancels from now on; to be called once.
///
/// # Errors
/// What the operating system says.
pub(crate) fn listen() -> Result<CancelToken> {
    let token = CancelToken::new();
    let asked = token.clone();
    ctrlc::set_handler(move || {
        if asked.is_cancelled() {
            std::process::exit(exit::number(Fault::Cancelled).into());
        }
        asked.cancel();
        eprintln!("\nstopping at the next step; Ctrl-C again ends at once");
    })
    .map_err(|error| Error::new(Fault::Usage, format!("could not listen to Ctrl-C: {error}")))?;
    Ok(token)
}
