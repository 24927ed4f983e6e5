//! ShuffleNet V2 as torchvision has it (Ma et al. 2018): each block works on half of the channels, or on all in
//! two ways where it halves the size, and shuffles what comes out.

use graph::{NodeId, Op, SelectChannels};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("stage2.0.branch1.0.weight")
        && dict.has("stage2.0.branch2.5.weight")
        && matches!(dict.shape("conv1.0.weight"), [_, 3, 3, 3])
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = unit(b, "conv1", 0, x, 2, true)?;
    b.alias("conv1", x);
    x = b.max_pool("maxpool", x, Pool::new(3, 2).padded(1))?;
    for stage in 2..=4 {
        let name = format!("stage{stage}");
        for (index, place) in b.dict.indices(&format!("{name}.")).into_iter().enumerate() {
            x = block(b, &format!("{name}.{place}"), x, index == 0)?;
        }
        b.alias(&name, x);
    }
    x = unit(b, "conv5", 0, x, 1, true)?;
    b.alias("conv5", x);
    x = b.global_average("mean", x)?;
    b.linear("fc", x).map(drop)
}

/// The first block of a stage halves the size.
fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    halves: bool,
) -> Result<NodeId, ImportError> {
    let channels = b.channels(input);
    let (first, second, stride) = if halves {
        let x = unit(b, &format!("{name}.branch1"), 0, input, 2, false)?;
        (unit(b, &format!("{name}.branch1"), 2, x, 1, true)?, input, 2)
    } else {
        let half = channels / 2;
        let first = chosen(b, &format!("{name}.chunk"), input, (0..half).collect())?;
        let second = chosen(b, &format!("{name}.chunk_1"), input, (half..channels).collect())?;
        (first, second, 1)
    };
    let branch = format!("{name}.branch2");
    let mut x = unit(b, &branch, 0, second, 1, true)?;
    x = unit(b, &branch, 3, x, stride, false)?;
    x = unit(b, &branch, 5, x, 1, true)?;
    x = b.concat(&format!("{name}.cat"), &[first, x])?;
    let half = b.channels(x) / 2;
    // One of each half in turn.
    chosen(b, name, x, (0..2 * half).map(|c| c / 2 + c % 2 * half).collect())
}

fn chosen(
    b: &mut Builder<'_>,
    name: &str,
    x: NodeId,
    channels: Vec<usize>,
) -> Result<NodeId, ImportError> {
    let select = SelectChannels { in_channels: b.channels(x), channels: channels.into() };
    b.op(name, Op::SelectChannels(select), &[x])
}

/// Two or three modules of a sequence: a convolution, its normalisation and, if it is `active`, a ReLU.
fn unit(
    b: &mut Builder<'_>,
    sequence: &str,
    place: usize,
    x: NodeId,
    stride: usize,
    active: bool,
) -> Result<NodeId, ImportError> {
    let x = b.conv(&format!("{sequence}.{place}"), x, stride)?;
    let x = b.norm(&format!("{sequence}.{}", place + 1), x)?;
    if active { b.relu(&format!("{sequence}.{}", place + 2), x) } else { Ok(x) }
}
