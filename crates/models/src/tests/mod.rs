//! The store against a server on this machine, with small files in the place of networks.

mod download;
mod install;
mod names;
mod zipped;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::download::Patience;
use crate::{Checksum, KnownNetwork, ModelError, OnEvent, Pulled, Source, Store, StoreEvent};

/// The file that a test's server has.
const WHOLE: &[u8] = b"the weights of a very small network, far too short to dream with";

/// A store in an empty folder.
fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    (folder, store)
}

/// `attempts` in a row, without waiting.
fn patience(attempts: u32) -> Patience {
    Patience { attempts, pause: Duration::ZERO, silence: Duration::from_secs(20) }
}

/// Tells nobody.
fn quietly(_: StoreEvent) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The checksum of `data`, as long-lived as those of the known networks.
fn sha256(data: &[u8]) -> &'static str {
    let digits: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.leak()
}

/// A network `small` that is the file with this checksum, of at most 1000 bytes.
fn small(checksum: &'static str) -> (KnownNetwork, Source) {
    let network = KnownNetwork {
        name: "small",
        title: "Small",
        description: "A network for tests.",
        source: None,
        file: "small.bin",
        file_sha256: None,
        input: graph::InputSpec::default(),
        labels_file: None,
        marks: &["none"],
        layers: &[],
    };
    let source = Source {
        url: "http://nowhere.invalid/",
        checksum: Checksum::Sha256(checksum),
        members: &[],
        bytes: 500,
        licence: "CC0-1.0",
    };
    (network, source)
}

/// Pulls [`WHOLE`] from `url`.
fn pull(store: &Store, url: &str, attempts: u32) -> Result<Pulled, ModelError> {
    pull_and_tell(store, url, patience(attempts), &mut quietly)
}

/// Pulls [`WHOLE`] from `url` and tells of it.
fn pull_and_tell(
    store: &Store,
    url: &str,
    patience: Patience,
    on_event: OnEvent,
) -> Result<Pulled, ModelError> {
    let (network, source) = small(sha256(WHOLE));
    store.pull_from(&network, &source, Some(url), patience, on_event)
}

/// The model file that is installed as `small`, if one is.
fn installed(folder: &TempDir) -> Option<Vec<u8>> {
    fs::read(folder.path().join("models/small/small.bin")).ok()
}

/// The bytes of the unfinished download, if there is one.
fn part(folder: &TempDir) -> Option<Vec<u8>> {
    fs::read(folder.path().join("downloads/small.part")).ok()
}

/// The names in a folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
