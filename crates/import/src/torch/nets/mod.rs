//! The networks that a state dict can be: each has names that tell it, and a file that builds it.
//!
//! The builders follow torchvision's published definitions of the networks (`torchvision.models`). They know
//! the order of the layers, strides, paddings and activations; all sizes come from the weights.

mod alexnet;
mod clip;
mod densenet;
mod googlenet;
mod inception_v3;
mod mnasnet;
mod mobilenet_v2;
mod nin;
mod resnet;
mod squeezenet;
mod vgg;

use graph::InputSpec;

use super::Read;
use super::build::Builder;
use super::dict::StateDict;
use crate::statistics::IMAGENET;
use crate::{ImportError, kinds, printable};

pub(super) use clip::is_clip;

/// A network that is known.
struct Known {
    /// Whether a state dict is of this network.
    fits: fn(&StateDict) -> bool,
    /// Builds it; the first number is what is added to variances.
    build: fn(&mut Builder<'_>) -> Result<(), ImportError>,
    epsilon: f32,
    input: fn(&StateDict) -> InputSpec,
}

/// The first that fits counts.
const KNOWN: &[Known] = &[
    Known { fits: clip::is_clip, build: clip::build, epsilon: 1e-5, input: clip::input },
    Known { fits: resnet::fits, build: resnet::build, epsilon: 1e-5, input: imagenet },
    Known {
        fits: googlenet::fits,
        build: googlenet::build,
        epsilon: 1e-3,
        input: googlenet::input,
    },
    Known {
        fits: inception_v3::fits,
        build: inception_v3::build,
        epsilon: 1e-3,
        input: googlenet::input,
    },
    Known { fits: densenet::fits, build: densenet::build, epsilon: 1e-5, input: imagenet },
    Known { fits: mobilenet_v2::fits, build: mobilenet_v2::build, epsilon: 1e-5, input: imagenet },
    Known { fits: mnasnet::fits, build: mnasnet::build, epsilon: 1e-5, input: imagenet },
    Known { fits: squeezenet::fits, build: squeezenet::build, epsilon: 1e-5, input: imagenet },
    Known { fits: alexnet::fits, build: alexnet::build, epsilon: 1e-5, input: imagenet },
    Known { fits: nin::fits, build: nin::build, epsilon: 1e-5, input: nin::input },
    Known { fits: vgg::fits, build: vgg::build, epsilon: 1e-5, input: vgg::input },
];

/// Networks that are known by a name of a tensor, but not built here.
const OTHERS: &[(&str, &str)] = &[
    ("class_token", "a vision transformer (ViT)"),
    ("cls_token", "a vision transformer (ViT)"),
    ("features.1.0.attn.qkv.weight", "a Swin transformer"),
    ("layers.0.blocks.0.attn.qkv.weight", "a Swin transformer"),
    ("stage2.0.branch1.0.weight", "a ShuffleNet"),
    ("stem.0.0.weight", "a MaxViT"),
    ("conv_stem.weight", "an EfficientNet or MobileNetV3 of timm"),
    ("conv1.0.weight", "a ResNet with another stem, as ResNet-D has"),
    ("root.conv.weight", "a BiT ResNet"),
    ("stem.conv.weight", "a BiT ResNet"),
    ("patch_embed.proj.weight", "a vision transformer"),
    ("unet.down_blocks.0.resnets.0.conv1.weight", "a diffusion model"),
];

/// The network that a state dict is of.
///
/// # Errors
/// One that is not known, or weights that do not fit.
pub(super) fn build(dict: &StateDict) -> Result<Read, ImportError> {
    if let Some((_, kind)) = OTHERS.iter().find(|(name, _)| dict.has(name)) {
        return Err(kinds::other_weights(&format!("the weights of {kind}")));
    }
    let Some(known) = KNOWN.iter().find(|known| (known.fits)(dict)) else {
        let names: Vec<String> = dict.names().take(3).map(|name| printable(name)).collect();
        let of =
            if names.is_empty() { String::new() } else { format!(" ({}, …)", names.join(", ")) };
        return Err(kinds::other_weights(&format!("weights without their network{of}")));
    };
    let mut builder = Builder::new(dict, known.epsilon)?;
    (known.build)(&mut builder)?;
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
