//! VGG with 11 to 19 layers, with and without batch normalisation (Simonyan and Zisserman 2014).

use graph::{ChannelOrder, InputSpec, NodeId};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;
use crate::statistics::{IMAGENET, KERAS};

pub(super) fn fits(dict: &StateDict) -> bool {
    matches!(dict.shape("features.0.weight"), [_, 3, 3, 3])
        && dict.has("features.2.weight")
            | dict.has("features.3.weight")
            | dict.has("features.4.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    // Only convolutions and normalisations have weights, so gaps tell where ReLUs and pools are.
    let convolutions: Vec<usize> = b
        .dict
        .indices("features.")
        .into_iter()
        .filter(|place| b.dict.shape(&format!("features.{place}.weight")).len() == 4)
        .collect();
    let mut x = b.input();
    let (mut block, mut number) = (1, 1);
    for (index, &place) in convolutions.iter().enumerate() {
        x = b.conv(&format!("features.{place}"), x, 1)?;
        b.alias(&format!("conv{block}_{number}"), x);
        let mut at = place + 1;
        if b.dict.has(&format!("features.{at}.running_mean")) {
            x = b.norm(&format!("features.{at}"), x)?;
            at += 1;
        }
        x = b.relu(&format!("features.{at}"), x)?;
        b.alias(&format!("relu{block}_{number}"), x);
        number += 1;
        // The next convolution stands after the ReLU, or after a pool, which stands at the end too.
        if convolutions.get(index + 1).is_none_or(|&next| next > at + 1) {
            x = b.max_pool(&format!("features.{}", at + 1), x, Pool::new(2, 2))?;
            b.alias(&format!("pool{block}"), x);
            (block, number) = (block + 1, 1);
        }
    }
    let layers = if b.dict.has("classifier.0.weight") {
        ["classifier.0", "classifier.3", "classifier.6"]
    } else {
        ["classifier.1", "classifier.4", "classifier.6"]
    };
    classifier(b, x, &layers)
}

/// Three fully connected layers, as far as the file has them: two with ReLUs, and the classes. They fit the
/// map that a picture of the size of training gives.
pub(super) fn classifier(
    b: &mut Builder<'_>,
    mut x: NodeId,
    layers: &[&str; 3],
) -> Result<(), ImportError> {
    for (number, name) in (6..).zip(layers) {
        let weights = b.dict.get(&format!("{name}.weight"));
        // torchvision publishes a VGG16 whose classifier is no numbers.
        let Some(weights) = weights else { return Ok(()) };
        if !weights.is_finite().map_err(|error| ImportError::unread(name, &error))? {
            return Ok(());
        }
        let Some(dense) = b.linear(name, x)? else { return Ok(()) };
        b.alias(&format!("fc{number}"), dense);
        x = dense;
        if number < 8 {
            let place = name.strip_prefix("classifier.").and_then(|place| place.parse().ok());
            x = b.relu(&format!("classifier.{}", place.unwrap_or(0) + 1), x)?;
            b.alias(&format!("relu{number}"), x);
        }
    }
    Ok(())
}

pub(super) fn input(dict: &StateDict) -> InputSpec {
    let classifier = dict.get("classifier.0.weight");
    if dict.has("classifier.1.weight") {
        // Johnson's copy of Caffe's weights, of which the layers have other numbers.
        KERAS
    } else if classifier.is_some_and(|weights| weights.is_finite().is_ok_and(|finite| !finite)) {
        // torchvision's copy of them, its colours turned round.
        let [blue, green, red] = [104.0, 117.0, 123.0];
        let mean = [red, green, blue];
        InputSpec { order: ChannelOrder::Rgb, mean, scale: [1.0; 3] }
    } else {
        IMAGENET
    }
}
