//! The store: the networks that were downloaded or added, in the user's data folder.
//!
//! ```text
//! models/NAME/manifest.toml   one folder for each network: its manifest, model, labels and licence
//! models/.staging/            networks under construction, renamed into place when complete
//! models/.lock                held during every change
//! default                     the name of the network to use where none is named, if one was chosen
//! downloads/NAME.part         unfinished downloads
//! ```
//!
//! A network is either complete or absent. So readers need no lock, and a killed program leaves nothing
//! behind but an unfinished download, which the next one resumes.

mod default;
mod install;
mod manifest;
#[cfg(feature = "download")]
mod pull;

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use graph::Network;

use crate::built_in::{self, BUILT_IN};
use crate::catalogue::{catalogue, known};
use crate::download::Part;
use crate::error::ModelError;
use crate::event::{EVENT_INTERVAL, OnEvent, StoreEvent, tell};
use crate::load::load;

pub use install::Addition;
pub use manifest::Manifest;
#[cfg(feature = "download")]
pub use pull::Pulled;

/// The environment variable that overrides the store's folder.
pub const HOME: &str = "DEEPDREAM_HOME";

/// The default network, if it is installed and no other was chosen.
pub const PREFERRED: &str = "inception5h";

/// A folder of networks.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Where a network was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the program.
    BuiltIn,
    /// In the store.
    Installed,
    /// In this file.
    File(PathBuf),
}

