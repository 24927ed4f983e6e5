//! A download that is not finished: the bytes so far, and what is needed to go on with them.
//!
//! Two files: `NAME.part` holds the bytes, `NAME.part.toml` says of which version of which address
//! they are the beginning. Without the second the first is worth nothing, because a file may have
//! changed on the server in between.

use std::fs;
#[cfg(feature = "download")]
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[cfg(feature = "download")]
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Where an unfinished download lies.
pub(crate) struct Part {
    data: PathBuf,
    state: PathBuf,
}

impl Part {
    /// The unfinished download of `name` in `folder`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        Self {
            data: folder.join(format!("{name}.part")),
            state: folder.join(format!("{name}.part.toml")),
        }
    }

    /// How many bytes are there.
    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.data).map_or(0, |data| data.len())
    }

    /// Forgets the download. The state goes first, so that bytes never stand under a state that is
    /// not theirs.
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

/// Of what the bytes are the beginning.
#[cfg(feature = "download")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// The address asked for (not where it led).
    pub(crate) url: String,
    /// What tells this version from others: a strong ETag, or else the time of its last change.
    pub(crate) validator: String,
    /// The length of the whole, in bytes, if the server told.
    pub(crate) total: Option<u64>,
}

#[cfg(feature = "download")]
impl Part {
    /// The file with the bytes.
    pub(crate) fn path(&self) -> &Path {
        &self.data
    }

    /// What is known of the bytes, if they are a beginning of what `url` gives.
    pub(crate) fn state(&self, url: &str) -> Option<PartState> {
        let state: PartState = toml::from_str(&fs::read_to_string(&self.state).ok()?).ok()?;
        (state.url == url).then_some(state)
    }

    /// Opens the file to go on after what is there.
    pub(crate) fn append(&self) -> Result<File, ModelError> {
        OpenOptions::new().append(true).open(&self.data).map_err(ModelError::file(&self.data))
    }

    /// Begins anew, with no bytes. Without a `state` this download cannot be gone on with.
    pub(crate) fn restart(&self, state: Option<&PartState>) -> Result<File, ModelError> {
        self.remove()?;
        let file = File::create(&self.data).map_err(ModelError::file(&self.data))?;
        if let Some(text) = state.and_then(|state| toml::to_string(state).ok()) {
            fs::write(&self.state, text).map_err(ModelError::file(&self.state))?;
        }
        Ok(file)
    }
}
