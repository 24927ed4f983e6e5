//! Files out: never over another file unasked, and whole or not at all. Files in: only what has an end.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use media::{Place, check_regular, clear_scratch, scratch_file};
use tempfile::NamedTempFile;

use crate::inputs::{is_same_file, same};
use crate::progress::Run;
use crate::{CancelToken, Error, Fault, Input, Knob, Note, Result};

/// A file that will be written, checked before the work for it begins. Links are followed and stay;
/// what is no file, such as a pipe or a device, is written into.
pub struct Output {
    path: PathBuf,
    place: Place,
    overwrite: bool,
    cancel: CancelToken,
}

impl Output {
    /// A file at `path`, in the place of one that is there already only with `overwrite`.
    ///
    /// # Errors
    /// The file exists, or its folder is missing or not to be written in.
    pub fn new(path: PathBuf, overwrite: bool) -> Result<Self> {
        let output = Self::claim(path, overwrite)?;
        Self::clear_leftovers([&output]);
        Ok(output)
    }

    /// Clears away what killed runs have left in the folders of these outputs.
    pub(crate) fn clear_leftovers<'a>(outputs: impl IntoIterator<Item = &'a Self>) {
        let folders: BTreeSet<_> =
            outputs.into_iter().map(|output| output.place.folder()).collect();
        folders.iter().for_each(|folder| clear_scratch(folder));
    }

    /// As [`Self::new`], but for what killed runs have left in the folder: for many outputs, of which it
    /// is [cleared](Self::clear_leftovers) once.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn claim(path: PathBuf, overwrite: bool) -> Result<Self> {
        let output = Self::rehearse(path, overwrite)?;
        // Made and removed again: says now what writing would say after the work.
        output.temporary()?;
        Ok(output)
    }

    /// As [`Self::claim`], or without a trace on the disk, for an output that is never written. A folder that is
    /// `to_be_made` need not be there for that.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub(crate) fn claim_or_rehearse(
        path: PathBuf,
        overwrite: bool,
        rehearsed: bool,
        to_be_made: Option<&Path>,
    ) -> Result<Self> {
        if !rehearsed {
            return Self::claim(path, overwrite);
        }
        let output = Self::rehearse(path, overwrite)?;
        let folder = output.place.folder();
        match folder.metadata() {
            Ok(there) if there.is_dir() => {
                check_writable(&folder).map_err(|error| output.error(error))?;
            }
            Ok(_) => return Err(output.error(std::io::Error::from(ErrorKind::NotADirectory))),
            Err(_) if to_be_made.is_some_and(|made| same(made) == same(&folder)) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(output.without_folder(&folder));
            }
            Err(error) => return Err(output.error(error)),
        }
        Ok(output)
    }

    fn rehearse(path: PathBuf, overwrite: bool) -> Result<Self> {
        let place = Place::of(&path).map_err(|error| match error.kind() {
            ErrorKind::IsADirectory => unwritable(&path, "it is a folder"),
            _ => unwritable(&path, error),
        })?;
        let output = Self { path, place, overwrite, cancel: CancelToken::new() };
        if let Err(error) = output.path.symlink_metadata()
            && error.kind() == ErrorKind::InvalidFilename
        {
            return Err(output.error(reason(&error)));
        }
        if !overwrite && output.place.is_taken() {
            return Err(output.exists());
        }
        Ok(output)
    }

    /// The same as an output of a job, which waits for the reader of a pipe until it is cancelled.
    pub(crate) fn of_job(self, run: Run) -> Self {
        if self.place.is_pipe() {
            run.note(Note::WaitsForReader { path: self.path.clone() });
        }
        Self { cancel: run.cancel_token().clone(), ..self }
    }

    /// Refuses to write over what the work is made from, under whatever name.
    ///
    /// # Errors
    /// One of the `inputs` is the same file.
    pub fn spare<'a>(&self, inputs: impl IntoIterator<Item = Input<'a>>) -> Result<()> {
        spare(&self.path, inputs)
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
        // The name of the temporary file, which its own errors have, helps nobody.
        file.as_file_mut().write_all(bytes).map_err(|error| self.error(error))?;
        self.place(file)
    }

    /// As [`Self::write`], of a file that `write` makes piece by piece.
    ///
    /// # Errors
    /// As [`Self::write`], and what `write` says.
    pub(crate) fn write_with<E: Into<Error>>(
        &self,
        write: impl FnOnce(&mut BufWriter<&File>) -> std::result::Result<(), E>,
    ) -> Result<()> {
        let file = self.temporary()?;
        let mut writer = BufWriter::new(file.as_file());
        write(&mut writer).map_err(|error| self.refused(error))?;
        writer.flush().map_err(|error| self.error(error))?;
        drop(writer);
        self.place(file)
    }

    /// Moves a file that [`Self::temporary`] made, complete now, to its place in one step. When this
    /// returns, the file and its name are on the disk, so that what it was made of may go.
    ///
    /// # Errors
    /// What the operating system says, or a file that has come to exist meanwhile.
    pub(crate) fn place(&self, file: NamedTempFile) -> Result<()> {
        let stop = || self.cancel.is_cancelled();
        self.place.put(file, self.overwrite, &stop).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => self.exists(),
            ErrorKind::Interrupted if stop() => {
                let what = format!("stopped: {} was not written", self.path.display());
                Error::cancelled(what).at(&self.path)
            }
            _ => self.error(error),
        })
    }

    /// An empty file beside the place, gone again unless it is [placed](Self::place).
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary(&self) -> Result<NamedTempFile> {
        self.temporary_in(&self.place.folder())
    }

    /// The same in another folder.
    ///
    /// # Errors
    /// The folder is missing or not to be written in.
    pub(crate) fn temporary_in(&self, folder: &Path) -> Result<NamedTempFile> {
        scratch_file(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.without_folder(folder),
            _ => match error.get_ref().and_then(std::error::Error::source) {
                Some(reason) => self.error(reason),
                None => self.error(error),
            },
        })
    }

    fn without_folder(&self, folder: &Path) -> Error {
        self.error(format!("there is no folder {}", folder.display()))
            .hint("Make the folder first, or choose another one.")
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

/// Refuses to take a path for an output, under whatever name, where what the work is made from is.
///
/// # Errors
/// One of the `inputs` is the same file.
pub(crate) fn spare<'a>(path: &Path, inputs: impl IntoIterator<Item = Input<'a>>) -> Result<()> {
    match inputs.into_iter().find(|input| is_same_file(input.path, path)) {
        None => Ok(()),
        Some(Input { role, path: input }) => {
            let input = input.display();
            let why = format!("it would be made from this very file, the {role} {input}");
            Err(unwritable(path, why).turn(Knob::Output, "Choose another name."))
        }
    }
}

