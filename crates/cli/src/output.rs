//! Files out: never over another file unasked, and whole or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use media::movie::MovieError;
use tempfile::NamedTempFile;

use crate::exit::{Failure, Fault};
use crate::media_failure::movie_hint;

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
pub(crate) struct Output {
    path: PathBuf,
    force: bool,
}

impl Output {
    /// A file at `path`, in the place of one that is there already only with `force`.
    ///
    /// # Errors
    /// The file exists, or its folder is missing or not to be written in.
    pub(crate) fn new(path: PathBuf, force: bool) -> Result<Self, Failure> {
        let output = Self { path, force };
        if output.path.is_dir() {
            return Err(output.failure("this is a folder"));
        }
        if !force && output.path.symlink_metadata().is_ok() {
            return Err(output.exists());
        }
        // Made and removed again: says now what writing would say after the work.
        output.temporary()?;
        Ok(output)
    }

    /// Where the file will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file: beside its place first, then moved there in one step.
    ///
    /// # Errors
    /// What the operating system says, or a file that has come to exist meanwhile.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut file = self.temporary()?;
        file.write_all(bytes).map_err(|error| self.failure(error))?;
        self.place(file)
    }

    /// Moves a file that [`Self::temporary`] made, complete now, to its place in one step.
    ///
    /// # Errors
    /// What the operating system says, or a file that has come to exist meanwhile.
    pub(crate) fn place(&self, file: NamedTempFile) -> Result<(), Failure> {
        let moved =
            if self.force { file.persist(&self.path) } else { file.persist_noclobber(&self.path) };
        match moved {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(self.exists())
            }
            Err(error) => Err(self.failure(error.error)),
        }
    }

    /// An empty file beside the place, gone again unless it is [placed](Self::place).
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary(&self) -> Result<NamedTempFile, Failure> {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => self.temporary_in(folder),
            _ => self.temporary_in(Path::new(".")),
        }
    }

    /// The same in another folder of the same disk.
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary_in(&self, folder: &Path) -> Result<NamedTempFile, Failure> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: what the user's mask leaves of it.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                self.failure(format!("there is no folder {}", folder.display()))
            }
            _ => self.failure(error),
        })
    }

    fn exists(&self) -> Failure {
        Failure::new(Fault::Output, format!("{}: exists already", self.path.display()))
            .or("give another name with -o, or --force to replace it")
    }

    /// The failure for a movie that cannot be written.
    pub(crate) fn movie_failure(&self, error: MovieError) -> Failure {
        let failure = self.failure(&error);
        match movie_hint(&error) {
            Some(hint) => failure.or(hint),
            None => failure,
        }
    }

    /// The failure for why the file cannot be written.
    pub(crate) fn failure(&self, why: impl std::fmt::Display) -> Failure {
        Failure::new(Fault::Output, format!("{}: cannot be written: {why}", self.path.display()))
    }
}
