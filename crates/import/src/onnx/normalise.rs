//! Batch normalisation, local response normalisation, softmax.

use graph::{Affine, Lrn, Op};

use super::convolution::row;
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value};
use crate::ImportError;
use crate::kit::normalised_by;

/// `scale · (x − mean) / √(variance + epsilon) + shift`, with one of each for each channel: a scale and a shift.
pub(super) fn batch(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    if form.rank() < 2 || !form.is_channels(1, channels) {
        return Ok(Built::Unsupported(" over anything but the channels"));
    }
    let mut rows = Vec::with_capacity(4);
    for input in &inputs[1..] {
        let Some(constant) = input.constant() else {
            return Ok(Built::Unsupported(" with computed statistics"));
        };
        rows.push(row(node, constant, channels, "the number of statistics")?);
    }
    let [scale, shift, mean, variance] = &rows[..] else { return Ok(NO_MAP) };
    let epsilon = node.float("epsilon", 1e-5);
    let of = |c: usize| {
        normalised_by([scale[c], shift[c], mean[c], variance[c]].map(f64::from), epsilon)
    };
    let affine = Affine {
        scale: (0..channels).map(|c| of(c).0 as f32).collect(),
        shift: (0..channels).map(|c| of(c).1 as f32).collect(),
    };
    Ok(Built::Op(Op::Affine(affine), vec![id], form.clone()))
}

/// Local response normalisation across channels; its alpha is for the whole window.
pub(super) fn lrn(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let size = usize::try_from(node.integer("size", 0)).unwrap_or(0);
    let lrn = Lrn {
        size,
        alpha: node.float("alpha", 1e-4) / size as f32,
        beta: node.float("beta", 0.75),
        bias: node.float("bias", 1.0),
    };
    Ok(Built::Map(Op::Lrn(lrn), vec![source]))
}

/// Softmax across the channels. Until opset 12 it goes over all axes from one on.
pub(super) fn softmax(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    let old = node.opset < 13;
    let axis = form.axis(node.integer("axis", if old { 1 } else { -1 }));
    let across = axis.is_some_and(|axis| {
        let rest = &form.0[axis + 1..];
        form.has_channels(axis, channels)
            && (!old || rest.iter().flatten().all(|part| part.size == 1))
    });
    Ok(match across {
        true => Built::Op(Op::Softmax, vec![id], form.clone()),
        false => Built::Unsupported(" over anything but the channels"),
    })
}
