//! Where a file goes: under its name whole or not at all, through links to what they lead to, and into
//! pipes and devices as they are.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::scratch::scratch_file;

/// The most links that are followed, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Where the system shows open files under names, whatever these are.
const DESCRIPTORS: [&str; 2] = ["/proc", "/dev/fd"];

/// How long to wait before a pipe is tried again.
const NAP: Duration = Duration::from_millis(2);

/// A place for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A file of this name, which the path itself is or its links lead to.
    File(PathBuf),
    /// A pipe, a device or an open file: it cannot be replaced, only written into.
    Stream,
}

impl Place {
    /// The place at `path`.
    ///
    /// # Errors
    /// [`ErrorKind::IsADirectory`], or links that lead nowhere.
    pub fn of(path: &Path) -> io::Result<Self> {
        let at = |kind| Ok(Self { path: path.to_owned(), kind });
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(there) if !there.is_file() => return at(Kind::Stream),
            _ => {}
        }
        let mut target = path.to_owned();
        for _ in 0..MOST_LINKS {
            if DESCRIPTORS.iter().any(|folder| target.starts_with(folder)) {
                return at(Kind::Stream);
            }
            let Ok(to) = fs::read_link(&target) else { return at(Kind::File(target)) };
            target = target.parent().unwrap_or(Path::new("")).join(to);
        }
        Err(io::Error::other("its links lead to each other"))
    }

    /// Whether something is there that a file would replace.
    pub fn is_taken(&self) -> bool {
        match &self.kind {
            Kind::File(_) => self.path.symlink_metadata().is_ok(),
            Kind::Stream => self.path.metadata().is_ok_and(|there| is_disk(&there)),
        }
    }

    /// Whether it is a pipe, which is written only when something reads it.
    pub fn is_pipe(&self) -> bool {
        self.kind == Kind::Stream && is_pipe(&self.path)
    }

    /// The file that is here or will be, unless it is something that is only written into.
    pub fn target(&self) -> Option<&Path> {
        match &self.kind {
            Kind::File(target) => Some(target),
            Kind::Stream => None,
        }
    }

    /// The folder for files that are to be [put](Self::put) here.
    pub fn folder(&self) -> Cow<'_, Path> {
        match &self.kind {
            Kind::Stream => std::env::temp_dir().into(),
            Kind::File(target) => match target.parent() {
                Some(folder) if folder != Path::new("") => folder.into(),
                _ => Path::new(".").into(),
            },
        }
    }

    /// Puts a complete file here, in one step, in the place of one that is here only with `replace`.
    /// When this returns, the file and its name are on the disk. A pipe is waited for until `stop`.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], [`ErrorKind::Interrupted`] after `stop`, or what the operating system says.
    pub fn put(
        &self,
        mut file: NamedTempFile,
        replace: bool,
        stop: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let Kind::File(target) = &self.kind else { return self.pour(file, stop) };
        file.as_file().sync_all()?;
        loop {
            let moved = match replace {
                true => file.persist(target),
                false => file.persist_noclobber(target),
            };
            match moved {
                Ok(_) => return sync_folder(&self.folder()),
                // A link leads to another disk than the one the file was made on.
                Err(error) if error.error.kind() == ErrorKind::CrossesDevices => {
                    let mut copy = scratch_file(&self.folder())?;
                    io::copy(&mut error.file.reopen()?, &mut copy)?;
                    copy.as_file().sync_all()?;
                    file = copy;
                }
                Err(error) => return Err(error.error),
            }
        }
    }

    /// Writes a file's bytes into what is here.
    fn pour(&self, mut file: NamedTempFile, stop: &dyn Fn() -> bool) -> io::Result<()> {
        let mut stream = wait(stop, || open_stream(&self.path))?;
        file.rewind()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            let mut rest = &buffer[..count];
            if rest.is_empty() {
                return Ok(());
            }
            while !rest.is_empty() {
                match wait(stop, || stream.write(rest))? {
                    0 => return Err(ErrorKind::WriteZero.into()),
                    written => rest = &rest[written..],
                }
            }
        }
    }
}

/// Tries until it would not block any more.
///
/// # Errors
/// [`ErrorKind::Interrupted`] after `stop`, or what the operating system says.
fn wait<T>(stop: &dyn Fn() -> bool, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if stop() {
                    return Err(ErrorKind::Interrupted.into());
                }
                std::thread::sleep(NAP);
            }
            ended => return ended,
        }
    }
}

/// Opens what can only be written into, without waiting for it. An open file may have something in it
/// already, which stays.
#[cfg(unix)]
fn open_stream(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use nix::libc::{ENXIO, O_NONBLOCK};

    let opened = File::options().append(true).custom_flags(O_NONBLOCK).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        // Nothing reads the pipe yet.
        Some(ENXIO) if is_pipe(path) => ErrorKind::WouldBlock.into(),
        _ => error,
    })
}

#[cfg(not(unix))]
fn open_stream(path: &Path) -> io::Result<File> {
    File::options().append(true).open(path)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|there| there.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_path: &Path) -> bool {
    false
}

/// Whether it is a disk, which is not written over unasked.
#[cfg(unix)]
fn is_disk(there: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&there.file_type())
}

#[cfg(not(unix))]
fn is_disk(_there: &fs::Metadata) -> bool {
    false
}

/// Brings the names in a folder to the disk, where the system can.
///
/// # Errors
/// The disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Folders that may be written in but not read, and disks that do not know how.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) => {}
        synced => return synced,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(path: &Path, bytes: &[u8], replace: bool) -> io::Result<()> {
        let place = Place::of(path)?;
        let mut file = scratch_file(&place.folder())?;
        file.write_all(bytes)?;
        place.put(file, replace, &|| false)
    }

    #[test]
    fn links_stay_and_what_they_lead_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("far")).unwrap();
        fs::write(at("far/file"), "old").unwrap();
        symlink("far/file", at("one")).unwrap();
        symlink(at("one"), at("two")).unwrap();
        symlink("far/new", at("dangling")).unwrap();
        let taken = put(&at("two"), b"new", false).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert!(Place::of(&at("dangling")).unwrap().is_taken());
        put(&at("two"), b"new", true).unwrap();
        put(&at("dangling"), b"newer", true).unwrap();
        assert!(["one", "two", "dangling"].iter().all(|name| at(name).is_symlink()));
        assert_eq!(fs::read(at("far/file")).unwrap(), b"new");
        assert_eq!(fs::read(at("far/new")).unwrap(), b"newer");

        symlink("mutual", at("endless")).unwrap();
        symlink("endless", at("mutual")).unwrap();
        assert!(Place::of(&at("endless")).is_err());
        assert_eq!(Place::of(&at("far")).unwrap_err().kind(), ErrorKind::IsADirectory);
    }

    #[test]
    fn devices_and_open_files_are_written_into() {
        put(Path::new("/dev/null"), b"gone", true).unwrap();
        assert!(!Path::new("/dev/null").is_file());
        if cfg!(target_os = "linux") {
            assert!(put(Path::new("/dev/full"), b"much", true).is_err());
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"first ").unwrap();
            let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
            put(Path::new(&name), b"second", false).unwrap();
            let mut text = String::new();
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "first second");
        }
    }
}
