//! The store against a server on this machine, with small files in the place of networks.

mod download;
mod install;
mod names;
mod server;
mod zipped;

use std::fs;
use std::path::Path;
use std::time::Duration;

use import::Checksum;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{Event, OnEvent, Package, Patience, Pulled, Store, StoreError};

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
const QUIETLY: OnEvent = &|_| {};

/// The checksum of `data`, as long-lived as those of the known networks.
fn sha256(data: &[u8]) -> &'static str {
    let digits: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.leak()
}

/// A network `small` that is the file with this checksum, of at most 1000 bytes.
fn package(checksum: &'static str) -> Package {
    Package {
        name: "small",
        url: "http://nowhere.invalid/",
        checksum: Checksum::Sha256(checksum),
        bytes: 500,
        members: &[],
        file: "small.bin",
        file_sha256: None,
        licence: "CC0-1.0",
    }
}

/// Pulls [`WHOLE`] from `url`.
fn pull(store: &Store, url: &str, attempts: u32) -> Result<Pulled, StoreError> {
    store.pull(&package(sha256(WHOLE)), Some(url), patience(attempts), QUIETLY)
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
