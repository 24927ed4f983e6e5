//! Which network is used where none is named: a name in the store's file `default`.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use super::{PREFERRED, Store};
use crate::built_in::BUILT_IN;
use crate::catalogue::known;
use crate::error::ModelError;
use crate::event::OnEvent;

/// The longest a name can be, with a line break.
const MAX_NAME: u64 = 66;

impl Store {
    /// The name of the network that is used where none is named: the one that was
    /// [chosen](Self::set_default), as long as it is installed; otherwise Inception5h if it is installed, or
    /// the built-in one.
    pub fn default_network(&self) -> String {
        match self.chosen() {
            Some(name) if name == BUILT_IN || self.is_installed(&name) => name,
            _ if self.is_installed(PREFERRED) => PREFERRED.to_owned(),
            _ => BUILT_IN.to_owned(),
        }
    }

    /// Chooses the network that is used where none is named.
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] or [`ModelError::Unknown`] if it is not installed;
    /// [`ModelError::Cancelled`].
    pub fn set_default(&self, name: &str, on_event: OnEvent) -> Result<(), ModelError> {
        if name != BUILT_IN && !self.is_installed(name) {
            return Err(match known(name) {
                Some(_) => ModelError::NotInstalled { name: name.to_owned() },
                None => ModelError::Unknown { name: name.to_owned(), nearest: self.nearest(name)? },
            });
        }
        let _lock = self.lock(on_event)?;
        let path = self.default_file();
        let stage = self.stage("default")?;
        let staged = stage.path().join("default");
        fs::write(&staged, format!("{name}\n")).map_err(ModelError::file(&staged))?;
        fs::rename(&staged, &path).map_err(ModelError::file(&path))
    }

    /// Chooses no network, if `name` was the chosen one.
    pub(super) fn forget_default(&self, name: &str) -> Result<(), ModelError> {
        if self.chosen().as_deref() != Some(name) {
            return Ok(());
        }
        match fs::remove_file(self.default_file()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ModelError::file(self.default_file())(error))
            }
            _ => Ok(()),
        }
    }

    /// The name in the file, if there is one.
    fn chosen(&self) -> Option<String> {
        let path = self.default_file();
        if !path.is_file() {
            return None;
        }
        let mut name = String::new();
        File::open(path).ok()?.take(MAX_NAME).read_to_string(&mut name).ok()?;
        Some(name.trim().to_owned())
    }

    fn default_file(&self) -> PathBuf {
        self.root.join("default")
    }
}
