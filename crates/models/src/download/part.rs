//! An unfinished download on disk.
//!
//! `NAME.part` holds the bytes so far; `NAME.part.toml` identifies the file they belong to. Without the
//! second, the first is useless: the file may have changed on the server since.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::ModelError;

/// The two files of an unfinished download.
pub(crate) struct Part {
    pub(super) data: PathBuf,
    pub(super) state: PathBuf,
}

impl Part {
    /// The unfinished download of `name` in `folder`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        Self {
            data: folder.join(format!("{name}.part")),
            state: folder.join(format!("{name}.part.toml")),
        }
    }

    /// How many bytes there are so far.
    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.data).map_or(0, |data| data.len())
    }

    /// Deletes the download. The state goes first, so that it never describes the bytes of another file.
    pub(crate) fn remove(&self) -> Result<(), ModelError> {
        for path in [&self.state, &self.data] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(ModelError::file(path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
