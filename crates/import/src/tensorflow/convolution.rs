//! Convolutions, and zeros around what they read.

use std::sync::Arc;

use graph::{Conv2d, NodeId, Op, Padding};

use super::proto::NodeDef;
use super::reader::{Built, NO_MAP, Reader, Value, input, map};
use super::window::{around, window};
use crate::ImportError;

pub(super) fn conv2d(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [height, width, in_channels, out_channels] = weights.four(&node.name)?;
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    // Weights for fewer channels than there are divide these into groups.
    let groups = match reader.assembly.channels(source) {
        Some(channels) if in_channels > 0 && channels.is_multiple_of(in_channels) => {
            channels / in_channels
        }
        _ => 1,
    };
    let conv = |window| Conv2d {
        window,
        out_channels,
        in_channels,
        groups,
        weights: Vec::new().into(),
        bias: Arc::default(),
    };
    match window(node, layout, [height, width]) {
        Ok(window) => {
            let weights = weights.convolution(&node.name)?;
            convolution(Conv2d { weights, ..conv(window) }, source, inputs[0])
        }
        Err(why) => Ok(Built::Unsupported(why)),
    }
}

pub(super) fn depthwise(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [height, width, channels, times] = weights.four(&node.name)?;
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let window = match window(node, layout, [height, width]) {
        Ok(window) => window,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    let weights = weights.depthwise(&node.name)?;
    let conv = Conv2d {
        window,
        out_channels: channels.saturating_mul(times),
        in_channels: 1,
        groups: channels,
        weights,
        bias: Arc::default(),
    };
    convolution(conv, source, inputs[0])
}

/// The convolution without a bias yet, on its input or on what that pads.
fn convolution(mut conv: Conv2d, source: NodeId, input: Value) -> Result<Built, ImportError> {
    let mut source = source;
    if let (Value::Padded { source: inner, pads, .. }, Padding::VALID) =
        (input, conv.window.padding)
    {
        let [top, bottom, left, right] = pads;
        conv.window.padding = Padding::Explicit { top, bottom, left, right };
        source = inner;
    }
    conv.bias = vec![0.0; conv.out_channels].into();
    Ok(Built::Op(Op::Conv2d(conv), vec![source]))
}

/// Zeros around rows and columns.
pub(super) fn pad(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let Some(pads) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" by computed sizes"));
    };
    Ok(match around(&pads.integers(&node.name)?, layout) {
        Some(pads) => Built::Padded(source, pads, layout),
        None => Built::Unsupported(" of channels or pictures"),
    })
}
