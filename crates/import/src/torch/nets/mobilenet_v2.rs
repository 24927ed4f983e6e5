//! MobileNetV2 as torchvision has it (Sandler et al. 2018).

use graph::NodeId;

use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;

/// The blocks that halve the size; the first convolution does so too.
const HALVING: [usize; 4] = [2, 4, 7, 14];

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("features.1.conv.0.0.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    for place in b.dict.indices("features.") {
        let name = format!("features.{place}");
        x = if place == 0 {
            unit(b, &name, x, 2)?
        } else if b.dict.has(&format!("{name}.conv.0.0.weight")) {
            block(b, &name, x, if HALVING.contains(&place) { 2 } else { 1 })?
        } else {
            unit(b, &name, x, 1)?
        };
    }
    x = b.global_average("avgpool", x)?;
    b.linear("classifier.1", x).map(drop)
}

/// A convolution, its normalisation and a ReLU6, which the name means.
fn unit(b: &mut Builder<'_>, name: &str, x: NodeId, stride: usize) -> Result<NodeId, ImportError> {
    let x = b.conv(&format!("{name}.0"), x, stride)?;
    let x = b.norm(&format!("{name}.1"), x)?;
    b.relu6(name, x)
}

/// An inverted residual: wider, by channel, narrower again, without an activation at its end.
fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    // The first block has no wider layer.
    let wider = b.dict.has(&format!("{name}.conv.1.0.weight"));
    let mut x = input;
    if wider {
        x = unit(b, &format!("{name}.conv.0"), x, 1)?;
    }
    let last = usize::from(wider);
    x = unit(b, &format!("{name}.conv.{last}"), x, stride)?;
    x = b.conv(&format!("{name}.conv.{}", last + 1), x, 1)?;
    let norm = format!("{name}.conv.{}", last + 2);
    x = b.norm(&norm, x)?;
    if stride == 1 && b.alike(input, x) {
        return b.add(name, input, x);
    }
    b.alias(name, x);
    Ok(x)
}