impl Store {
    /// This user's store. Its folder is created when the first network is installed.
    ///
    /// # Errors
    /// [`ModelError::NoHome`] if `DEEPDREAM_HOME` is not set and the user has no home folder.
    pub fn open() -> Result<Self, ModelError> {
        if let Some(root) = std::env::var_os(HOME).filter(|root| !root.is_empty()) {
            return Ok(Self::at(root));
        }
        let folders =
            etcetera::base_strategy::choose_native_strategy().map_err(|_| ModelError::NoHome)?;
        Ok(Self::at(folders.data_dir().join("deepdream")))
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store in the folder `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Loads a network by name, or from the file at a path. `None` loads the [default](Self::default_network).
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] for a network that is in the catalogue only, [`ModelError::Unknown`]
    /// with the most similar names, [`ModelError::NoFile`] for what looks like a path, and
    /// [`ModelError::Load`] or [`ModelError::Installed`] for a file that cannot be used.
    pub fn resolve(&self, wanted: Option<&str>) -> Result<(Network, Origin), ModelError> {
        let default = self.default_network();
        let wanted = wanted.unwrap_or(&default);
        if wanted == BUILT_IN {
            return Ok((built_in::network()?, Origin::BuiltIn));
        }
        if self.is_installed(wanted) {
            let folder = self.folder(wanted);
            let network = Manifest::read(&folder, wanted)?.load(&folder, wanted)?;
            return Ok((network, Origin::Installed));
        }
        if known(wanted).is_some() {
            return Err(ModelError::NotInstalled { name: wanted.to_owned() });
        }
        let path = Path::new(wanted);
        if path.exists() {
            return Ok((load(path)?, Origin::File(path.to_owned())));
        }
        let nearest = self.nearest(wanted)?;
        if nearest.is_empty() && (path.components().count() > 1 || path.extension().is_some()) {
            return Err(ModelError::NoFile { path: path.to_owned() });
        }
        Err(ModelError::Unknown { name: wanted.to_owned(), nearest })
    }

    /// Loads a network by its name, which somebody else has chosen: it is never a path.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), with [`ModelError::Unknown`] for what only a path could be.
    pub fn resolve_name(&self, name: &str) -> Result<Network, ModelError> {
        if name != BUILT_IN && !self.is_installed(name) && known(name).is_none() {
            return Err(ModelError::Unknown {
                name: name.to_owned(),
                nearest: self.nearest(name)?,
            });
        }
        Ok(self.resolve(Some(name))?.0)
    }

    /// Whether a network of this name is installed.
    pub fn is_installed(&self, name: &str) -> bool {
        check_name(name).is_ok() && self.folder(name).join(manifest::MANIFEST).is_file()
    }

    /// The names of all installed networks, sorted.
    pub fn installed(&self) -> Result<Vec<String>, ModelError> {
        let models = self.models();
        let entries = match fs::read_dir(&models) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(ModelError::file(&models))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(ModelError::file(&models))?;
            names.extend(
                entry.file_name().into_string().ok().filter(|name| self.is_installed(name)),
            );
        }
        names.sort();
        Ok(names)
    }

    /// The manifest of an installed network.
    pub fn manifest(&self, name: &str) -> Result<Manifest, ModelError> {
        Manifest::read(&self.folder(name), name)
    }

    /// The folder of an installed network.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.models().join(name)
    }

    /// The size of an installed network on disk, in bytes.
    pub fn size(&self, name: &str) -> Result<u64, ModelError> {
        let folder = self.folder(name);
        size_of(&folder).map_err(ModelError::file(folder))
    }

    /// Removes an installed network and any unfinished download of it.
    ///
    /// # Errors
    /// [`ModelError::BuiltIn`]; [`ModelError::NotInstalled`] or [`ModelError::Unknown`] if there is nothing
    /// to remove; [`ModelError::Cancelled`].
    pub fn remove(&self, name: &str, on_event: OnEvent) -> Result<(), ModelError> {
        if name == BUILT_IN {
            return Err(ModelError::BuiltIn { name: name.to_owned() });
        }
        check_name(name)?;
        if !self.is_installed(name) && self.part(name).len() == 0 {
            return Err(match known(name) {
                Some(_) => ModelError::NotInstalled { name: name.to_owned() },
                None => ModelError::Unknown { name: name.to_owned(), nearest: self.nearest(name)? },
            });
        }
        let _lock = self.lock(on_event)?;
        self.part(name).remove()?;
        if self.is_installed(name) {
            let trash = self.stage(name)?;
            let folder = self.folder(name);
            fs::rename(&folder, trash.path().join(name)).map_err(ModelError::file(&folder))?;
        }
        self.forget_default(name)
    }

    fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    fn part(&self, name: &str) -> Part {
        Part::new(&self.root.join("downloads"), name)
    }

    /// Waits for the lock on the store. Dropping the file releases it.
    fn lock(&self, on_event: OnEvent) -> Result<File, ModelError> {
        for folder in [self.models(), self.root.join("downloads")] {
            fs::create_dir_all(&folder).map_err(ModelError::file(&folder))?;
        }
        let path = self.models().join(".lock");
        // Nothing is emptied, whatever the name may lead to.
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(ModelError::file(&path))?;
        while let Err(error) = file.try_lock() {
            match error {
                TryLockError::WouldBlock => tell(on_event, StoreEvent::Waiting)?,
                TryLockError::Error(error) => return Err(ModelError::file(&path)(error)),
            }
            std::thread::sleep(EVENT_INTERVAL);
        }
        // Only a killed program leaves anything here.
        match fs::remove_dir_all(self.staging()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ModelError::file(self.staging())(error))
            }
            _ => Ok(file),
        }
    }

    fn staging(&self) -> PathBuf {
        self.models().join(".staging")
    }

    /// A new temporary folder on the store's disk.
    fn stage(&self, name: &str) -> Result<tempfile::TempDir, ModelError> {
        let staging = self.staging();
        fs::create_dir_all(&staging).map_err(ModelError::file(&staging))?;
        let prefix = format!("{name}-");
        tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&staging)
            .map_err(ModelError::file(staging))
    }

    /// The installed and known names most similar to `wanted`.
    fn nearest(&self, wanted: &str) -> Result<Vec<String>, ModelError> {
        let mut names = self.installed()?;
        names.extend(catalogue().iter().map(|known| known.name.to_owned()));
        Ok(nearest_of(names, wanted))
    }
}

/// The three names most similar to `wanted`, if any are.
fn nearest_of(names: Vec<String>, wanted: &str) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<(f64, String)> = names
        .into_iter()
        .map(|name| (1.0 - strsim::jaro_winkler(&wanted, &name), name))
        .filter(|(distance, _)| *distance < 0.25)
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    ranked.dedup();
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Names are folder names: short, lower case, valid on every file system, and confined to the store.
pub(crate) fn check_name(name: &str) -> Result<(), ModelError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: u8| letter(byte) || matches!(byte, b'.' | b'_' | b'-');
    let good =
        name.len() <= 64 && name.bytes().next().is_some_and(letter) && name.bytes().all(rest);
    if good { Ok(()) } else { Err(ModelError::Name { name: name.to_owned() }) }
}

/// Bytes of all files in a folder and the folders in it.
fn size_of(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => size_of(&entry.path()),
                false => entry.metadata().map(|file| file.len()),
            }
        })
        .sum()
}
