//! The built-in network, so that the first dream needs no download.

use graph::Network;

use crate::error::ModelError;

/// The name of the built-in network, SqueezeNet v1.1.
pub const BUILT_IN: &str = "squeezenet";

/// The SHA-256 of its model file.
pub(crate) const SHA256: &str = "1a0f1225ba4c17ee6517c6ac71f06e1406d54a812a6d40fb6753ac844094a77f";

#[cfg(feature = "squeezenet")]
static FILE: &[u8] = include_bytes!("../data/squeezenet1_1.safetensors");

/// Loads the built-in network: SqueezeNet v1.1 (Iandola et al., 2016), trained on ImageNet.
///
/// # Errors
/// None, unless the crate was built with another model file.
#[cfg(feature = "squeezenet")]
pub fn squeezenet() -> Result<Network, ModelError> {
    let mut network = import::load_embedded(BUILT_IN, SHA256, FILE)
        .map_err(|source| ModelError::Load { path: BUILT_IN.into(), source })?;
    network.labels = crate::labels::imagenet();
    Ok(network)
}

/// Loads the built-in network if this build includes it.
pub(crate) fn network() -> Result<Network, ModelError> {
    #[cfg(feature = "squeezenet")]
    return squeezenet();
    #[cfg(not(feature = "squeezenet"))]
    Err(ModelError::NotIncluded { name: BUILT_IN.to_owned() })
}

#[cfg(all(test, feature = "squeezenet"))]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_files() {
        assert_eq!(import::load_bytes("any", FILE).unwrap().hash, SHA256);
    }

    #[test]
    fn every_output_has_a_label() {
        let network = squeezenet().unwrap();
        let layers = network.graph.layers();
        assert_eq!(layers.last().unwrap().name, "prob");
        assert_eq!(layers.last().unwrap().channels, network.labels.len());
        assert_eq!(network.labels[281], "tabby, tabby cat");
    }

    #[test]
    fn layers_are_named_as_in_caffe() {
        let names: Vec<String> =
            squeezenet().unwrap().graph.layers().into_iter().map(|layer| layer.name).collect();
        for name in ["conv1", "pool1", "fire2/squeeze1x1", "fire9/expand3x3", "fire9/concat"] {
            assert!(names.iter().any(|other| other == name), "{name} is not in {names:?}");
        }
        assert_eq!(names.len(), 1 + 3 + 8 * 4 + 3);
    }
}
