//! Downloads networks from the catalogue into the store.

use std::fs;
use std::path::Path;

use sha1::Sha1;

use super::Store;
use super::manifest::Manifest;
use crate::built_in::BUILT_IN;
use crate::catalogue::{Checksum, KnownNetwork, Source, catalogue, known};
use crate::digest::{self, sha256};
use crate::download::{Archive, Patience, download};
use crate::error::ModelError;
use crate::event::OnEvent;

/// The file name of a licence's text in archives.
const LICENCE: &str = "LICENSE";

/// What [`Store::pull`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Downloaded and installed the network.
    Downloaded,
    /// Found the network installed and intact.
    AlreadyThere,
}

impl Store {
    /// Downloads and installs a network of the catalogue, from its URL or from a mirror's. Resumes a
    /// download that an earlier call left unfinished.
    ///
    /// # Errors
    /// [`ModelError::NotInCatalogue`]; [`ModelError::Cancelled`] and [`ModelError::BrokeOff`], which keep
    /// the unfinished download; other errors of the connection; [`ModelError::Checksum`] and
    /// [`ModelError::Archive`], which delete it.
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
            return Err(ModelError::NotInCatalogue {
                name: name.to_owned(),
                catalogue: downloads.map(|known| known.name.to_owned()).collect(),
            });
        };
        self.pull_from(known, source, mirror, Patience::default(), on_event)
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

        let installed = self.install(known, source, part.path(), url);
        if !matches!(installed, Err(ModelError::File { .. })) {
            part.remove()?;
        }
        installed.map(|()| Pulled::Downloaded)
    }

    /// Installs a network from the file downloaded from `url`.
    fn install(
        &self,
        known: &KnownNetwork,
        source: &Source,
        downloaded: &Path,
        url: &str,
    ) -> Result<(), ModelError> {
        let stage = self.stage(known.name)?;
        let file = stage.path().join(known.file);
        if source.members.is_empty() {
            fs::rename(downloaded, &file).map_err(ModelError::file(downloaded))?;
        } else {
            let mut archive = Archive::open(downloaded)?;
            for name in source.members {
                archive.unpack(name, source.member_limit(), &stage.path().join(name))?;
            }
        }
        if let Some(sha256) = known.file_sha256 {
            check(&file, Checksum::Sha256(sha256), url)?;
        }
        let manifest = Manifest {
            file: known.file.to_owned(),
            sha256: sha256(&file).map_err(ModelError::file(&file))?,
            source: url.to_owned(),
            licence: Some(source.licence.to_owned()),
            licence_file: source.members.contains(&LICENCE).then(|| LICENCE.to_owned()),
            input: None,
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

/// Verifies the checksum of a file downloaded from `url`.
///
/// # Errors
/// [`ModelError::Checksum`] if it is wrong.
fn check(path: &Path, checksum: Checksum, url: &str) -> Result<(), ModelError> {
    let (kind, expected) = checksum.parts();
    let actual = match checksum {
        Checksum::Sha256(_) => sha256(path),
        Checksum::Sha1(_) => digest::hash::<Sha1>(path),
    };
    let actual = actual.map_err(ModelError::file(path))?;
    if actual == expected {
        return Ok(());
    }
    Err(ModelError::Checksum { url: url.to_owned(), kind, expected: expected.to_owned(), actual })
}
