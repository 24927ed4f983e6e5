//! The names of a network's layers and classes, for answers while somebody types. A large network takes long to
//! open, so what it was found to have is remembered beside its file once it has been opened.

use std::io::Write;
use std::path::{Path, PathBuf};

use graph::Network;
use models::Store;
use serde::{Deserialize, Serialize};

use crate::inspect::{LayerInfo, layers};
use crate::output::read_text;
use crate::{NetworkChoice, network};

/// The most bytes of a network that is opened for its names.
pub const QUICK: u64 = 64 << 20;

/// The file in an installed network's folder that has its names.
const FILE: &str = "names.json";

/// The most bytes of such a file.
const MOST_BYTES: u64 = 4 << 20;

/// This program's version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What can be named of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkNames {
    /// The program's version: another may read more of a network.
    version: String,
    /// SHA-256 of the network's file, in hexadecimal.
    hash: String,
    /// Its layers, in its order.
    pub layers: Vec<LayerInfo>,
    /// Its classes, by their numbers.
    pub labels: Vec<String>,
}

impl NetworkNames {
    /// Those of a network.
    pub fn of(network: &Network) -> Self {
        let (hash, labels) = (network.hash.clone(), network.labels.clone());
        Self { version: VERSION.to_owned(), hash, layers: layers(network), labels }
    }

    /// What was remembered of an installed network, if that is still the one, and so is the program.
    fn remembered(store: &Store, name: &str) -> Option<Self> {
        if !store.is_installed(name) {
            return None;
        }
        let text = read_text(&path(store, name), MOST_BYTES).ok()?;
        let names: Self = serde_json::from_str(&text).ok()?;
        let is_same = names.version == VERSION && names.hash == store.manifest(name).ok()?.sha256;
        is_same.then_some(names)
    }
}

/// Remembers the names of an installed network that takes long to open. Where they cannot be written, nothing is
/// lost but time.
pub(crate) fn remember(store: &Store, name: &str, network: &Network) {
    let is_large = store.is_installed(name) && store.size(name).is_ok_and(|bytes| bytes > QUICK);
    if is_large && NetworkNames::remembered(store, name).is_none() {
        let _ = write(&path(store, name), &NetworkNames::of(network));
    }
}

fn write(path: &Path, names: &NetworkNames) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(names)?)?;
    file.persist(path)?;
    Ok(())
}

fn path(store: &Store, name: &str) -> PathBuf {
    store.folder(name).join(FILE)
}

impl NetworkChoice {
    /// The names of the network by itself, if that is small enough to be opened for them or has been opened
    /// since it was installed. `None` also for one that is not there.
    pub fn names(&self) -> Option<NetworkNames> {
        if let Some(network) = self.load_within(QUICK) {
            return Some(NetworkNames::of(&network));
        }
        let store = Store::open().ok()?;
        let name = network::name_of(self, Some(&store));
        NetworkNames::remembered(&store, &name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_network_has_is_remembered_until_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        let own = store.folder("large");
        fs::create_dir_all(&own).unwrap();
        let network = models::squeezenet().unwrap();
        let manifest = |hash: &str| {
            let text = format!("file = \"large.pb\"\nsha256 = \"{hash}\"\nsource = \"here\"\n");
            fs::write(own.join("manifest.toml"), text).unwrap();
        };
        manifest(&network.hash);
        let model = fs::File::create(own.join("large.pb")).unwrap();
        model.set_len(QUICK / 2).unwrap();
        remember(&store, "large", &network);
        // It is opened as quickly as that.
        assert_eq!(NetworkNames::remembered(&store, "large"), None);
        model.set_len(2 * QUICK).unwrap();
        remember(&store, "large", &network);
        let names = NetworkNames::remembered(&store, "large").unwrap();
        assert_eq!(names, NetworkNames::of(&network));
        assert!(names.layers.iter().any(|layer| layer.name == "fire8/concat" && layer.default));
        assert_eq!(names.labels.len(), 1000);
        let older = NetworkNames { version: "0.0.1".to_owned(), ..names };
        write(&path(&store, "large"), &older).unwrap();
        assert_eq!(NetworkNames::remembered(&store, "large"), None);
        remember(&store, "large", &network);
        assert!(NetworkNames::remembered(&store, "large").is_some());
        manifest("another");
        assert_eq!(NetworkNames::remembered(&store, "large"), None);
        fs::write(path(&store, "large"), "{}").unwrap();
        assert_eq!(NetworkNames::remembered(&store, "large"), None);
    }
}
