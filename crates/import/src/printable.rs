//! Names from files as they can be shown: what would steer a terminal, or turn the reading direction of the
//! text around it, is written as an escape.

/// `text` with control characters, line breaks and marks of direction escaped as Rust does: `\n`, `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Makes a name [`printable`], which nearly all are.
pub(crate) fn make_printable(name: &mut String) {
    if name.chars().any(is_hidden) {
        *name = printable(name);
    }
}

/// Controls, line and paragraph separators, and marks, embeddings and isolates of direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(printable("inception_4c/output, naïve 4×4"), "inception_4c/output, naïve 4×4");
        assert_eq!(printable("\u{1b}]0;x\u{7}\u{9b}"), r"\u{1b}]0;x\u{7}\u{9b}");
        assert_eq!(printable("a\nb\r\u{202e}c\u{2066}"), r"a\nb\r\u{202e}c\u{2066}");
    }
}
