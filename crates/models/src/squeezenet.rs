//! SqueezeNet v1.1 inside the program, so that the first dream needs no download.

use graph::Network;

use crate::catalogue::SQUEEZENET_SHA256;
use crate::{BUILT_IN, ModelError, labels};

static FILE: &[u8] = include_bytes!("../data/squeezenet1_1.safetensors");

/// SqueezeNet v1.1 (Iandola et al., 2016), trained on ImageNet. It is built in.
///
/// # Errors
/// None with the file that this was built with.
pub fn squeezenet() -> Result<Network, ModelError> {
    let mut network = import::load_embedded(BUILT_IN, SQUEEZENET_SHA256, FILE)
        .map_err(|source| ModelError::Load { path: BUILT_IN.into(), source })?;
    network.labels = labels::imagenet();
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_files() {
        assert_eq!(import::load_bytes("any", FILE).unwrap().hash, SQUEEZENET_SHA256);
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

    #[test]
    fn the_catalogue_knows_it_by_its_layers() {
        let network = squeezenet().unwrap();
        let known = crate::catalogue::like(&network.graph).unwrap();
        assert_eq!(known.name, network.name);
        assert_eq!(known.input, network.input);
        assert!(network.graph.find_target(known.layer).is_ok());
    }
}
