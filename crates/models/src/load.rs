//! Loads model files, and adds what the catalogue and the files beside them know about the network.

use std::path::Path;

use graph::Network;
use import::Imported;

use crate::error::ModelError;
use crate::{catalogue, labels};

/// Loads a network from a model file.
///
/// The network is named after the file, unless the catalogue knows the file by its SHA-256. Its class
/// names come from a text file beside it with one line for each class: `NAME.labels.txt`, `NAME.txt`, or
/// the file that a known network is published with; or from the model file, if it has one for each.
/// Otherwise a network with ImageNet's 1000 classes gets their names. Where the file does not state its input,
/// the catalogue's entry for the network does.
///
/// # Errors
/// [`ModelError::Load`] if the file cannot be read or used.
pub fn load(path: &Path) -> Result<Network, ModelError> {
    read(path).map(|loaded| loaded.network)
}

/// A network with what is told of its file.
pub(crate) struct Loaded {
    pub(crate) network: Network,
    /// Whether its input is known: from the file, or from the catalogue.
    pub(crate) input_known: bool,
    /// The files beside the model that it has weights in, by their paths from its folder.
    pub(crate) siblings: Vec<String>,
}

/// The network of [`load`], and what is told of its file.
pub(crate) fn read(path: &Path) -> Result<Loaded, ModelError> {
    match import::read(path) {
        Ok(imported) => Ok(complete(imported, path)),
        Err(source) => Err(ModelError::Load { path: path.to_owned(), source }),
    }
}

fn complete(imported: Imported, path: &Path) -> Loaded {
    let Imported { mut network, input_stated, siblings } = imported;
    let published = catalogue::of_hash(&network.hash);
    if let Some(published) = published {
        network.name = published.name.to_owned();
    }
    let known = published.or_else(|| catalogue::like(&network.graph));
    if let Some(known) = known
        && !input_stated
    {
        network.input = known.input;
    }
    let input_known = input_stated || known.is_some();
    let published = known.and_then(|known| known.labels_file);
    let own = labels::fitting(std::mem::take(&mut network.labels), &network.graph);
    network.labels = labels::beside(path, published, &network.graph)
        .or(own)
        .unwrap_or_else(|| labels::for_outputs(&network.graph));
    Loaded { network, input_known, siblings }
}

#[cfg(all(test, feature = "squeezenet"))]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A model file, by its path in the folder of all crates.
    fn model(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
    }

    #[test]
    fn class_names_come_from_beside_the_model_if_there_are_as_many() {
        let folder = tempfile::tempdir().unwrap();
        let ops = folder.path().join("ops.pb");
        std::fs::copy(model("import/tests/data/tensorflow_ops.pb"), &ops).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("ops.txt", "one\ntwo\nthree\n").unwrap();
        assert!(load(&ops).unwrap().labels.is_empty());
        write("ops.txt", "one\ntwo\r\nthree\nfour").unwrap();
        assert_eq!(load(&ops).unwrap().labels, ["one", "two", "three", "four"]);
        write("ops.labels.txt", "a\nb\nc\nd\n").unwrap();
        assert_eq!(load(&ops).unwrap().labels, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_known_file_has_its_name_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let renamed = folder.path().join("renamed.pb");
        std::fs::copy(model("models/data/squeezenet1_1.safetensors"), &renamed).unwrap();
        let (network, built_in) = (load(&renamed).unwrap(), crate::squeezenet().unwrap());
        assert_eq!((network.name, network.hash), (built_in.name, built_in.hash));
        assert_eq!(network.labels, built_in.labels);
    }
}
