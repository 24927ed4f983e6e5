//! Files out: never over another file unasked, and whole or not at all.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{Error, Fault, Knob, Result};

/// What names of files begin with that are not complete.
const TEMPORARY: &str = ".deepdream-";

/// Removes the files from `folder` that runs have left in it which were killed before they could.
pub(crate) fn clear_temporary(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that will be written, checked before the work for it begins.
pub struct Output {
    path: PathBuf,
    overwrite: bool,
}

impl Output {
    /// A file at `path`, in the place of one that is there already only with `overwrite`.
    ///
    /// # Errors
    /// The file exists, or its folder is missing or not to be written in.
    pub fn new(path: PathBuf, overwrite: bool) -> Result<Self> {
        let output = Self { path, overwrite };
        if output.path.is_dir() {
            return Err(output.error("it is a folder"));
        }
        if !overwrite && output.path.symlink_metadata().is_ok() {
            return Err(output.exists());
        }
        // Made and removed again: says now what writing would say after the work.
        output.temporary()?;
        Ok(output)
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file: beside its place first, then moved there in one step.
    ///
    /// # Errors
    /// What the operating system says, or a file that has come to exist meanwhile.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes).map_err(|error| self.error(error))?;
        self.place(file)
    }

    /// Moves a file that [`Self::temporary`] made, complete now, to its place in one step. When this
    /// returns, the file and its name are on the disk, so that what it was made of may go.
    ///
    /// # Errors
    /// What the operating system says, or a file that has come to exist meanwhile.
    pub(crate) fn place(&self, file: NamedTempFile) -> Result<()> {
        file.as_file().sync_all().map_err(|error| self.error(error))?;
        let moved = match self.overwrite {
            true => file.persist(&self.path),
            false => file.persist_noclobber(&self.path),
        };
        match moved {
            Ok(_) => sync_folder(self.folder()).map_err(|error| self.error(error)),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(self.exists()),
            Err(error) => Err(self.error(error.error)),
        }
    }

    /// An empty file beside the place, gone again unless it is [placed](Self::place).
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary(&self) -> Result<NamedTempFile> {
        self.temporary_in(self.folder())
    }

    /// The folder that the file will be in.
    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// The same in another folder of the same disk.
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary_in(&self, folder: &Path) -> Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: what the user's mask leaves of it.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self
                .error(format!("there is no folder {}", folder.display()))
                .hint("Make the folder first, or choose another one."),
            // The name of the temporary file, which the error has as well, helps nobody.
            _ => match error.get_ref().and_then(std::error::Error::source) {
                Some(reason) => self.error(reason),
                None => self.error(error),
            },
        })
    }

    fn exists(&self) -> Error {
        Error::new(Fault::Output, format!("{} exists already", self.path.display()))
            .at(&self.path)
            .turn(Knob::Output, "Choose another name.")
            .turn(Knob::Overwrite, "Or replace the file.")
    }

    /// The error for why the file cannot be written.
    pub(crate) fn error(&self, why: impl std::fmt::Display) -> Error {
        unwritable(&self.path, why)
    }
}

impl Output {
    /// The error for what keeps a picture or a movie from becoming this file.
    pub(crate) fn refused(&self, error: impl Into<Error>) -> Error {
        refused(&self.path, error)
    }
}

/// Brings the names in a folder to the disk, where the system can.
///
/// # Errors
/// The disk fails.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    match fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        // Folders that may be written in but not read, and disks that do not know how.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) => {}
        synced => return synced,
    }
    Ok(())
}

/// The error for what keeps a picture or a movie from becoming the file at `path`.
pub(crate) fn refused(path: &Path, error: impl Into<Error>) -> Error {
    error
        .into()
        .about(&format!("could not write {}", path.display()))
        .at(path)
        .with_fault(Fault::Output)
}

/// The error for a file or folder that cannot be written.
pub(crate) fn unwritable(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Fault::Output, format!("could not write {}: {why}", path.display())).at(path)
}

/// What an I/O error means to the person who named the file.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        _ => error.to_string(),
    }
}

/// The bytes of a file that was named as a picture.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

/// SHA-256 of a picture's or a video's file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    models::digest::sha256(path).map_err(|error| unreadable(path, error))
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| {
        Error::new(Fault::Output, format!("could not remove {}: {error}", path.display())).at(path)
    })
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Fault::Picture, format!("could not read {}: {}", path.display(), reason(&error)))
        .at(path)
}
