//! Puts networks into the store: fetched by [`Store::pull`], or copied by [`Store::add`].
//!
//! Both put the network together in a staging folder and rename that into place when it is whole and
//! checked.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use graph::Network;
use import::Checksum;

use super::archive::Archive;
use super::digest::{check, sha256};
use super::download::{OnEvent, Patience, download};
use super::manifest::{Input, Manifest, Order, read_text};
use super::{Package, Store, StoreError, check_name};

/// What a licence's text is called in the archives.
const LICENCE: &str = "LICENSE";

/// What [`Store::pull`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// The network came.
    Fetched,
    /// It was installed and as it should be.
    AlreadyThere,
}

/// A network to copy into the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addition {
    /// The model file; a `.prototxt` has its `.caffemodel` beside it under the same name.
    pub(crate) file: PathBuf,
    /// What to call it; by default what the file is called.
    pub(crate) name: Option<String>,
    /// The order in which it takes the colours, if not the one the file's reader says.
    pub(crate) channel_order: Option<Order>,
    /// Subtracted from each channel, likewise.
    pub(crate) mean: Option<[f32; 3]>,
    /// Multiplied with each channel after that, likewise.
    pub(crate) scale: Option<[f32; 3]>,
    /// A file with the names of its classes, one a line.
    pub(crate) labels: Option<PathBuf>,
}

impl Addition {
    /// What is to be noted of the input, where the reader says `reader`.
    fn input(&self, reader: Input) -> Option<Input> {
        let given = Input {
            channel_order: self.channel_order.unwrap_or(reader.channel_order),
            mean: self.mean.unwrap_or(reader.mean),
            scale: self.scale.unwrap_or(reader.scale),
        };
        (given != reader).then_some(given)
    }
}

impl Store {
    /// Fetches a network from its address, or from a mirror (`from`), going on from what an earlier
    /// call left. What comes is installed only if its checksum is right.
    ///
    /// # Errors
    /// Those of the download, [`StoreError::Checksum`] and [`StoreError::Archive`]. After a wrong
    /// checksum nothing is left.
    pub(crate) fn pull(
        &self,
        package: &Package,
        from: Option<&str>,
        patience: Patience,
        on_event: OnEvent,
    ) -> Result<Pulled, StoreError> {
        let _lock = self.lock(on_event)?;
        if self.is_whole(package.name) {
            return Ok(Pulled::AlreadyThere);
        }
        let url = from.unwrap_or(package.url);
        let part = self.part(package.name);
        download(url, &part, package.limit(), patience, on_event)?;
        if let Err(error) = check(part.path(), package.checksum, url) {
            part.remove()?;
            return Err(error);
        }

        let installed = self.install(package, part.path(), url);
        if !matches!(installed, Err(StoreError::File { .. })) {
            part.remove()?;
        }
        installed.map(|()| Pulled::Fetched)
    }

    /// Installs a package from the file that its address gave.
    fn install(&self, package: &Package, fetched: &Path, url: &str) -> Result<(), StoreError> {
        let stage = self.stage(package.name)?;
        let file = stage.path().join(package.file);
        if package.members.is_empty() {
            fs::rename(fetched, &file).map_err(StoreError::file(fetched))?;
        } else {
            let mut archive = Archive::open(fetched)?;
            for name in package.members {
                archive.unpack(name, package.member_limit(), &stage.path().join(name))?;
            }
        }
        if let Some(sha256) = package.file_sha256 {
            check(&file, Checksum::Sha256(sha256), url)?;
        }
        let manifest = Manifest {
            file: package.file.to_owned(),
            sha256: sha256(&file)?,
            source: url.to_owned(),
            licence: Some(package.licence.to_owned()),
            licence_file: package
                .members
                .iter()
                .find(|name| **name == LICENCE)
                .map(|name| name.to_string()),
            input: None,
        };
        manifest.write(stage.path())?;
        self.place(stage.path(), package.name)
    }

    /// Copies a model file into the store, after checking that it can be loaded. Gives its name there.
    ///
    /// # Errors
    /// [`StoreError::Load`] if it cannot be used, [`StoreError::Taken`] and [`StoreError::Name`].
    pub(crate) fn add(&self, addition: &Addition, on_event: OnEvent) -> Result<String, StoreError> {
        let path = &addition.file;
        let name = match &addition.name {
            Some(name) => name.clone(),
            None => name_of(path),
        };
        check_name(&name)?;
        if !path.is_file() {
            return Err(StoreError::NoFile { path: path.clone() });
        }
        let load = |file: &Path| {
            import::load(file).map_err(|source| StoreError::Load { path: path.clone(), source })
        };
        load(path)?;

        let _lock = self.lock(on_event)?;
        if name == import::BUILT_IN || Package::known(&name).is_some() || self.is_installed(&name) {
            return Err(StoreError::Taken { name });
        }
        let stage = self.stage(&name)?;
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or("model");
        let file = stage.path().join(format!("{name}.{extension}"));
        copy(path, &file)?;
        let weights = path.with_extension("caffemodel");
        if weights != *path && weights.is_file() {
            copy(&weights, &file.with_extension("caffemodel"))?;
        }
        if let Some(labels) = &addition.labels {
            copy(labels, &file.with_extension("labels.txt"))?;
        }
        // The copy, not the original, is what will be dreamt with.
        let network = load(&file)?;
        if let Some(labels) = &addition.labels {
            check_labels(labels, &network)?;
        }
        let manifest = Manifest {
            sha256: sha256(&file)?,
            file: format!("{name}.{extension}"),
            source: std::path::absolute(path)
                .map_err(StoreError::file(path))?
                .display()
                .to_string(),
            licence: None,
            licence_file: None,
            input: addition.input(network.input.into()),
        };
        manifest.write(stage.path())?;
        self.place(stage.path(), &name)?;
        Ok(name)
    }

    /// Whether an installed network's model file is still the one that was installed.
    fn is_whole(&self, name: &str) -> bool {
        self.is_installed(name)
            && self.manifest(name).is_ok_and(|manifest| {
                sha256(&self.folder(name).join(&manifest.file))
                    .is_ok_and(|actual| actual == manifest.sha256)
            })
    }

    /// Renames a staged folder to the network's own, in the place of a broken one if there is one.
    fn place(&self, staged: &Path, name: &str) -> Result<(), StoreError> {
        let folder = self.folder(name);
        let trash = self.stage(name)?;
        if folder.exists() {
            fs::rename(&folder, trash.path().join(name)).map_err(StoreError::file(&folder))?;
        }
        fs::rename(staged, &folder).map_err(StoreError::file(&folder))
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(StoreError::file(from))?;
    let mut target = File::create(to).map_err(StoreError::file(to))?;
    io::copy(&mut source, &mut target).map_err(StoreError::file(to))?;
    target.sync_all().map_err(StoreError::file(to))
}

/// The reader leaves out a list that does not fit the network; here that is an error.
fn check_labels(labels: &Path, network: &Network) -> Result<(), StoreError> {
    let text = read_text(labels)?;
    if text.lines().map(str::trim).eq(&network.labels) {
        return Ok(());
    }
    Err(StoreError::Labels { path: labels.to_owned(), lines: text.lines().count() })
}

/// A file's name as a network's: lower case, and `-` for what a name cannot have.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let letter = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    stem.unwrap_or_default().chars().map(letter).collect()
}
