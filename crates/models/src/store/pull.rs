//! Brings networks of the catalogue into the store, from their address, a mirror's, or a file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tempfile::TempDir;

use super::install::copy;
use super::manifest::Manifest;
use super::{Store, nearest_of};
use crate::built_in::BUILT_IN;
use crate::catalogue::{Checksum, KnownNetwork, Source, catalogue, known};
use crate::digest::sha256;
use crate::download::{Archive, Patience, download};
use crate::error::ModelError;
use crate::event::OnEvent;
use crate::load::load;

/// The file name of a licence's text in archives.
const LICENCE: &str = "LICENSE";

/// What [`Store::pull`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Downloaded the network, or took it from a file, and installed it.
    Downloaded,
    /// Found the network installed and intact.
    AlreadyThere,
}

impl Store {
    /// Downloads and installs a network of the catalogue, from its URL or from a mirror's. Resumes a
    /// download that an earlier call left unfinished. A mirror without `://` is the published file on this
    /// machine, or the model file out of it.
    ///
    /// # Errors
    /// [`ModelError::NotInCatalogue`]; [`ModelError::NoFile`] and [`ModelError::NotPublished`] for a file;
    /// [`ModelError::Cancelled`] and [`ModelError::BrokeOff`], which keep the unfinished download; other errors
    /// of the connection; [`ModelError::Checksum`], [`ModelError::Archive`] and, of what has no published
    /// checksum, [`ModelError::Load`], which delete it.
    pub fn pull(
        &self,
        name: &str,
        mirror: Option<&str>,
        on_event: OnEvent,
    ) -> Result<Pulled, ModelError> {
        if name == BUILT_IN {
            return Ok(Pulled::AlreadyThere);
        }
        let Some((known, source)) =
            known(name).and_then(|known| Some((known, known.source.as_ref()?)))
        else {
            let downloads = catalogue().iter().filter(|known| known.source.is_some());
            let names = downloads.map(|known| known.name.to_owned()).collect();
            return Err(ModelError::NotInCatalogue {
                name: name.to_owned(),
                nearest: nearest_of(names, name),
            });
        };
        match mirror {
            Some(mirror) if !mirror.contains("://") || mirror.starts_with("file://") => {
                let path = Path::new(mirror.strip_prefix("file://").unwrap_or(mirror));
                self.pull_file(known, source, path, on_event)
            }
            _ => self.pull_from(known, source, mirror, Patience::default(), on_event),
        }
    }

    /// Installs a known network from a file on this machine: the published file itself, or the model file
    /// extracted from it.
    pub(crate) fn pull_file(
        &self,
        known: &KnownNetwork,
        source: &Source,
        path: &Path,
        on_event: OnEvent,
    ) -> Result<Pulled, ModelError> {
        if !path.is_file() {
            if path.exists() && !path.is_dir() {
                let source = io::Error::other("it is a device or a pipe, not a file");
                return Err(ModelError::File { path: path.to_owned(), source });
            }
            return Err(ModelError::NoFile { path: path.to_owned() });
        }
        let _lock = self.lock(on_event)?;
        if self.is_whole(known.name) {
            return Ok(Pulled::AlreadyThere);
        }
        let origin = std::path::absolute(path).map_err(ModelError::file(path))?;
        let origin = origin.display().to_string();
        let published = check(path, source.checksum, &origin);
        if published.is_ok() {
            self.install(known, source, path, &origin, copy)?;
            return Ok(Pulled::Downloaded);
        }
        let model = known.file_sha256.map(|sum| check(path, Checksum::Sha256(sum), &origin));
        if !matches!(model, Some(Ok(()))) {
            // A file that is not an archive can only be the model.
            let wrong = match (is_zip(path), model) {
                (false, Some(model)) => model,
                _ => published,
            };
            wrong.map_err(|error| match error {
                ModelError::Checksum { kind, expected, actual, .. } => ModelError::NotPublished {
                    path: path.to_owned(),
                    name: known.name.to_owned(),
                    kind,
                    expected,
                    actual,
                },
                error => error,
            })?;
        }
        let stage = self.stage(known.name)?;
        copy(path, &stage.path().join(known.file))?;
        // Class names and the licence may have been extracted next to the model.
        for member in source.members.iter().filter(|member| **member != known.file) {
            let beside = path.with_file_name(member);
            if beside.is_file() {
                copy(&beside, &stage.path().join(member))?;
            }
        }
        self.finish(known, source, &stage, &origin)?;
        Ok(Pulled::Downloaded)
    }

