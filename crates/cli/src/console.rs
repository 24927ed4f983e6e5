//! The two streams: what a command answers goes to standard output, what it says while it works to
//! standard error.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};

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
    let mut out = std::io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Writes a line to standard error. If that cannot be written to, the work continues.
pub(crate) fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", shown(text.as_ref()));
}

/// A text whose control characters are shown and not sent: names in files may have them, and terminals
/// obey.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let harmless = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let show = |letter: char| match harmless(letter) {
        true => letter.to_string(),
        false => letter.escape_default().to_string(),
    };
    Cow::Owned(text.chars().map(show).collect())
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
    }
}
