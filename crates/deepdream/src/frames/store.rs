//! The hidden folder beside frames, locked for one run: what is remembered of the frames lies in it.
//!
//! A folder of frames may come from anywhere, links and all. Nothing here goes through a link: what is
//! written has a new file of its own, which is then renamed, and what is read is a file.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use media::{is_scratch, sync_folder};

use crate::memory::free_memory;
use crate::output::unwritable;
use crate::{Error, Fault, Result, readable_bytes};

const FOLDER: &str = ".deepdream";
const LOCK: &str = "lock";

/// What the names of files begin with that are being written.
const PART: &str = "part";

/// The hidden folder, locked for one run.
pub(crate) struct Store {
    frames: PathBuf,
    folder: PathBuf,
    /// What keeps files that are being written apart from those of other runs.
    tag: String,
    _locks: Vec<File>,
}

impl Store {
    /// Opens the store of a folder of frames for this run alone, and clears away what a run has left
    /// that was killed while it wrote.
    ///
    /// # Errors
    /// A folder that cannot be written in, or in which another run is at work.
    pub(crate) fn open(frames: &Path) -> Result<Self> {
        let store =
            Self::locked(frames, "", |folder| Ok(vec![lock(folder, LOCK, File::try_lock)?]))?;
        store.remove_files(|name| is_scratch(name) || name.starts_with(PART));
        Ok(store)
    }

    /// Opens it for a run that makes only the frames of one `part`, while other runs make others.
    ///
    /// # Errors
    /// A folder that cannot be written in, or in which another run is at work on all frames or the same
    /// part.
    pub(crate) fn open_part(frames: &Path, part: &str) -> Result<Self> {
        Self::locked(frames, part, |folder| {
            let all = lock(folder, LOCK, File::try_lock_shared)?;
            Ok(vec![all, lock(folder, &format!("{LOCK}.{part}"), File::try_lock)?])
        })
    }

    fn locked(
        frames: &Path,
        tag: &str,
        locks: impl FnOnce(&Path) -> Result<Vec<File>, TryLockError>,
    ) -> Result<Self> {
        let folder = Self::folder_of(frames);
        match folder.symlink_metadata() {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Err(kept(&folder, foreign(&folder, "a folder"))),
            Err(_) => fs::create_dir_all(&folder).map_err(|error| kept(&folder, error))?,
        }
        let locks = locks(&folder).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let what = format!("another run is making frames in {}", frames.display());
                Error::new(Fault::Output, what).at(frames).hint("Wait for it, or stop it.")
            }
            TryLockError::Error(error) => kept(&folder, error),
        })?;
        Ok(Self { frames: frames.to_owned(), folder, tag: tag.to_owned(), _locks: locks })
    }

    /// The hidden folder of a folder of frames, which need not exist.
    pub(crate) fn folder_of(frames: &Path) -> PathBuf {
        frames.join(FOLDER)
    }

    /// The hidden folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The bytes of a file of this name in the hidden folder of `frames`, if there is one.
    ///
    /// # Errors
    /// It cannot be read, is none of this program's, has more than `most` bytes, or takes more memory
    /// than there is.
    pub(crate) fn read(frames: &Path, name: &str, most: u64) -> Result<Option<Vec<u8>>, Unread> {
        let path = Self::folder_of(frames).join(name);
        if !exists(&path)? {
            return Ok(None);
        }
        let size = path.metadata()?.len();
        let (need, free) = (size.saturating_mul(2), free_memory());
        if size > most {
            return Err(io::Error::from(ErrorKind::FileTooLarge).into());
        }
        if need > free {
            return Err(Unread::Memory { need, free });
        }
        Ok(Some(fs::read(&path)?))
    }

    /// Removes a file of the hidden folder, if it is there.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(kept(&path, error)),
            _ => Ok(()),
        }
    }

    /// Removes what runs have written into the hidden folder, but for the files of these names, as far
    /// as that can be.
    pub(crate) fn remove_all_but(&self, names: &[&str]) {
        let ours = ["state.safetensors", "video.json", "complete"];
        self.remove_files(|name| {
            let is_ours = is_scratch(name)
                || ours.contains(&name)
                || [PART, LOCK].iter().any(|start| name.starts_with(start));
            is_ours && !names.contains(&name)
        });
    }

    fn remove_files(&self, wanted: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(&wanted) {
                // One that stays is in nobody's way.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes a file into the folder of frames or its store: whole, and on the disk when this
    /// returns, or not at all.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        // Named after what it becomes, so that the run that goes on after one that was killed here
        // replaces what is left of it.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = self.folder.join(format!("{PART}{}.{name}", self.tag));
        let written = new_file(&part)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, path))
            .and_then(|()| sync_folder(&self.frames))
            .and_then(|()| sync_folder(&self.folder));
        written.map_err(|error| {
            // What is written by halves takes room that the user may be trying to free.
            let _ = fs::remove_file(&part);
            kept(path, error)
        })
    }
}

