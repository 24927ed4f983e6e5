//! Standard output, for what a command answers. What it says while it works goes to standard error.

use std::io::{ErrorKind, Write};

use deepdream::{Error, Fault, Result};
use serde::Serialize;

/// Writes to standard output; a reader that has gone (`deepdream layers | head`) is no error.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Writes a value to standard output as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(failed)?;
    print(text + "\n")
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Fault::Output, format!("could not write to standard output: {error}"))
}
