//! The network inside the binary, so that the first dream needs no download.

use graph::Network;

use crate::{ImportError, squeezenet};

/// What recipes call it.
pub const BUILT_IN: &str = "squeezenet";

static FILE: &[u8] = include_bytes!("../models/squeezenet1_1.safetensors");

/// SHA-256 of the file, so that starting does not wait for it to be computed; a test compares.
pub(crate) const HASH: &str = "1a0f1225ba4c17ee6517c6ac71f06e1406d54a812a6d40fb6753ac844094a77f";

/// SqueezeNet v1.1, trained on ImageNet.
///
/// # Errors
/// None with the file this was built with.
pub fn built_in() -> Result<Network, ImportError> {
    squeezenet::read(BUILT_IN, HASH.into(), FILE)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn hash_is_the_files() {
        let hash: String = Sha256::digest(FILE).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, HASH);
    }

    #[test]
    fn every_output_has_a_label() {
        let network = built_in().unwrap();
        let layers = network.graph.layers();
        assert_eq!(layers.last().unwrap().name, "prob");
        assert_eq!(layers.last().unwrap().channels, network.labels.len());
        assert_eq!(network.labels[281], "tabby, tabby cat");
    }

    #[test]
    fn layers_are_named_as_in_caffe() {
        let names: Vec<String> =
            built_in().unwrap().graph.layers().into_iter().map(|layer| layer.name).collect();
        for name in ["conv1", "pool1", "fire2/squeeze1x1", "fire9/expand3x3", "fire9/concat"] {
            assert!(names.iter().any(|other| other == name), "{name} is not in {names:?}");
        }
        assert_eq!(names.len(), 1 + 3 + 8 * 4 + 3);
    }
}
