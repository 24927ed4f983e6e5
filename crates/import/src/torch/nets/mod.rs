//! The networks that a state dict can be: each has names that tell it, and a file that builds it.
//!
//! The builders follow torchvision's published definitions of the networks (`torchvision.models`). They know
//! the order of the layers, strides, paddings and activations; all sizes come from the weights.

mod alexnet;
mod bvlc_googlenet;
mod clip;
mod convnext;
mod densenet;
mod efficientnet;
mod googlenet;
mod inception_v3;
mod mnasnet;
mod mobilenet_v2;
mod mobilenet_v3;
mod nin;
mod regnet;
mod resnet;
mod shufflenet;
mod squeezenet;
mod vgg;
mod vit;

use graph::InputSpec;

use super::Read;
use super::build::Builder;
use super::dict::StateDict;
use crate::statistics::IMAGENET;
use crate::{ImportError, kinds, printable};

pub(super) use clip::fits as is_clip;

/// A network that is known.
struct Known {
    /// Whether a state dict is of this network.
    fits: fn(&StateDict) -> bool,
    build: fn(&mut Builder<'_>) -> Result<(), ImportError>,
    /// What is added to variances, which no state dict says.
    epsilon: fn(&StateDict) -> f32,
    /// What its publisher trained it to see.
    input: fn(&StateDict) -> InputSpec,
}

/// What PyTorch adds to variances unless told otherwise, and what networks of TensorFlow have.
const USUAL: fn(&StateDict) -> f32 = |_| 1e-5;
const TENSORFLOW: fn(&StateDict) -> f32 = |_| 1e-3;

macro_rules! known {
    ($($name:ident: $epsilon:expr, $input:expr;)*) => {
        &[$(Known { fits: $name::fits, build: $name::build, epsilon: $epsilon, input: $input }),*]
    };
}

/// The first that fits counts.
const KNOWN: &[Known] = known! {
    clip: USUAL, clip::input;
    resnet: USUAL, imagenet;
    regnet: USUAL, imagenet;
    googlenet: TENSORFLOW, googlenet::input;
    bvlc_googlenet: USUAL, bvlc_googlenet::input;
    inception_v3: TENSORFLOW, googlenet::input;
    densenet: USUAL, imagenet;
    mobilenet_v2: USUAL, imagenet;
    mobilenet_v3: TENSORFLOW, imagenet;
    efficientnet: efficientnet::epsilon, efficientnet::input;
    convnext: USUAL, imagenet;
    mnasnet: USUAL, imagenet;
    shufflenet: USUAL, imagenet;
    squeezenet: USUAL, imagenet;
    alexnet: USUAL, imagenet;
    nin: USUAL, nin::input;
    vgg: USUAL, vgg::input;
    vit: USUAL, imagenet;
};

/// Modules that are a network by themselves, beside others that use what it gives: detectors, and what networks are
/// trained with that nobody has named classes for.
const PARTS: &[&str] = &[
    "backbone.body.",
    "backbone.",
    "encoder.",
    "encoder_q.",
    "base_encoder.",
    "online_encoder.",
    "feature_extractor.",
];

/// What stands beside networks whose strides were changed for it, which no weights say.
const ALTERED: &[&str] = &["aux_classifier.", "classifier.", "decoder.", "segmentation_head."];

/// Networks that are known by a name of a tensor, but not built here.
const OTHERS: &[(&str, &str)] = &[
    ("class_token", "another vision transformer (ViT)"),
    ("cls_token", "another vision transformer (ViT)"),
    ("conv_stem.weight", "an EfficientNet or MobileNetV3 of timm"),
    ("conv1.0.weight", "a ResNet with another stem, as ResNet-D has"),
    ("root.conv.weight", "a BiT ResNet"),
    ("stages.0.blocks.0.downsample.conv.weight", "a BiT ResNet"),
    ("s1.b1.conv1.conv.weight", "a RegNet of timm"),
    ("patch_embed.proj.weight", "a vision transformer"),
    ("unet.down_blocks.0.resnets.0.conv1.weight", "a diffusion model"),
];

/// The same of those whose attention is within windows of the picture, which no format is of use for.
const WINDOWED: &[(&str, &str)] = &[
    ("features.1.0.attn.qkv.weight", "a Swin transformer"),
    ("layers.0.blocks.0.attn.qkv.weight", "a Swin transformer"),
    ("stem.0.0.weight", "a MaxViT"),
    ("stages.0.blocks.0.attn_block.attn.qkv.weight", "a MaxViT"),
];

const WITHOUT_WINDOWS: &str = "It looks at the picture in windows, which this program does not compute, from ONNX files \
                               neither. ConvNeXt is most like it";

/// What may be left over of a file: heads of other kinds than those that are built, which come after all
/// that one dreams on.
const HEADS: &[&str] = &[
    "attnpool.",
    "classifier.",
    "fc.",
    "head.",
    "last_linear.",
    "logit_scale",
    "loss",
    "mask_token",
    "pre_logits.",
];

/// The network that a state dict is of.
///
/// # Errors
/// One that is not known, or weights that do not fit.
pub(super) fn build(dict: &StateDict) -> Result<Read, ImportError> {
    let known = |dict: &StateDict| KNOWN.iter().find(|known| (known.fits)(dict));
    let within = |prefix: &&str| {
        let part = dict.part(prefix)?;
        Some((known(&part)?, part))
    };
    let altered = dict.names().any(|name| ALTERED.iter().any(|other| name.starts_with(other)));
    let part = match known(dict) {
        None if !altered => PARTS.iter().find_map(within),
        _ => None,
    };
    let (dict, known) = match &part {
        Some((known, part)) => (part, Some(*known)),
        None => (dict, known(dict)),
    };
    let Some(known) = known else {
        if let Some((_, kind)) = WINDOWED.iter().find(|(name, _)| dict.has(name)) {
            return Err(kinds::other(&format!("the weights of {kind}"), WITHOUT_WINDOWS));
        }
        if let Some((_, kind)) = OTHERS.iter().find(|(name, _)| dict.has(name)) {
            return Err(kinds::other_weights(&format!("the weights of {kind}")));
        }
        let names: Vec<String> = dict.names().take(3).map(|name| printable(name)).collect();
        let of =
            if names.is_empty() { String::new() } else { format!(" ({}, …)", names.join(", ")) };
        return Err(kinds::other_weights(&format!("weights without their network{of}")));
    };
    let mut builder = Builder::new(dict, (known.epsilon)(dict))?;
    (known.build)(&mut builder)?;
    let left_over =
        builder.left_over().filter(|name| !HEADS.iter().any(|head| name.starts_with(head)));
    if let Some(name) = left_over {
        let name = printable(name);
        return Err(kinds::other_weights(&format!(
            "the weights of a network that is like a known one, but has `{name}` as well"
        )));
    }
    let input = match dict.normalizer {
        Some([mean, std]) => InputSpec {
            mean: mean.map(|mean| mean * 255.0),
            scale: std.map(|std| 1.0 / (255.0 * std)),
            ..InputSpec::default()
        },
        None => (known.input)(dict),
    };
    Ok(Read { graph: builder.finish(), input })
}

fn imagenet(_: &StateDict) -> InputSpec {
    IMAGENET
}
