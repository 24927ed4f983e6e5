//! Wildcards in names of pictures, for shells that leave them to the program, as those of Windows do.

use std::path::{Path, PathBuf};

/// The files that each of the names stands for, in order of their names. A name that is a file's own, or
/// that nothing matches, stands for itself.
pub(crate) fn expand(names: &[PathBuf]) -> Vec<PathBuf> {
    names.iter().flat_map(|name| expand_one(name)).collect()
}

/// Whether a path has a wildcard in its last part, where [`expand`] looks for them.
pub(crate) fn has_wildcard(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(['*', '?']))
}

fn expand_one(path: &Path) -> Vec<PathBuf> {
    let own = || vec![path.to_owned()];
    if !has_wildcard(path) || path.exists() {
        return own();
    }
    let pattern = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new(""));
    let here = if folder == Path::new("") { Path::new(".") } else { folder };
    let names = std::fs::read_dir(here).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut matching: Vec<String> = names.filter(|name| is_match(&pattern, name)).collect();
    matching.sort();
    match matching.is_empty() {
        true => own(),
        false => matching.iter().map(|name| folder.join(name)).collect(),
    }
}

/// Whether a file's name matches a pattern as shells see it: `*` is anything, `?` one character, and
/// hidden files match only patterns that begin with a dot too.
fn is_match(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // The places to return to when what follows the last `*` does not match.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some('?') => (p, n) = (p + 1, n + 1),
            Some(letter) if *letter == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_shells_do() {
        for (pattern, name) in
            [("*.jpg", "a.jpg"), ("*", "x"), ("a*b*c", "a1b2b3c"), ("?.png", "é.png"), (".*", ".a")]
        {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.jpg", "a.png"),
            ("*.jpg", ".a.jpg"),
            ("?.png", "ab.png"),
            ("a*b", "abc"),
            ("", "a"),
        ] {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn names_become_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.jpg", "a.jpg", "c.png"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let expanded = |name: &str| -> Vec<String> {
            let paths = expand(&[folder.path().join(name)]);
            let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            paths.iter().map(name).collect()
        };
        assert_eq!(expanded("*.jpg"), ["a.jpg", "b.jpg"]);
        assert_eq!(expanded("*.gif"), ["*.gif"]);
        assert_eq!(expanded("none.jpg"), ["none.jpg"]);
        if cfg!(unix) {
            std::fs::write(folder.path().join("*.jpg"), b"").unwrap();
            assert_eq!(expanded("*.jpg"), ["*.jpg"]);
        }
    }
}
