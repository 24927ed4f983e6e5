//! ResNet, Wide ResNet and ResNeXt as torchvision has them (He et al. 2015): blocks of two convolutions, or
//! of three, of which the 3×3 one has the stride.

use graph::NodeId;

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("layer1.0.conv1.weight")
        && dict.has("bn1.running_mean")
        && matches!(dict.shape("conv1.weight"), [_, 3, 7, 7])
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = b.conv("conv1", x, 2)?;
    x = b.norm("bn1", x)?;
    x = b.relu("relu", x)?;
    x = b.max_pool("maxpool", x, Pool::new(3, 2).padded(1))?;
    x = layers(b, x, block)?;
    x = b.global_average("avgpool", x)?;
    b.linear("fc", x).map(drop)
}

/// How a block is built: by its name, on its input, with its stride.
type Block = fn(&mut Builder<'_>, &str, NodeId, usize) -> Result<NodeId, ImportError>;

/// The four groups of blocks; the first block of all but the first group halves the size.
pub(super) fn layers(
    b: &mut Builder<'_>,
    mut x: NodeId,
    block: Block,
) -> Result<NodeId, ImportError> {
    for group in 1..=4 {
        let name = format!("layer{group}");
        for (index, place) in b.dict.indices(&format!("{name}.")).into_iter().enumerate() {
            let stride = if index == 0 && group > 1 { 2 } else { 1 };
            x = block(b, &format!("{name}.{place}"), x, stride)?;
        }
        b.alias(&name, x);
    }
    Ok(x)
}

fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let three = b.dict.has(&format!("{name}.conv3.weight"));
    let strides: &[usize] = if three { &[1, stride, 1] } else { &[stride, 1] };
    let mut x = input;
    for (number, &stride) in (1..).zip(strides) {
        x = b.conv(&format!("{name}.conv{number}"), x, stride)?;
        x = b.norm(&format!("{name}.bn{number}"), x)?;
        if number < strides.len() {
            x = b.relu(&format!("{name}.{}", relu(number)), x)?;
        }
    }
    let mut shortcut = input;
    if b.dict.has(&format!("{name}.downsample.0.weight")) {
        shortcut = b.conv(&format!("{name}.downsample.0"), input, stride)?;
        shortcut = b.norm(&format!("{name}.downsample.1"), shortcut)?;
    }
    x = b.add(&format!("{name}.add"), x, shortcut)?;
    x = b.relu(name, x)?;
    b.alias(&format!("{name}.{}", relu(strides.len())), x);
    Ok(x)
}

/// The name of the ReLU after a block's convolution: it is one module that is used again and again.
pub(super) fn relu(number: usize) -> String {
    if number == 1 { "relu".into() } else { format!("relu_{}", number - 1) }
}
