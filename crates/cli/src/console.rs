//! The two streams: what a command answers goes to standard output, what it says while it works to
//! standard error.

use std::io::{ErrorKind, Write};

use deepdream::models::printable;
use deepdream::{Error, Fault, Result};
use serde::Serialize;

/// Writes to standard output; a reader that has gone (`deepdream layers | head`) is no error.
pub(crate) fn print(text: impl AsRef<str>) -> Result<()> {
    write(shown(text.as_ref()).as_bytes())
}

/// Writes a value to standard output as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(failed)?;
    write((text + "\n").as_bytes())
}

/// Writes bytes to standard output as they are.
pub(crate) fn write(bytes: &[u8]) -> Result<()> {
    flushed(std::io::stdout().write_all(bytes))
}

/// What came of writing to standard output, once all of it has gone out.
pub(crate) fn flushed(written: std::io::Result<()>) -> Result<()> {
    match written.and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Writes a line to standard error. If that cannot be written to, the work continues.
pub(crate) fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", shown(text.as_ref()));
}

/// A text whose control characters and marks of direction are shown and not sent, but for its own lines and
/// tabs: names in files may have them, and terminals obey.
pub(crate) fn shown(text: &str) -> String {
    let part = |part: &str| match part.strip_suffix(['\n', '\t']) {
        Some(body) => printable(body) + &part[body.len()..],
        None => printable(part),
    };
    text.split_inclusive(['\n', '\t']).map(part).collect()
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Fault::Output, format!("could not write to standard output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(shown("fire2/concat\n\té"), "fire2/concat\n\té");
        assert_eq!(shown("\x1b[2Jlayer\r\u{9b}"), "\\u{1b}[2Jlayer\\r\\u{9b}");
        assert_eq!(shown("a\u{202e}b.png"), "a\\u{202e}b.png");
    }
}
