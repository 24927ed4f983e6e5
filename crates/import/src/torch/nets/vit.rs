//! Vision transformers as torchvision and timm have them (Dosovitskiy et al. 2021): patches of the picture in a
//! row behind a class token, and blocks in which each looks at all others.

use std::sync::Arc;

use graph::{
    Attention, Conv2d, NodeId, Op, PositionEmbedding, SelectChannels, Tokens, Unary, Window,
};

use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::kit::check_size;
use crate::{ImportError, kinds};

/// What the parts of a network are called, and those of a block.
struct Names {
    patches: &'static str,
    class: &'static str,
    positions: &'static str,
    blocks: &'static str,
    /// A block's normalisations, its queries, keys and values, what follows these, and its two layers.
    norms: [&'static str; 2],
    queries: [&'static str; 2],
    projection: &'static str,
    layers: [[&'static str; 2]; 2],
    last: &'static str,
    head: &'static str,
}

const TORCHVISION: Names = Names {
    patches: "conv_proj",
    class: "class_token",
    positions: "encoder.pos_embedding",
    blocks: "encoder.layers.encoder_layer_",
    norms: ["ln_1", "ln_2"],
    queries: ["self_attention.in_proj_weight", "self_attention.in_proj_bias"],
    projection: "self_attention.out_proj",
    // Newer files number the layers of what older ones name.
    layers: [["mlp.0", "mlp.linear_1"], ["mlp.3", "mlp.linear_2"]],
    last: "encoder.ln",
    head: "heads.head",
};

const TIMM: Names = Names {
    patches: "patch_embed.proj",
    class: "cls_token",
    positions: "pos_embed",
    blocks: "blocks.",
    norms: ["norm1", "norm2"],
    queries: ["attn.qkv.weight", "attn.qkv.bias"],
    projection: "attn.proj",
    layers: [["mlp.fc1", "mlp.fc1"], ["mlp.fc2", "mlp.fc2"]],
    last: "norm",
    head: "head",
};

/// The channels of the networks whose heads have 64 each.
const WITH_HEADS_OF_64: [usize; 10] = [128, 192, 256, 320, 384, 512, 640, 768, 896, 1024];
/// The channels of the largest, ViT-H, ViT-g and ViT-G, which have 16 heads.
const WITH_16_HEADS: [usize; 3] = [1280, 1408, 1664];

/// The heads of a network of so many channels, which no file says.
///
/// # Errors
/// A network that is not known by its channels.
fn heads(channels: usize) -> Result<usize, ImportError> {
    if WITH_HEADS_OF_64.contains(&channels) {
        return Ok(channels / 64);
    }
    if WITH_16_HEADS.contains(&channels) {
        return Ok(16);
    }
    Err(kinds::other_weights(&format!(
        "the weights of a vision transformer (ViT) of {channels} channels, which do not say into how many heads \
         they are divided"
    )))
}

fn names(dict: &StateDict) -> Option<&'static Names> {
    [&TORCHVISION, &TIMM].into_iter().find(|names| {
        [names.class, names.positions].iter().all(|name| dict.has(name))
            && matches!(dict.shape(&format!("{}.weight", names.patches)), [_, 3, _, _])
            && dict.has(&format!("{}0.{}", names.blocks, names.queries[0]))
            && is_plain(dict, names)
    })
}

pub(super) fn fits(dict: &StateDict) -> bool {
    names(dict).is_some()
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let names = names(b.dict).unwrap_or(&TORCHVISION);
    let input = b.input();
    let stride = b.dict.shape(&format!("{}.weight", names.patches)).get(2).copied().unwrap_or(1);
    let x = b.valid(names.patches, input, stride)?;
    let mut x = tokens(b, names, x)?;
    for place in b.dict.indices(names.blocks) {
        x = block(b, names, &format!("{}{place}", names.blocks), x)?;
    }
    x = b.layer_norm(names.last, x)?;
    // Of the class token, which comes first.
    let first = graph::Cut { start: 0, end: 1, step: 1 };
    let class = graph::Crop { rows: graph::Cut::ALL, columns: first };
    x = b.op("class", Op::Crop(class), &[x])?;
    b.linear(names.head, x).map(drop)
}

/// Whether the class token has a place of its own beside those of a square, and the second layer of a block reads what
/// the first one gives: others have neither, or gates.
fn is_plain(dict: &StateDict, names: &Names) -> bool {
    let channels = dict.shape(names.class).last().copied().unwrap_or(0);
    let count = dict.get(names.positions).map_or(0, |of| of.len() / channels.max(1));
    let places = count.saturating_sub(1);
    let layer = |at: usize, axis: usize| {
        let mut shapes = names.layers[at]
            .iter()
            .map(|layer| dict.shape(&format!("{}0.{layer}.weight", names.blocks)));
        shapes.find_map(|shape| shape.get(axis).copied())
    };
    places.isqrt().pow(2) == places && places > 0 && layer(0, 0) == layer(1, 1)
}

/// Patches with what was trained for their places, in a row behind the class token.
fn tokens(b: &mut Builder<'_>, names: &Names, x: NodeId) -> Result<NodeId, ImportError> {
    let channels = b.channels(x);
    let missing =
        |name: &str| ImportError::MissingWeight { layer: name.into(), weight: "values".into() };
    let class = b.get(names.class).ok_or_else(|| missing(names.class))?;
    let class = class.vector(names.class, "the number of values", channels)?;
    let positions = b.get(names.positions).ok_or_else(|| missing(names.positions))?;
    let count = positions.len() / channels.max(1);
    let side = count.saturating_sub(1).isqrt();
    check_size(
        names.positions,
        "the number of values",
        (side * side + 1) * channels,
        positions.len(),
    )?;
    let positions =
        positions.values().map_err(|error| ImportError::unread(names.positions, &error))?;
    let (first, rest) = positions.split_at(channels);
    let values = (0..channels).flat_map(|c| rest.iter().skip(c).step_by(channels).copied());
    let embedding = PositionEmbedding { grid: [side, side], values: values.collect() };
    let x = b.op(names.positions, Op::PositionEmbedding(embedding), &[x])?;
    let before: Arc<[f32]> = class.iter().zip(first).map(|(a, b)| a + b).collect();
    b.op("tokens", Op::Tokens(Tokens { channels, before }), &[x])
}

fn block(
    b: &mut Builder<'_>,
    names: &Names,
    name: &str,
    input: NodeId,
) -> Result<NodeId, ImportError> {
    let part = |part: &str| format!("{name}.{part}");
    let channels = b.channels(input);
    let heads = heads(channels)?;
    let mut x = b.layer_norm(&part(names.norms[0]), input)?;
    x = projected(b, &part("queries"), names.queries.map(part), x)?;
    let third = |b: &mut Builder<'_>, which: usize, own: &str| {
        let channels: Vec<usize> = (which * channels..(which + 1) * channels).collect();
        let select = SelectChannels { in_channels: 3 * channels.len(), channels: channels.into() };
        b.op(&part(own), Op::SelectChannels(select), &[x])
    };
    let three = [third(b, 0, "query")?, third(b, 1, "key")?, third(b, 2, "value")?];
    let scale = 1.0 / (channels as f32 / heads as f32).sqrt();
    x = b.op(&part("attention"), Op::Attention(Attention { heads, scale }), &three)?;
    x = b.pointwise(&part(names.projection), x)?;
    x = weighed(b, &part("ls1.gamma"), x)?;
    let middle = b.add(&part("add_1"), x, input)?;
    x = b.layer_norm(&part(names.norms[1]), middle)?;
    let layers = names.layers.map(|[new, old]| {
        if b.dict.has(&format!("{}.weight", part(new))) { part(new) } else { part(old) }
    });
    x = b.pointwise(&layers[0], x)?;
    x = b.op(&part("gelu"), Op::Unary(Unary::Gelu), &[x])?;
    x = b.pointwise(&layers[1], x)?;
    x = weighed(b, &part("ls2.gamma"), x)?;
    b.add(name, x, middle)
}

/// `x` multiplied, channel by channel, with the tensor of this name, which DINOv2 has.
fn weighed(b: &mut Builder<'_>, name: &str, x: NodeId) -> Result<NodeId, ImportError> {
    if b.dict.has(name) { b.scaled(name, x) } else { Ok(x) }
}

/// A fully connected layer at each position, whose weights and biases have names of their own.
fn projected(
    b: &mut Builder<'_>,
    name: &str,
    [weights, bias]: [String; 2],
    x: NodeId,
) -> Result<NodeId, ImportError> {
    let missing = || ImportError::MissingWeight { layer: name.into(), weight: "weights".into() };
    let weights = b.get(&weights).ok_or_else(missing)?;
    let in_channels = b.channels(x);
    check_size(name, "the number of weights", 3 * in_channels * in_channels, weights.len())?;
    let bias = match b.get(&bias) {
        Some(bias) => bias.vector(name, "the number of biases", 3 * in_channels)?,
        None => vec![0.0; 3 * in_channels],
    };
    let conv = Conv2d {
        window: Window::new([1, 1], [1, 1]),
        out_channels: 3 * in_channels,
        in_channels,
        groups: 1,
        weights: weights.weights(name)?,
        bias: bias.into(),
    };
    b.op(name, Op::Conv2d(conv), &[x])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_known_by_the_channels_or_not_guessed() {
        let known = [192, 768, 1024, 1280, 1408, 1664].map(|channels| heads(channels).unwrap());
        assert_eq!(known, [3, 12, 16, 16, 16, 16]);
        for channels in [0, 100, 704, 1152, 1536] {
            let error = heads(channels).unwrap_err().to_string();
            assert!(error.contains("how many heads") && error.contains("ONNX"), "{error}");
        }
    }
}
