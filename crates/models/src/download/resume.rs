//! Resuming an unfinished download, if its bytes are the beginning of the file now on the server.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::error::ModelError;

/// The file whose beginning was downloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// The URL, before any redirects.
    pub(crate) url: String,
    /// What identifies this version of it: a strong ETag, or the time of its last change.
    pub(crate) validator: String,
    /// Its size in bytes, if the server said.
    pub(crate) total: Option<u64>,
}

impl Part {
    /// The file that holds the bytes.
    pub(crate) fn path(&self) -> &Path {
        &self.data
    }

    /// The state of the download, if it is one of `url`.
    pub(crate) fn state(&self, url: &str) -> Option<PartState> {
        let state: PartState = toml::from_str(&fs::read_to_string(&self.state).ok()?).ok()?;
        (state.url == url).then_some(state)
    }

    /// Opens the file for appending.
    pub(crate) fn append(&self) -> Result<File, ModelError> {
        OpenOptions::new().append(true).open(&self.data).map_err(ModelError::file(&self.data))
    }

    /// Starts again with an empty file. Without a `state`, the download cannot be resumed.
    pub(crate) fn restart(&self, state: Option<&PartState>) -> Result<File, ModelError> {
        self.remove()?;
        let file = File::create(&self.data).map_err(ModelError::file(&self.data))?;
        if let Some(text) = state.and_then(|state| toml::to_string(state).ok()) {
            fs::write(&self.state, text).map_err(ModelError::file(&self.state))?;
        }
        Ok(file)
    }
}