    pub(crate) fn pull_from(
        &self,
        known: &KnownNetwork,
        source: &Source,
        mirror: Option<&str>,
        patience: Patience,
        on_event: OnEvent,
    ) -> Result<Pulled, ModelError> {
        let _lock = self.lock(on_event)?;
        if self.is_whole(known.name) {
            return Ok(Pulled::AlreadyThere);
        }
        let url = mirror.unwrap_or(source.url);
        let part = self.part(known.name);
        download(url, &part, source.limit(), patience, on_event)?;
        if let Err(error) = check(part.path(), source.checksum, url) {
            part.remove()?;
            return Err(error);
        }

        let take = |from: &Path, to: &Path| fs::rename(from, to).map_err(ModelError::file(from));
        let installed = self.install(known, source, part.path(), url, take);
        if !matches!(installed, Err(ModelError::File { .. })) {
            part.remove()?;
        }
        installed.map(|()| Pulled::Downloaded)
    }

    /// Installs a network from its published file, which came from `url`; `take` brings that into the store
    /// where it is the model itself.
    fn install(
        &self,
        known: &KnownNetwork,
        source: &Source,
        downloaded: &Path,
        url: &str,
        take: impl FnOnce(&Path, &Path) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let stage = self.stage(known.name)?;
        let file = stage.path().join(known.file);
        if source.members.is_empty() {
            take(downloaded, &file)?;
        } else {
            let mut archive = Archive::open(downloaded)?;
            for name in source.members {
                archive.unpack(name, source.member_limit(), &stage.path().join(name))?;
            }
        }
        if let Some(sha256) = known.file_sha256 {
            check(&file, Checksum::Sha256(sha256), url)?;
        }
        self.finish(known, source, &stage, url)
    }

    /// Writes the manifest of a network whose files are staged, and puts it in its place. Without a checksum,
    /// the model has to load: it could be a page that says where the file has gone.
    fn finish(
        &self,
        known: &KnownNetwork,
        source: &Source,
        stage: &TempDir,
        url: &str,
    ) -> Result<(), ModelError> {
        let file = stage.path().join(known.file);
        if source.checksum == Checksum::NotPublished && known.file_sha256.is_none() {
            load(&file).map_err(|error| match error {
                ModelError::Load { source, .. } => ModelError::Load { path: url.into(), source },
                error => error,
            })?;
        }
        let licence_file =
            source.members.contains(&LICENCE) && stage.path().join(LICENCE).is_file();
        let manifest = Manifest {
            file: known.file.to_owned(),
            sha256: sha256(&file).map_err(ModelError::file(&file))?,
            source: url.to_owned(),
            licence: Some(source.licence.to_owned()),
            licence_file: licence_file.then(|| LICENCE.to_owned()),
            // What the file's layers do not tell.
            input: known.marks.is_empty().then(|| known.input.into()),
        };
        manifest.write(stage.path())?;
        self.place(stage.path(), known.name)
    }

    /// Whether a network is installed and its model file is unchanged since.
    fn is_whole(&self, name: &str) -> bool {
        self.is_installed(name)
            && self.manifest(name).is_ok_and(|manifest| {
                sha256(&self.folder(name).join(&manifest.file))
                    .is_ok_and(|actual| actual == manifest.sha256)
            })
    }
}

/// Whether a file begins as a zip archive does.
fn is_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"PK\x03\x04"
}

/// Verifies the checksum of a file downloaded from `url`.
///
/// # Errors
/// [`ModelError::Checksum`] if it is wrong.
fn check(path: &Path, checksum: Checksum, url: &str) -> Result<(), ModelError> {
    let Some((kind, digits)) = checksum.parts() else { return Ok(()) };
    let actual = sha256(path).map_err(ModelError::file(path))?;
    let (fits, expected) = match checksum {
        Checksum::Sha256Start(_) => (actual.starts_with(digits), format!("{digits}…")),
        _ => (actual == digits, digits.to_owned()),
    };
    if fits {
        return Ok(());
    }
    Err(ModelError::Checksum { url: url.to_owned(), kind, expected, actual })
}
