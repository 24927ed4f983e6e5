//! Which network a dream uses.

use std::path::Path;

use graph::Network;
use models::{ModelError, Store};

use crate::base::Base;
use crate::progress::Run;
use crate::{Note, Result, names};

/// Which network to use.
#[derive(Clone, Debug, Default)]
pub enum NetworkChoice {
    /// The recipe's, or else the store's default.
    #[default]
    Default,
    /// One by its name, or a model file by its path.
    Named(String),
    /// One that is loaded.
    Loaded(Network),
}

impl NetworkChoice {
    /// Opens the network by itself: without a recipe that may name one.
    ///
    /// # Errors
    /// No such network or file, or one that cannot be read.
    pub fn load(&self) -> Result<Network> {
        match self {
            NetworkChoice::Default => open(None),
            NetworkChoice::Named(name) => open(Some(name)),
            NetworkChoice::Loaded(network) => Ok(network.clone()),
        }
    }

    /// Opens the network by itself as [`Self::load`] does, if its files have no more than `most` bytes: for
    /// answers that nobody wants to wait for. `None` also if it cannot be opened.
    pub fn load_within(&self, most: u64) -> Option<Network> {
        if let NetworkChoice::Loaded(network) = self {
            return Some(network.clone());
        }
        let store = Store::open().ok();
        let name = name_of(self, store.as_ref());
        let bytes = match &store {
            _ if name == models::BUILT_IN => 0,
            Some(store) if store.is_installed(&name) => store.size(&name).ok()?,
            _ => size_of(Path::new(&name))?,
        };
        (bytes <= most).then(|| open(Some(&name)).ok()).flatten()
    }

    /// Opens the network; notes the one that nobody has named.
    ///
    /// # Errors
    /// No such network or file, or one that cannot be read.
    pub(crate) fn open(&self, base: Option<&Base>, run: Run) -> Result<Network> {
        let network = self.load_for(base)?;
        if matches!(self, NetworkChoice::Default) && base.and_then(Base::network).is_none() {
            run.note(Note::DefaultNetwork { name: network.name.clone() });
        }
        Ok(network)
    }

    /// Opens the network, which is a recipe's where it is named there alone.
    ///
    /// # Errors
    /// No such network or file, or one that cannot be read.
    pub(crate) fn load_for(&self, base: Option<&Base>) -> Result<Network> {
        let named = base.and_then(|base| Some((base, base.network()?)));
        match (self, named) {
            (NetworkChoice::Default, Some((base, name))) => {
                open(Some(name)).map_err(|error| base.without_network(error))
            }
            _ => self.load(),
        }
    }
}

/// What the network by itself is called, or the path of its file.
pub(crate) fn name_of(choice: &NetworkChoice, store: Option<&Store>) -> String {
    let usual = || store.map_or_else(|| models::BUILT_IN.to_owned(), Store::default_network);
    match choice {
        NetworkChoice::Loaded(network) => network.name.clone(),
        NetworkChoice::Named(name) => name.clone(),
        NetworkChoice::Default => usual(),
    }
}

/// The bytes of a model's file, and of the weights that lie beside it under its name.
fn size_of(path: &Path) -> Option<u64> {
    let file = path.metadata().ok().filter(|there| there.is_file())?;
    let weights = ["caffemodel", "data", "onnx.data"].map(|ending| path.with_extension(ending));
    let beside = weights.iter().filter(|other| *other != path);
    let beside = beside.filter_map(|path| Some(path.metadata().ok()?.len()));
    Some(file.len() + beside.sum::<u64>())
}

fn open(wanted: Option<&str>) -> Result<Network> {
    let network = match (Store::open(), wanted) {
        (Err(ModelError::NoHome), None) => models::open(models::BUILT_IN)?,
        (Err(_), Some(name)) => models::open(name)?,
        (store, wanted) => {
            let store = store?;
            let (network, _) = store.resolve(wanted)?;
            let name = wanted.map_or_else(|| store.default_network(), str::to_owned);
            names::remember(&store, &name, &network);
            network
        }
    };
    Ok(network)
}
