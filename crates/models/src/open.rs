//! Opens a network, wherever it comes from.

use std::path::Path;

use graph::Network;

use crate::built_in::{self, BUILT_IN};
use crate::error::ModelError;
use crate::load::load;
use crate::store::Store;

/// Opens a network by name, or the model file at a path.
///
/// Names come first: the built-in network, then the networks installed in this user's [`Store`].
///
/// # Errors
/// As [`Store::resolve`].
pub fn open(name_or_path: &str) -> Result<Network, ModelError> {
    match Store::open() {
        Ok(store) => store.resolve(Some(name_or_path)).map(|(network, _)| network),
        // The built-in network and files need no folder.
        Err(ModelError::NoHome) if name_or_path == BUILT_IN => built_in::network(),
        Err(ModelError::NoHome) if Path::new(name_or_path).exists() => {
            load(Path::new(name_or_path))
        }
        Err(error) => Err(error),
    }
}
