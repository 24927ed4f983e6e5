//! Which network a dream uses.

use graph::Network;
use models::{ModelError, Store};

use crate::base::Base;
use crate::progress::Run;
use crate::{Note, Result};

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

    /// Opens the network; notes the one that nobody has named.
    ///
    /// # Errors
    /// No such network or file, or one that cannot be read.
    pub(crate) fn open(&self, base: Option<&Base>, run: Run) -> Result<Network> {
        let named = base.and_then(|base| Some((base, base.network()?)));
        if let (NetworkChoice::Default, Some((base, name))) = (self, named) {
            return open(Some(name)).map_err(|error| base.without_network(error));
        }
        let network = self.load()?;
        if matches!(self, NetworkChoice::Default) {
            run.note(Note::DefaultNetwork { name: network.name.clone() });
        }
        Ok(network)
    }
}

fn open(wanted: Option<&str>) -> Result<Network> {
    let network = match (Store::open(), wanted) {
        (Err(ModelError::NoHome), None) => models::open(models::BUILT_IN),
        (_, Some(name)) => models::open(name),
        (store, None) => store.and_then(|store| Ok(store.resolve(None)?.0)),
    };
    Ok(network?)
}
