//! Normalisations by the values themselves: over channels, over positions, over groups of channels.

use std::sync::Arc;

use graph::{GroupNorm, LayerNorm, Op};

use super::elementwise::by_channel;
use super::form::Kind;
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value, optional};
use crate::ImportError;

/// Over all axes from one on, which have to be the channels.
pub(super) fn layer(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    let axis = form.axis(node.integer("axis", -1));
    let over = axis.is_some_and(|axis| {
        form.is_channels(axis, channels) && form.0[axis + 1..].iter().all(Vec::is_empty)
    });
    if !over {
        return Ok(Built::Unsupported(" over anything but the channels"));
    }
    let row = |reader: &Reader,
               input: &Value,
               usual: f32|
     -> Result<Option<Vec<f32>>, ImportError> {
        match input {
            Value::Nothing => Ok(Some(vec![usual; channels])),
            Value::Constant(constant) => by_channel(reader, node, id, form, input, &constant.shape),
            _ => Ok(None),
        }
    };
    let (scale, shift) = (row(reader, &inputs[1], 1.0)?, row(reader, optional(inputs, 2), 0.0)?);
    let (Some(scale), Some(shift)) = (scale, shift) else {
        return Ok(Built::Unsupported(" with a number for each position"));
    };
    let epsilon = node.float("epsilon", 1e-5);
    let norm = LayerNorm { scale: scale.into(), shift: shift.into(), epsilon };
    Ok(Built::Op(Op::LayerNorm(norm), vec![id], form.clone()))
}

/// A constant's numbers, of which there is one for each of `count`, for each of `channels`.
fn spread(
    node: &Node,
    input: &Value,
    count: usize,
    channels: usize,
) -> Result<Option<Arc<[f32]>>, ImportError> {
    let Some(constant) = input.constant().filter(|constant| constant.len() == count) else {
        return Ok(None);
    };
    let values = constant.floats(&node.name)?;
    let each = channels / count.max(1);
    Ok(Some((0..channels).filter_map(|c| values.get(c / each.max(1)).copied()).collect()))
}

/// Over all positions of each channel, or of each group of channels where the axis has these.
pub(super) fn instance(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    const OTHER: Built = Built::Unsupported(" over anything but all positions of channels");
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    let axes = form.rank();
    if axes < 3 || !form.0[0].is_empty() {
        return Ok(OTHER);
    }
    // The outer part of the channels, the rest of which lies with the positions.
    let groups = match form.0[1][..] {
        // All of them lie with the positions.
        [] => 1,
        [part] if part.kind == Kind::Channels && part.step * part.size == channels => part.size,
        _ => return Ok(OTHER),
    };
    let scale = spread(node, &inputs[1], groups, channels)?;
    let shift = spread(node, &inputs[2], groups, channels)?;
    let (Some(scale), Some(shift)) = (scale, shift) else {
        return Ok(Built::Unsupported(" with numbers that do not fit"));
    };
    let epsilon = node.float("epsilon", 1e-5);
    let norm = GroupNorm { groups, scale, shift, epsilon };
    Ok(Built::Op(Op::GroupNorm(norm), vec![id], form.clone()))
}

/// Over all positions of each group of channels; until opset 20 with a number for each group.
pub(super) fn group(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(id) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    let groups = usize::try_from(node.integer("num_groups", 0)).unwrap_or(0);
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Ok(Built::Unsupported(" of groups that do not divide the channels"));
    }
    let count = if node.opset < 21 { groups } else { channels };
    let scale = spread(node, &inputs[1], count, channels)?;
    let shift = spread(node, &inputs[2], count, channels)?;
    let (Some(scale), Some(shift)) = (scale, shift) else {
        return Ok(Built::Unsupported(" with numbers that do not fit"));
    };
    let epsilon = node.float("epsilon", 1e-5);
    Ok(Built::Map(Op::GroupNorm(GroupNorm { groups, scale, shift, epsilon }), vec![id]))
}
