//! MNASNet as torchvision has it (Tan et al. 2018).

use graph::NodeId;

use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;

/// The strides of the first blocks of the stacks, which have the places 8 to 13.
const STRIDES: [usize; 6] = [2, 2, 2, 1, 2, 1];

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("layers.8.0.layers.0.weight") && dict.has("layers.14.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = unit(b, "layers", 0, x, 2)?;
    x = unit(b, "layers", 3, x, 1)?;
    x = b.conv("layers.6", x, 1)?;
    x = b.norm("layers.7", x)?;
    for (stack, stride) in (8..).zip(STRIDES) {
        let name = format!("layers.{stack}");
        for (index, place) in b.dict.indices(&format!("{name}.")).into_iter().enumerate() {
            x = block(b, &format!("{name}.{place}"), x, if index == 0 { stride } else { 1 })?;
        }
        b.alias(&name, x);
    }
    x = unit(b, "layers", 14, x, 1)?;
    x = b.global_average("avgpool", x)?;
    b.linear("classifier.1", x).map(drop)
}

/// Three modules of a sequence: a convolution, its normalisation and a ReLU.
fn unit(
    b: &mut Builder<'_>,
    sequence: &str,
    place: usize,
    x: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let x = b.conv(&format!("{sequence}.{place}"), x, stride)?;
    let x = b.norm(&format!("{sequence}.{}", place + 1), x)?;
    b.relu(&format!("{sequence}.{}", place + 2), x)
}

fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let sequence = format!("{name}.layers");
    let mut x = unit(b, &sequence, 0, input, 1)?;
    x = unit(b, &sequence, 3, x, stride)?;
    x = b.conv(&format!("{sequence}.6"), x, 1)?;
    x = b.norm(&format!("{sequence}.7"), x)?;
    if stride == 1 && b.alike(input, x) {
        return b.add(name, x, input);
    }
    b.alias(name, x);
    Ok(x)
}
