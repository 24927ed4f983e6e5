//! Standard output, for what a command answers. What it says while it works goes to standard error.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::exit::{Failure, Fault};

/// Writes to standard output; a reader that has gone (`deepdream layers | head`) is no error.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Fault::Output, format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value to standard output as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Fault::Output, format!("standard output: {error}")))?;
    print(text + "\n")
}