/// Whether a folder is there, or could be made; without making it.
///
/// # Errors
/// It is a file, or below one, or nothing may be written there.
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    let within = |at: &Path| if at == Path::new("") { PathBuf::from(".") } else { at.to_owned() };
    let there = folder.ancestors().map(within).find(|at| at.symlink_metadata().is_ok());
    match there {
        // What may be written in it is asked for each file.
        _ if folder.is_dir() => Ok(()),
        Some(there) if there.is_dir() => {
            check_writable(&there).map_err(|error| unwritable(folder, error))
        }
        Some(there) => {
            let why = format!("{} is a file, not a folder", there.display());
            Err(unwritable(folder, why).turn(Knob::Output, "Choose another folder."))
        }
        None => Ok(()),
    }
}

#[cfg(unix)]
fn check_writable(folder: &Path) -> std::io::Result<()> {
    use nix::unistd::{AccessFlags, access};
    Ok(access(folder, AccessFlags::W_OK | AccessFlags::X_OK)?)
}

#[cfg(not(unix))]
fn check_writable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

impl Output {
    /// The error for what keeps a picture or a movie from becoming this file.
    pub(crate) fn refused(&self, error: impl Into<Error>) -> Error {
        refused(&self.path, error)
    }
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
        ErrorKind::InvalidFilename => {
            "its name is too long or has what no name may have".to_owned()
        }
        _ => error.to_string(),
    }
}

/// The bytes of a file that was named as a picture.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    check_regular(path).and_then(|()| fs::read(path)).map_err(|error| unreadable(path, error))
}

/// SHA-256 of a picture's or a video's file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    check_regular(path)
        .and_then(|()| models::digest::sha256(path))
        .map_err(|error| unreadable(path, error))
}

/// The text of a file of at most `most` bytes. Of what is no file, only that is read which the caller
/// has opened already and named, such as `/dev/stdin`: the rest may have no end, or no beginning.
///
/// # Errors
/// What the operating system says; [`ErrorKind::FileTooLarge`].
pub(crate) fn read_text(path: &Path, most: u64) -> std::io::Result<String> {
    let opened = ["/dev/fd", "/dev/stdin", "/proc/self/fd"];
    if !opened.iter().any(|name| path.starts_with(name)) {
        check_regular(path)?;
    }
    let mut text = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        return Err(ErrorKind::FileTooLarge.into());
    }
    String::from_utf8(text).map_err(|_| std::io::Error::other("it is not text in UTF-8"))
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| {
        Error::new(Fault::Output, format!("could not remove {}: {error}", path.display())).at(path)
    })
}

/// The error for a picture, a video or a sound that cannot be read.
pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Fault::Picture, format!("could not read {}: {}", path.display(), reason(&error)))
        .at(path)
}
