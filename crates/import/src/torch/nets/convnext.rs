//! ConvNeXt (Liu et al. 2022) with the names of torchvision, of its authors and of timm.

use graph::{NodeId, Op, Unary};

use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;

/// How a publisher names the parts; `#` stands for the stage.
struct Names {
    /// A stage's blocks, followed by their numbers.
    blocks: [&'static str; 4],
    /// What reduces the size before each stage: the first a convolution and a normalisation, the others the
    /// two in turn.
    reductions: [[&'static str; 2]; 4],
    /// A block's depthwise convolution, normalisation, two fully connected layers, and scale.
    block: [&'static str; 5],
    /// The last normalisation and the classes.
    head: [&'static str; 2],
}

const NAMES: [Names; 3] = [
    Names {
        blocks: ["features.1.", "features.3.", "features.5.", "features.7."],
        reductions: [
            ["features.0.0", "features.0.1"],
            ["features.2.0", "features.2.1"],
            ["features.4.0", "features.4.1"],
            ["features.6.0", "features.6.1"],
        ],
        block: ["block.0", "block.2", "block.3", "block.5", "layer_scale"],
        head: ["classifier.0", "classifier.2"],
    },
    Names {
        blocks: ["stages.0.", "stages.1.", "stages.2.", "stages.3."],
        reductions: [
            ["downsample_layers.0.0", "downsample_layers.0.1"],
            ["downsample_layers.1.0", "downsample_layers.1.1"],
            ["downsample_layers.2.0", "downsample_layers.2.1"],
            ["downsample_layers.3.0", "downsample_layers.3.1"],
        ],
        block: ["dwconv", "norm", "pwconv1", "pwconv2", "gamma"],
        head: ["norm", "head"],
    },
    Names {
        blocks: ["stages.0.blocks.", "stages.1.blocks.", "stages.2.blocks.", "stages.3.blocks."],
        reductions: [
            ["stem.0", "stem.1"],
            ["stages.1.downsample.0", "stages.1.downsample.1"],
            ["stages.2.downsample.0", "stages.2.downsample.1"],
            ["stages.3.downsample.0", "stages.3.downsample.1"],
        ],
        block: ["conv_dw", "norm", "mlp.fc1", "mlp.fc2", "gamma"],
        head: ["head.norm", "head.fc"],
    },
];

fn names(dict: &StateDict) -> Option<&'static Names> {
    let has = |names: &&Names| {
        let first = format!("{}0.", names.blocks[0]);
        let [conv, _, _, _, scale] = names.block;
        dict.has(&format!("{first}{conv}.weight"))
            && dict.has(&format!("{first}{scale}"))
            && matches!(dict.shape(&format!("{}.weight", names.reductions[0][0])), [_, 3, 4, 4])
    };
    NAMES.iter().find(has)
}

pub(super) fn fits(dict: &StateDict) -> bool {
    names(dict).is_some()
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let Some(names) = names(b.dict) else { return Ok(()) };
    let mut x = b.input();
    for (stage, [first, second]) in names.reductions.into_iter().enumerate() {
        x = if stage == 0 {
            let conv = b.valid(first, x, 4)?;
            b.layer_norm(second, conv)?
        } else {
            let norm = b.layer_norm(first, x)?;
            b.valid(second, norm, 2)?
        };
        let blocks = names.blocks[stage];
        for place in b.dict.indices(blocks) {
            x = block(b, &format!("{blocks}{place}"), &names.block, x)?;
        }
        b.alias(blocks.trim_end_matches('.'), x);
    }
    x = b.global_average("avgpool", x)?;
    let [norm, classes] = names.head;
    if b.dict.has(&format!("{norm}.weight")) {
        x = b.layer_norm(norm, x)?;
    }
    b.linear(classes, x).map(drop)
}

fn block(
    b: &mut Builder<'_>,
    name: &str,
    [conv, norm, wider, narrower, scale]: &[&str; 5],
    input: NodeId,
) -> Result<NodeId, ImportError> {
    let part = |part: &str| format!("{name}.{part}");
    let mut x = b.conv(&part(conv), input, 1)?;
    x = b.layer_norm(&part(norm), x)?;
    x = b.pointwise(&part(wider), x)?;
    x = b.op(&part("gelu"), Op::Unary(Unary::Gelu), &[x])?;
    x = b.pointwise(&part(narrower), x)?;
    x = b.scaled(&part(scale), x)?;
    b.add(name, input, x)
}
