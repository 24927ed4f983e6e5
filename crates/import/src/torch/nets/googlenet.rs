//! GoogLeNet as torchvision has it (Szegedy et al. 2014): a port of TensorFlow's, with batch normalisation
//! and a 3×3 where the paper has a 5×5.

use graph::{InputSpec, NodeId};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;
use crate::statistics::INCEPTION;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("inception3a.branch1.conv.weight")
}

/// torchvision's weights are TensorFlow's: its classes turn the picture of ImageNet's statistics into −1 to
/// 1 before the first layer.
pub(super) fn input(_: &StateDict) -> InputSpec {
    INCEPTION
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    let half = Pool::new(3, 2).up();
    x = unit(b, "conv1", x, 2)?;
    x = b.max_pool("maxpool1", x, half)?;
    x = unit(b, "conv2", x, 1)?;
    x = unit(b, "conv3", x, 1)?;
    x = b.max_pool("maxpool2", x, half)?;
    for name in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
        match name {
            "4a" => x = b.max_pool("maxpool3", x, half)?,
            "5a" => x = b.max_pool("maxpool4", x, Pool::new(2, 2).up())?,
            _ => {}
        }
        x = inception(b, &format!("inception{name}"), x)?;
    }
    x = b.global_average("avgpool", x)?;
    b.linear("fc", x).map(drop)
}

/// A convolution, its normalisation and a ReLU, which the name means.
pub(super) fn unit(
    b: &mut Builder<'_>,
    name: &str,
    x: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let x = b.conv(&format!("{name}.conv"), x, stride)?;
    let x = b.norm(&format!("{name}.bn"), x)?;
    b.relu(name, x)
}

fn inception(b: &mut Builder<'_>, name: &str, x: NodeId) -> Result<NodeId, ImportError> {
    let mut branches = vec![unit(b, &format!("{name}.branch1"), x, 1)?];
    for branch in ["branch2", "branch3"] {
        let reduced = unit(b, &format!("{name}.{branch}.0"), x, 1)?;
        let last = unit(b, &format!("{name}.{branch}.1"), reduced, 1)?;
        b.alias(&format!("{name}.{branch}"), last);
        branches.push(last);
    }
    let pool = Pool::new(3, 1).padded(1).up();
    let pooled = b.max_pool(&format!("{name}.branch4.0"), x, pool)?;
    let last = unit(b, &format!("{name}.branch4.1"), pooled, 1)?;
    b.alias(&format!("{name}.branch4"), last);
    branches.push(last);
    b.concat(name, &branches)
}
