//! What works value by value or across the channels, and what changes nothing.

use graph::{Lrn, Op};

use super::proto::NodeDef;
use super::reader::{Built, Flat, NOT_PLAIN, Reader, Value, input, plain};
use crate::ImportError;

pub(super) fn relu(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)?.node() {
        Some(source) => Built::Op(Op::Relu, vec![source]),
        None => NOT_PLAIN,
    })
}

pub(super) fn softmax(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)? {
        Value::Node(source) | Value::Flat(source, Flat::Position) => {
            Built::Op(Op::Softmax, vec![source])
        }
        _ => Built::Unsupported(" over all of a picture"),
    })
}

pub(super) fn identity(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(Built::Same(input(node, inputs, 0)?))
}

/// `x / (bias + alpha · Σ x²)^beta` over `depth_radius` channels to each side.
pub(super) fn lrn(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(source) = plain(input(node, inputs, 0)?) else { return Ok(NOT_PLAIN) };
    let radius = usize::try_from(node.integer("depth_radius", 5)).unwrap_or(usize::MAX);
    let lrn = Lrn {
        size: radius.saturating_mul(2).saturating_add(1),
        alpha: node.float("alpha", 1.0),
        beta: node.float("beta", 0.5),
        bias: node.float("bias", 1.0),
    };
    Ok(Built::Op(Op::Lrn(lrn), vec![source]))
}

/// Joins the inputs; the axis comes first.
pub(super) fn concat(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let axis = input(node, inputs, 0)?;
    join(reader, node, axis, &inputs[1..])
}

/// Joins the inputs; the axis comes last.
pub(super) fn concat_v2(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let axis = input(node, inputs, inputs.len().saturating_sub(1))?;
    join(reader, node, axis, &inputs[..inputs.len() - 1])
}

fn join(
    reader: &Reader,
    node: &NodeDef,
    axis: Value,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(axis) = reader.constant(axis) else {
        return Ok(Built::Unsupported(" along a computed axis"));
    };
    let axis = axis.integers(&node.name)?;
    let channels = |input: &Value| match input {
        Value::Node(_) | Value::Padded { .. } => matches!(axis[..], [3 | -1]),
        Value::Flat(_, Flat::Position) => matches!(axis[..], [1 | -1]),
        _ => false,
    };
    if !inputs.iter().all(channels) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    Ok(Built::Op(Op::Concat, inputs.iter().filter_map(|input| input.node()).collect()))
}
