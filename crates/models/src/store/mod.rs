//! The networks on this machine: those that were downloaded or added, in the user's data folder.
//!
//! ```text
//! models/NAME/manifest.toml   one folder for each network: the model file, its labels and licence,
//!                             and what the store knows of it
//! models/.staging/            networks that are being put together; renamed into place when whole
//! models/.lock                held while anything changes
//! downloads/NAME.part         downloads that are not finished
//! ```
//!
//! A network is there whole or not at all: readers need no lock, and a killed program leaves nothing
//! but a part to go on with.

mod install;
mod manifest;
#[cfg(feature = "download")]
mod pull;

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use graph::Network;

use crate::download::Part;
use crate::{BUILT_IN, ModelError, catalogue, known, load, open};

pub use install::Addition;
pub use manifest::Manifest;
#[cfg(feature = "download")]
pub use pull::Pulled;

/// The environment variable that names the store's folder, instead of the platform's data folder.
pub const HOME: &str = "DEEPDREAM_HOME";

/// The network that is used where none is named, if it is installed.
pub const PREFERRED: &str = "inception5h";

/// The store's folder.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What a change of the store is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent {
    /// It waits for another program that is changing the store.
    Waiting,
    /// It asks a server for a file, or waits before it asks again.
    Connecting,
    /// It downloads a file.
    Downloading {
        /// Bytes that are there, those of earlier attempts included.
        done: u64,
        /// Bytes of the whole, if the server told.
        total: Option<u64>,
    },
}

/// Told of every event, several times a second. [`ControlFlow::Break`] cancels the change of the store,
/// which then ends with [`ModelError::Cancelled`].
pub type OnEvent<'a> = &'a mut dyn FnMut(StoreEvent) -> ControlFlow<()>;

/// How long nothing may be told.
pub(crate) const EVENT_INTERVAL: Duration = Duration::from_millis(100);

/// Tells of an event.
///
/// # Errors
/// [`ModelError::Cancelled`] if the caller does not want to go on.
pub(crate) fn tell(on_event: OnEvent, event: StoreEvent) -> Result<(), ModelError> {
    match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Cancelled),
    }
}

/// Where a network was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the program itself.
    BuiltIn,
    /// In the store.
    Installed,
    /// In a file the user named.
    File(PathBuf),
}

impl Store {
    /// The store of this user. Nothing is made before something is put into it.
    ///
    /// # Errors
    /// [`ModelError::NoHome`] if neither `DEEPDREAM_HOME` nor the platform says where that is.
    pub fn open() -> Result<Self, ModelError> {
        if let Some(root) = std::env::var_os(HOME).filter(|root| !root.is_empty()) {
            return Ok(Self::at(root));
        }
        let folders =
            etcetera::base_strategy::choose_native_strategy().map_err(|_| ModelError::NoHome)?;
        Ok(Self::at(folders.data_dir().join("deepdream")))
    }

    /// The store in the folder `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Loads a network: by name the built-in one or an installed one, or else from a file. Without a
    /// name, Inception5h if it is installed, or else the built-in one.
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] for a known network that is not here, [`ModelError::Unknown`] with
    /// the nearest names, [`ModelError::NoFile`] for what looks like a path, and what the model
    /// file's reader says.
    pub fn resolve(&self, wanted: Option<&str>) -> Result<(Network, Origin), ModelError> {
        let wanted = match wanted {
            Some(wanted) => wanted,
            None if self.is_installed(PREFERRED) => PREFERRED,
            None => BUILT_IN,
        };
        if wanted == BUILT_IN {
            return Ok((open::built_in()?, Origin::BuiltIn));
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
        if path.is_file() {
            return Ok((load(path)?, Origin::File(path.to_owned())));
        }
        let nearest = self.nearest(wanted)?;
        if nearest.is_empty() && (path.components().count() > 1 || path.extension().is_some()) {
            return Err(ModelError::NoFile { path: path.to_owned() });
        }
        Err(ModelError::Unknown { name: wanted.to_owned(), nearest })
    }

    /// Whether a network of that name was downloaded or added.
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

    /// What the store knows of an installed network.
    pub fn manifest(&self, name: &str) -> Result<Manifest, ModelError> {
        Manifest::read(&self.folder(name), name)
    }

    /// The folder of an installed network.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.models().join(name)
    }

    /// How many bytes an installed network takes.
    pub fn size(&self, name: &str) -> Result<u64, ModelError> {
        let folder = self.folder(name);
        let sizes = fs::read_dir(&folder)
            .and_then(|files| files.map(|file| file?.metadata().map(|file| file.len())).sum());
        sizes.map_err(ModelError::file(folder))
    }

    /// Removes an installed network and what is left of a broken download of it.
    ///
    /// # Errors
    /// [`ModelError::BuiltIn`], or [`ModelError::Unknown`] if there is nothing to remove.
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
        Ok(())
    }

    fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    fn part(&self, name: &str) -> Part {
        Part::new(&self.root.join("downloads"), name)
    }

    /// Waits until nobody else changes the store, and keeps others from it as long as the file lives.
    fn lock(&self, on_event: OnEvent) -> Result<File, ModelError> {
        for folder in [self.models(), self.root.join("downloads")] {
            fs::create_dir_all(&folder).map_err(ModelError::file(&folder))?;
        }
        let path = self.models().join(".lock");
        let file = File::create(&path).map_err(ModelError::file(&path))?;
        while let Err(error) = file.try_lock() {
            match error {
                TryLockError::WouldBlock => tell(on_event, StoreEvent::Waiting)?,
                TryLockError::Error(error) => return Err(ModelError::file(&path)(error)),
            }
            std::thread::sleep(EVENT_INTERVAL);
        }
        // Whatever stands here now was left by a program that was killed.
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

    /// A new folder on the store's own disk, removed with all in it when it goes out of scope.
    fn stage(&self, name: &str) -> Result<tempfile::TempDir, ModelError> {
        let staging = self.staging();
        fs::create_dir_all(&staging).map_err(ModelError::file(&staging))?;
        let prefix = format!("{name}-");
        tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&staging)
            .map_err(ModelError::file(staging))
    }

    /// The names most like `wanted`, of all that could have been meant.
    fn nearest(&self, wanted: &str) -> Result<Vec<String>, ModelError> {
        let mut names = self.installed()?;
        names.extend(catalogue().iter().map(|known| known.name.to_owned()));
        let wanted = wanted.to_lowercase();
        let mut ranked: Vec<(f64, String)> = names
            .into_iter()
            .map(|name| (1.0 - strsim::jaro_winkler(&wanted, &name), name))
            .filter(|(distance, _)| *distance < 0.25)
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        ranked.dedup();
        Ok(ranked.into_iter().take(3).map(|(_, name)| name).collect())
    }
}

/// Names are folders: short, lower case, the same on every file system, and no way out of the store.
pub(crate) fn check_name(name: &str) -> Result<(), ModelError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: u8| letter(byte) || matches!(byte, b'.' | b'_' | b'-');
    let good =
        name.len() <= 64 && name.bytes().next().is_some_and(letter) && name.bytes().all(rest);
    if good { Ok(()) } else { Err(ModelError::Name { name: name.to_owned() }) }
}
