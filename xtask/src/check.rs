//! What can be seen without running the program: format, measures, licences, lints, documentation.

use crate::Outcome;
use crate::process::{Run, answers, cargo, step};

/// The most lines of a file of source.
const MOST_LINES: usize = 500;

/// What follows the word where code is unsafe.
const UNSAFE: [&str; 4] = ["{", "fn ", "impl", "extern"];

pub(crate) fn all() -> Outcome {
    step("format");
    cargo(&["fmt", "--all", "--check"]).run()?;
    step("file lengths, unsafe");
    measures()?;
    step("licences of the dependencies");
    if !answers("cargo", &["deny", "--version"]) {
        cargo(&["install", "cargo-deny", "--debug", "--locked", "--version", "^0.20"]).run()?;
    }
    cargo(&["deny", "--workspace", "check", "licenses", "bans", "sources"]).run()?;
    step("lints");
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()?;
    step("documentation");
    cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links")
        .run()
}

/// Sees that no file is too long and that `unsafe` stands in the kernels alone.
fn measures() -> Outcome {
    let files = Run::new("git", &["ls-files", "*.rs"]).output()?;
    let mut problems = Vec::new();
    for path in files.lines() {
        // A file that is removed but not yet committed.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let lines = text.lines().count();
        if path.contains("/src/") && !path.contains("/tests/") && lines > MOST_LINES {
            problems
                .push(format!("{path}: {lines} lines; one idea a file, about 400, 500 at most"));
        }
        if !path.starts_with("crates/kernels/") {
            let found = text.lines().enumerate().filter(|(_, line)| has_unsafe(line));
            problems.extend(found.map(|(number, _)| {
                format!("{path}:{}: `unsafe` belongs in the kernels crate", number + 1)
            }));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Whether a line has unsafe code or allows it.
fn has_unsafe(line: &str) -> bool {
    let word = "unsafe";
    let mut uses = line.match_indices(word).map(|(at, _)| (&line[..at], &line[at + word.len()..]));
    uses.any(|(before, after)| {
        let whole = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let code = UNSAFE.iter().any(|next| after.trim_start().starts_with(next));
        (whole && code) || (before.ends_with("allow(") && after.starts_with("_code"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_found() {
        let word = "unsafe";
        for line in ["{", " {", " fn f()", " impl Send", " extern \"C\""] {
            assert!(has_unsafe(&format!("let x = {word}{line}")), "{line}");
        }
        assert!(has_unsafe(&format!("#[allow({word}_code)]")));
        assert!(!has_unsafe(&format!("// it is {word} to go on")));
        assert!(!has_unsafe(&format!("#[{word}(no_mangle)]")));
    }
}
