//! The pictures' half of OpenAI's CLIP with a ResNet (Radford et al. 2021): three convolutions in the stem,
//! and average pools where a ResNet has strides. The attention pool at its end has one size and no use here.

use graph::{InputSpec, NodeId};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use super::resnet::{layers, relu};
use crate::ImportError;
use crate::statistics::CLIP;

/// Whether the network is CLIP's.
pub(in super::super) fn fits(dict: &StateDict) -> bool {
    ["conv3.weight", "bn3.running_mean", "layer1.0.conv3.weight"].iter().all(|name| dict.has(name))
        && matches!(dict.shape("conv1.weight"), [_, 3, 3, 3])
}

pub(super) fn input(_: &StateDict) -> InputSpec {
    CLIP
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    for (number, stride) in [(1, 2), (2, 1), (3, 1)] {
        x = b.conv(&format!("conv{number}"), x, stride)?;
        x = b.norm(&format!("bn{number}"), x)?;
        x = b.relu(&format!("relu{number}"), x)?;
    }
    x = b.average_pool("avgpool", x, Pool::new(2, 2))?;
    layers(b, x, block).map(drop)
}

fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let mut x = input;
    for number in 1..=3 {
        if number == 3 && stride > 1 {
            x = b.average_pool(&format!("{name}.avgpool"), x, Pool::new(stride, stride))?;
        }
        x = b.conv(&format!("{name}.conv{number}"), x, 1)?;
        x = b.norm(&format!("{name}.bn{number}"), x)?;
        if number < 3 {
            x = b.relu(&format!("{name}.{}", relu(number)), x)?;
        }
    }
    let mut shortcut = input;
    if b.dict.has(&format!("{name}.downsample.0.weight")) {
        if stride > 1 {
            let pool = Pool::new(stride, stride);
            shortcut = b.average_pool(&format!("{name}.downsample.-1"), shortcut, pool)?;
        }
        shortcut = b.conv(&format!("{name}.downsample.0"), shortcut, 1)?;
        shortcut = b.norm(&format!("{name}.downsample.1"), shortcut)?;
    }
    x = b.add(&format!("{name}.add"), x, shortcut)?;
    x = b.relu(name, x)?;
    b.alias(&format!("{name}.relu_2"), x);
    Ok(x)
}
