//! Files: photos as they came, which stay, and small pictures, which may go. Nothing that a request says
//! becomes part of a path: names are hashes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use crate::workshop::Failure;

/// The most bytes of small pictures that are kept from run to run.
const MOST_SMALL: u64 = 1 << 30;

/// The studio's folder.
pub(crate) struct Shelf {
    root: PathBuf,
    /// What is on its way in, gone at the end.
    incoming: tempfile::TempDir,
}

impl Shelf {
    /// Opens the folder, which is made if it is not there and is nobody else's; what an earlier run left half-way goes.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn open(root: PathBuf) -> std::io::Result<Self> {
        private(&root)?;
        private(&root.join("cache"))?;
        private(&root.join("originals"))?;
        let incoming = root.join("incoming");
        // Of a run that could not clean up.
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => private(&incoming)?,
        }
        let incoming = tempfile::Builder::new().prefix("run-").tempdir_in(incoming)?;
        let shelf = Self { root, incoming };
        // What cannot be removed is tried again at the next start.
        let _ = shelf.clear_small(MOST_SMALL);
        Ok(shelf)
    }

    /// The studio's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for what is on its way in.
    pub(crate) fn incoming(&self) -> &Path {
        self.incoming.path()
    }

    /// Where a photo of this hash is.
    pub(crate) fn photo(&self, hash: &str, extension: &str) -> PathBuf {
        let of_hash = hash.get(..2).unwrap_or_default();
        self.root.join("originals").join(of_hash).join(format!("{hash}.{extension}"))
    }

    /// Keeps a file that has come in as the photo of a hash, in place of one there, which may be damaged; returns
    /// where it is. Once it returns, the file is on the disk.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn keep_photo(
        &self,
        file: NamedTempFile,
        hash: &str,
        extension: &str,
    ) -> std::io::Result<PathBuf> {
        let kept = self.photo(hash, extension);
        let folder = kept.parent().unwrap_or(&self.root);
        private(folder)?;
        file.as_file().sync_all()?;
        file.persist(&kept)?;
        // Elsewhere folders cannot be opened.
        #[cfg(unix)]
        for folder in [folder, &self.root.join("originals")] {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(kept)
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
            private(&self.root.join("cache"))?;
            let mut file = NamedTempFile::new_in(self.incoming.path())?;
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
        let file = Some(self.small(name)).filter(|_| is_name)?;
        // What somebody has put in its place is not served.
        file.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
        fs::read(file).ok()
    }

    /// All small pictures: when they were made, their bytes, where they are.
    fn all_small(&self) -> impl Iterator<Item = (SystemTime, u64, PathBuf)> {
        let entries = fs::read_dir(self.root.join("cache")).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((about.modified().ok()?, about.len(), entry.path()))
        })
    }

    /// How many bytes the small pictures have.
    pub(crate) fn bytes_of_small(&self) -> u64 {
        self.all_small().map(|(_, bytes, _)| bytes).sum()
    }

    /// Removes the small pictures that were made longest ago, until the others have so many bytes at the most.
    ///
    /// # Errors
    /// What the operating system says of the first that could not be removed.
    pub(crate) fn clear_small(&self, most: u64) -> std::io::Result<()> {
        let mut files: Vec<_> = self.all_small().collect();
        files.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
        let (mut bytes, mut left) = (0, Ok(()));
        for (_, size, path) in files {
            bytes += size;
            if bytes > most {
                left = left.and(fs::remove_file(path));
            }
        }
        left
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

/// A file's label without its ending.
pub(crate) fn stem(label: &str) -> &str {
    label.rsplit_once('.').map_or(label, |(stem, _)| stem)
}

/// A label as part of a file's name on any system.
pub(crate) fn slug(label: &str) -> String {
    let plain = |letter: char| match letter.is_alphanumeric() || "-_ ()".contains(letter) {
        true => letter,
        false => '-',
    };
    let name: String = label.chars().map(plain).take(60).collect();
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
            assert_eq!(slug(stem(name)), wanted, "{name:?}");
        }
        assert_eq!(slug("layer3.2.conv1"), "layer3-2-conv1");
    }

    #[test]
    fn a_photo_that_is_given_again_takes_the_place_of_a_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().join("studio")).unwrap();
        let keep = || {
            let mut file = NamedTempFile::new_in(shelf.incoming()).unwrap();
            file.write_all(b"picture").unwrap();
            shelf.keep_photo(file, "0123", "png").unwrap()
        };
        fs::write(keep(), b"damage").unwrap();
        assert_eq!(fs::read(keep()).unwrap(), b"picture");
    }

    #[test]
    fn no_request_names_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().join("studio")).unwrap();
        let name = "0123456789abcdef0123456789abcdef";
        // It may be deleted at any time.
        fs::remove_dir_all(folder.path().join("studio/cache")).unwrap();
        shelf.keep_small(name, b"picture").unwrap();
        assert_eq!(shelf.bytes_of_small(), 7);
        assert_eq!(shelf.read_small(name).unwrap(), b"picture");
        for odd in
            ["", "..", "../cache/0123456789abcdef0123456789ab", "0123456789abcdef0123456789abcde/"]
        {
            assert_eq!(shelf.read_small(odd), None, "{odd}");
        }
        shelf.clear_small(7).unwrap();
        assert!(shelf.has_small(name));
        shelf.clear_small(6).unwrap();
        assert!(!shelf.has_small(name));
    }
}
