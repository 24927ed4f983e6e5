//! Ctrl-C: the first asks the work to stop where it can, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Failure, Fault};

/// Whether the user has asked to stop. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens to Ctrl-C from now on; to be called once.
    ///
    /// # Errors
    /// The operating system's word.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let interrupt = Self::default();
        let asked = Arc::clone(&interrupt.asked);
        ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(Fault::Interrupted as i32);
            }
            eprintln!("\nstopping at the next step; Ctrl-C again ends at once");
        })
        .map_err(|error| Failure::new(Fault::Usage, format!("Ctrl-C: {error}")))?;
        Ok(interrupt)
    }

    /// Whether to stop.
    pub(crate) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
