//! Files that are not complete yet. Each is locked for as long as its maker lives, so that what a run
//! has left behind that was killed can be told from what a living one is writing.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// What their names begin with; some letters and digits follow.
const PREFIX: &str = ".deepdream-";

/// How many letters and digits.
const LETTERS: usize = 6;

/// Makes an empty file in `folder`, with the rights of any new file, which is gone again when it is
/// dropped.
///
/// # Errors
/// What the operating system says.
pub fn scratch_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(LETTERS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        if claim(file.as_file()) {
            return Ok(file);
        }
    }
}

/// Removes the files of [`scratch_file`] from `folder` whose makers are dead. What cannot be removed
/// is in nobody's way and stays.
pub fn clear_scratch(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(is_scratch)
            // Not what a link leads to.
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours && is_abandoned(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name may be one of [`scratch_file`].
pub fn is_scratch(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == LETTERS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Marks a new file as a living run's; false if another run has taken it for a dead one's meanwhile.
#[cfg(unix)]
fn claim(file: &File) -> bool {
    use std::fs::TryLockError;
    use std::os::unix::fs::MetadataExt;
    match file.try_lock() {
        Ok(()) => file.metadata().map_or(true, |file| file.nlink() > 0),
        Err(TryLockError::WouldBlock) => false,
        // A disk without locks, where nothing is ever taken for a dead run's.
        Err(TryLockError::Error(_)) => true,
    }
}

#[cfg(unix)]
fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Elsewhere a lock would keep ffmpeg from writing to the file, so there is none.
#[cfg(not(unix))]
fn claim(_file: &File) -> bool {
    true
}

#[cfg(not(unix))]
fn is_abandoned(_path: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_dead_have_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let living = scratch_file(folder.path()).unwrap();
        let name = living.path().file_name().unwrap().to_str().unwrap();
        assert!(is_scratch(name), "{name}");
        for name in [".deepdream-a1B2c3", ".deepdream", ".deepdream-notes", "photo.png"] {
            fs::write(at(name), name).unwrap();
        }
        fs::create_dir(at(".deepdream-folder")).unwrap();
        std::os::unix::fs::symlink(at("photo.png"), at(".deepdream-linked")).unwrap();
        clear_scratch(folder.path());
        assert!(living.path().exists());
        assert!(!at(".deepdream-a1B2c3").exists());
        let rest = [".deepdream", ".deepdream-notes", "photo.png", ".deepdream-folder"];
        assert!(rest.iter().all(|name| at(name).exists()));
        assert!(at(".deepdream-linked").is_symlink());
    }
}
