//! Ctrl-C and its relatives: the first asks the work to stop where it can, the second ends the program
//! at once, and so does the first where there is no work that could be asked.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use deepdream::CancelToken;

use crate::console::say;

#[cfg(not(unix))]
pub(crate) use other::start;
#[cfg(unix)]
pub(crate) use unix::start;

/// What the work is asked with.
static WORK: OnceLock<CancelToken> = OnceLock::new();

/// The exit code of a program that Ctrl-C has stopped.
const CTRL_C: u8 = 130;

/// The exit code for what stopped the work.
static CODE: AtomicU8 = AtomicU8::new(CTRL_C);

/// A token that Ctrl-C cancels from now on.
pub(crate) fn listen() -> CancelToken {
    WORK.get_or_init(CancelToken::new).clone()
}

/// The exit code of work that was asked to stop.
pub(crate) fn code() -> u8 {
    CODE.load(Ordering::Relaxed)
}

/// Asks the work to stop, or ends the program if it was asked before; `code` is the exit code for that.
fn interrupt(code: u8) {
    CODE.store(code, Ordering::Relaxed);
    match WORK.get() {
        Some(work) if !work.is_cancelled() => {
            work.cancel();
            say("\nstopping at the next step; Ctrl-C again ends at once");
        }
        work => {
            if work.is_none() {
                say("\ndeepdream: stopped");
            }
            std::process::exit(code.into());
        }
    }
}