/// Why a file of the hidden folder cannot be read.
#[derive(Debug)]
pub(crate) enum Unread {
    Io(io::Error),
    /// Bytes of memory that are needed, and that are free.
    Memory {
        need: u64,
        free: u64,
    },
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Memory { need, free } => {
                let (need, free) = (readable_bytes(*need), readable_bytes(*free));
                write!(f, "it needs {need} of memory, but {free} are free")
            }
        }
    }
}

/// A file that is new, whatever was called like it.
fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(path)
}

/// Whether a file is there that is one, and no link.
fn exists(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(there) if there.is_file() => Ok(true),
        Ok(_) => Err(foreign(path, "a file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn foreign(path: &Path, wanted: &str) -> io::Error {
    io::Error::other(format!("{} is not {wanted} of this program's: remove it", path.display()))
}

fn lock(
    folder: &Path,
    name: &str,
    how: fn(&File) -> Result<(), TryLockError>,
) -> Result<File, TryLockError> {
    let path = folder.join(name);
    let there = || File::options().write(true).open(&path);
    let opened = match exists(&path) {
        Ok(true) => there(),
        Ok(false) => match File::create_new(&path) {
            // Another run was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => there(),
            created => created,
        },
        Err(error) => Err(error),
    };
    let lock = opened.map_err(TryLockError::Error)?;
    how(&lock)?;
    Ok(lock)
}

/// The error for what cannot be written, which costs no frame.
fn kept(path: &Path, error: io::Error) -> Error {
    unwritable(path, error)
        .hint("All frames before it are complete: run the same again to continue from there.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap();
        let said = Store::open(folder.path()).err().unwrap().to_string();
        assert!(said.contains("another run"), "{said}");
        assert!(Store::open_part(folder.path(), "1-of-2").is_err());
        drop(first);
        let parts = ["1-of-2", "2-of-2"].map(|part| Store::open_part(folder.path(), part).unwrap());
        assert!(Store::open_part(folder.path(), "2-of-2").is_err());
        assert!(Store::open(folder.path()).is_err());
        drop(parts);
        assert!(Store::open(folder.path()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_never_gone_through() {
        use std::os::unix::fs::symlink;
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        let precious = |name: &str| {
            fs::write(at(name), "precious").unwrap();
            at(name)
        };
        let frames = at("frames");
        let hidden = Store::folder_of(&frames);
        fs::create_dir_all(&hidden).unwrap();
        let own = hidden.join("video.json");

        let victim = precious("lock victim");
        symlink(&victim, hidden.join(LOCK)).unwrap();
        assert!(Store::open(&frames).is_err());
        fs::remove_file(hidden.join(LOCK)).unwrap();
        let store = Store::open(&frames).unwrap();
        for name in ["part.video.json", "video.json"] {
            let victim = precious(name);
            let _ = fs::remove_file(hidden.join(name));
            symlink(&victim, hidden.join(name)).unwrap();
            store.write(&own, b"ours").unwrap();
            assert_eq!(fs::read(victim).unwrap(), b"precious", "{name}");
        }
        assert_eq!(Store::read(&frames, "video.json", 4).unwrap().unwrap(), b"ours");
        assert!(Store::read(&frames, "video.json", 3).is_err());
        // A name that shares its file with one outside.
        fs::hard_link(&victim, hidden.join("part.video.json")).unwrap();
        store.write(&own, b"ours").unwrap();
        fs::remove_file(&own).unwrap();
        symlink("/dev/zero", &own).unwrap();
        assert!(Store::read(&frames, "video.json", 4).is_err());
        fs::write(hidden.join("notes.txt"), "the user's").unwrap();
        store.remove_all_but(&["lock"]);
        assert!(hidden.join("notes.txt").exists() && !own.is_symlink());
        drop(store);

        fs::remove_dir_all(&hidden).unwrap();
        fs::create_dir(at("outside")).unwrap();
        let inside = precious("outside/complete");
        symlink(at("outside"), &hidden).unwrap();
        assert!(Store::open(&frames).is_err());
        assert!(inside.exists() && !at("outside/lock").exists());
        assert_eq!(fs::read(victim).unwrap(), b"precious");
    }
}
