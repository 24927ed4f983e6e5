//! Files: photos as they came, and small pictures. Nothing that a request says becomes part of a path: names
//! are hashes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::workshop::Failure;

/// The most bytes of small pictures that are kept from run to run.
const MOST_SMALL: u64 = 1 << 30;

/// The studio's folder.
pub(crate) struct Shelf {
    root: PathBuf,
    /// Photos of this run, gone at its end.
    incoming: tempfile::TempDir,
}

impl Shelf {
    /// Opens the folder, which is made if it is not there and is nobody else's; the photos of an earlier run go.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn open(root: PathBuf) -> std::io::Result<Self> {
        private(&root)?;
        private(&root.join("cache"))?;
        let incoming = root.join("incoming");
        // Photos of a run that could not clean up.
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => private(&incoming)?,
        }
        let incoming = tempfile::Builder::new().prefix("run-").tempdir_in(incoming)?;
        let shelf = Self { root, incoming };
        shelf.clear_cache();
        Ok(shelf)
    }

    /// The folder of this run's photos.
    pub(crate) fn incoming(&self) -> &Path {
        self.incoming.path()
    }

    /// Where a photo of this hash is.
    pub(crate) fn photo(&self, hash: &str, extension: &str) -> PathBuf {
        self.incoming.path().join(format!("{hash}.{extension}"))
    }

    fn small(&self, name: &str) -> PathBuf {
        self.root.join("cache").join(format!("{name}.jpg"))
    }

    pub(crate) fn has_small(&self, name: &str) -> bool {
        self.small(name).is_file()
    }

    /// Keeps a small picture.
    pub(crate) fn keep_small(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let keep = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(self.incoming.path())?;
            file.write_all(bytes)?;
            file.persist(self.small(name))?;
            Ok(())
        };
        keep().map_err(|error| {
            Failure::new("disk", format!("A small picture could not be kept: {error}"))
        })
    }

    /// The bytes of a small picture; `None` for what is no name of one.
    pub(crate) fn read_small(&self, name: &str) -> Option<Vec<u8>> {
        let is_name = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_name.then(|| fs::read(self.small(name)).ok())?
    }

    /// Removes the small pictures that were made longest ago, until the others fit.
    fn clear_cache(&self) {
        let Ok(entries) = fs::read_dir(self.root.join("cache")) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        files.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
        let mut bytes = 0;
        for (_, size, path) in files {
            bytes += size;
            if bytes > MOST_SMALL {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A folder that is only for its owner.
pub(crate) fn private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A picture's name as a label: short, on one line, without what turns text around.
pub(crate) fn label(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let odd = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let plain: String = last.chars().filter(|letter| !odd(*letter)).take(120).collect();
    match plain.trim() {
        "" => "picture".to_owned(),
        plain => plain.to_owned(),
    }
}

/// A label as part of a file's name on any system.
pub(crate) fn slug(label: &str) -> String {
    let stem = label.rsplit_once('.').map_or(label, |(stem, _)| stem);
    let plain = |letter: char| match letter.is_alphanumeric() || "-_ ()".contains(letter) {
        true => letter,
        false => '-',
    };
    let name: String = stem.chars().map(plain).take(60).collect();
    let name = name.trim_matches([' ', '-', '.']);
    // Names of devices, on Windows in any folder.
    let device = ["con", "prn", "aux", "nul", "com", "lpt"];
    let lower = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_lowercase();
    match name.is_empty() || device.contains(&&*lower) {
        true => format!("picture {name}").trim_end().to_owned(),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels() {
        for (name, wanted) in [
            ("sky.jpg", "sky.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\sky.jpg", "sky.jpg"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            ("a\0b\nc", "abc"),
            ("   ", "picture"),
            ("", "picture"),
            ("/", "picture"),
        ] {
            assert_eq!(label(name), wanted, "{name:?}");
        }
        assert_eq!(label(&"x".repeat(1000)).len(), 120);
        for (name, wanted) in [
            ("sky.jpg", "sky"),
            ("..", "picture"),
            (".hidden", "picture"),
            ("con.png", "picture con"),
            ("LPT1.png", "picture LPT1"),
            ("a/b:c*d?.png", "a-b-c-d"),
            ("-rf.png", "rf"),
        ] {
            assert_eq!(slug(name), wanted, "{name:?}");
        }
    }

    #[test]
    fn no_request_names_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().join("studio")).unwrap();
        let name = "0123456789abcdef0123456789abcdef";
        shelf.keep_small(name, b"picture").unwrap();
        assert_eq!(shelf.read_small(name).unwrap(), b"picture");
        for odd in
            ["", "..", "../cache/0123456789abcdef0123456789ab", "0123456789abcdef0123456789abcde/"]
        {
            assert_eq!(shelf.read_small(odd), None, "{odd}");
        }
    }
}
