//! What works value by value or across the channels, and what changes nothing.

use graph::{Lrn, Op, Unary};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, NO_MAP, Reader, Value, input, map};
use crate::ImportError;
use crate::kit::Activation;

pub(super) fn relu(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)?.node() {
        Some(source) => Built::Op(Op::Relu, vec![source]),
        None => NO_MAP,
    })
}

/// A function of each value by itself.
pub(super) fn function(
    node: &NodeDef,
    inputs: &[Value],
    function: Unary,
) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)?.node() {
        Some(source) => Built::Op(Op::Unary(function), vec![source]),
        None => NO_MAP,
    })
}

pub(super) fn relu6(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)?.node() {
        Some(source) => Built::Activation(Activation::Clipped { most: 6.0 }, source),
        None => NO_MAP,
    })
}

pub(super) fn leaky_relu(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = input(node, inputs, 0)?.node() else { return Ok(NO_MAP) };
    let slope = vec![node.float("alpha", 0.2); reader.assembly.channels(source).unwrap_or(0)];
    Ok(Built::Activation(Activation::Leaky { slope }, source))
}

pub(super) fn softmax(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)? {
        Value::Node(source, Form::Map(Layout::Last) | Form::Position) => {
            Built::Op(Op::Softmax, vec![source])
        }
        _ => Built::Unsupported(" over anything but the channels"),
    })
}

pub(super) fn identity(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(Built::Same(input(node, inputs, 0)?))
}

/// `x / (bias + alpha · Σ x²)^beta` over `depth_radius` channels to each side.
pub(super) fn lrn(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some((source, Layout::Last)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
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
    let form = inputs.first().and_then(|input| input.form());
    let along = match form {
        Some(Form::Map(layout)) => Some((layout.axes()[2], 4)),
        Some(Form::Position) => Some((1, 2)),
        _ => None,
    };
    let channels = along
        .is_some_and(|(channels, rank)| axis[..] == [channels] || axis[..] == [channels - rank]);
    if !channels || inputs.iter().any(|input| input.form() != form) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    Ok(Built::Op(Op::Concat, inputs.iter().filter_map(|input| input.node()).collect()))
}
