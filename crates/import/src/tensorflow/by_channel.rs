//! Sums, differences, products, quotients and bounds of TensorFlow: of two nodes, or of a node and a
//! constant that has one number for each channel.

use std::sync::Arc;

use graph::{Affine, Binary, Conv2d, Dense, NodeId, Op};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, Reader, Value, input};
use crate::ImportError;
use crate::kit::{Activation, check_size};

/// A node, and one number for each of its channels; or why there are none, as [`Built::Unsupported`] has it.
type Operands = Result<(NodeId, Vec<f32>), &'static str>;

/// A bias, which a convolution or matrix takes into itself, or a sum of two nodes.
pub(super) fn add(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    if inputs.iter().all(|input| input.node().is_some()) {
        return add_all(reader, node, inputs);
    }
    let (source, bias) = node_first(node, inputs)?;
    Ok(built(operands(reader, node, source, bias)?, |id, bias| shifted(reader, id, bias)))
}

/// A sum of nodes.
pub(super) fn add_all(_: &Reader, _: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let nodes: Option<Vec<NodeId>> = inputs.iter().map(|input| input.node()).collect();
    let form = inputs.first().and_then(|input| input.form());
    Ok(match nodes {
        Some(_) if inputs.iter().any(|input| input.form() != form) => {
            Built::Unsupported(" of pictures in different orders (NHWC and NCHW)")
        }
        Some(nodes) => Built::Op(Op::Add, nodes),
        None => Built::Unsupported(" of these inputs"),
    })
}

/// A bias, whose numbers are those of the channels wherever these are.
pub(super) fn bias_add(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let source = input(node, inputs, 0)?;
    let (Some(id), Some(bias)) = (source.node(), reader.constant(input(node, inputs, 1)?)) else {
        return Ok(Built::Unsupported(" of these inputs"));
    };
    match source.form() {
        Some(Form::Map(layout)) if Layout::of(node) != Some(layout) => {
            return Ok(Built::Unsupported(layout.not_taken()));
        }
        Some(Form::Row(_)) => return Ok(Built::Unsupported(" over all of a picture")),
        _ => {}
    }
    let Some(channels) = reader.assembly.channels(id) else {
        return Ok(Built::Unsupported(" of what is not supported"));
    };
    let bias = bias.floats(&node.name)?;
    check_size(&node.name, "the number of values", channels, bias.len())?;
    Ok(shifted(reader, id, bias))
}

/// Two nodes, value by value, where an extent of 1 counts for all positions of the other; `None` where one of
/// them is a constant.
fn of_two(node: &NodeDef, inputs: &[Value], op: Binary) -> Result<Option<Built>, ImportError> {
    let (a, b) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    Ok(match (a.node(), b.node()) {
        (Some(_), Some(_)) if a.form() != b.form() => {
            Some(Built::Unsupported(" of pictures in different orders (NHWC and NCHW)"))
        }
        (Some(a), Some(b)) => Some(Built::Op(Op::Binary(op), vec![a, b])),
        _ => None,
    })
}

pub(super) fn subtract(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = of_two(node, inputs, Binary::Sub)? {
        return Ok(built);
    }
    let (a, b) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    if a.node().is_some() {
        let minus = |id, bias: Vec<f32>| shifted(reader, id, bias.iter().map(|x| -x).collect());
        return Ok(built(operands(reader, node, a, b)?, minus));
    }
    Ok(built(operands(reader, node, b, a)?, |id, shift| affine(id, vec![-1.0; shift.len()], shift)))
}

pub(super) fn multiply(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = of_two(node, inputs, Binary::Mul)? {
        return Ok(built);
    }
    if let Some(extent) = extent(reader, node, inputs)? {
        return Ok(extent);
    }
    let (source, factor) = node_first(node, inputs)?;
    Ok(built(operands(reader, node, source, factor)?, scaled))
}

/// The rows and columns of a node, times whole numbers.
fn extent(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Option<Built>, ImportError> {
    let (of, times, factors) = match *inputs {
        [Value::Extent { of, times }, factors] | [factors, Value::Extent { of, times }] => {
            (of, times, factors)
        }
        _ => return Ok(None),
    };
    let factors =
        reader.constant(factors).map(|factors| factors.integers(&node.name)).transpose()?;
    let factors = match factors.as_deref() {
        Some(&[both]) => [both; 2],
        Some(&[rows, columns]) => [rows, columns],
        _ => return Ok(Some(Built::Unsupported(" of sizes that are not known yet"))),
    };
    let product = |axis: usize| u16::try_from(factors[axis]).ok()?.checked_mul(times[axis]);
    Ok(Some(match (product(0), product(1)) {
        (Some(rows), Some(columns)) => Built::Same(Value::Extent { of, times: [rows, columns] }),
        _ => Built::Unsupported(" of sizes that are not known yet"),
    }))
}

pub(super) fn divide(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = of_two(node, inputs, Binary::Div)? {
        return Ok(built);
    }
    let (source, divisor) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    let divided = |id, divisor: Vec<f32>| scaled(id, divisor.iter().map(|x| 1.0 / x).collect());
    Ok(built(operands(reader, node, source, divisor)?, divided))
}

pub(super) fn negate(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let id = input(node, inputs, 0)?.node();
    let known = id.and_then(|id| Some((id, reader.assembly.channels(id)?)));
    Ok(match known {
        Some((id, channels)) => scaled(id, vec![-1.0; channels]),
        None => Built::Unsupported(" of what is not supported"),
    })
}

pub(super) fn maximum(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (source, least) = node_first(node, inputs)?;
    let bounded = |id, least| Built::Activation(Activation::AtLeast { least }, id);
    Ok(built(operands(reader, node, source, least)?, bounded))
}

pub(super) fn minimum(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (source, most) = node_first(node, inputs)?;
    let bounded = |id, most| Built::Activation(Activation::AtMost { most }, id);
    Ok(built(operands(reader, node, source, most)?, bounded))
}

/// Two inputs in an order in which a node comes before a constant.
fn node_first(node: &NodeDef, inputs: &[Value]) -> Result<(Value, Value), ImportError> {
    let (a, b) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    Ok(if a.node().is_some() { (a, b) } else { (b, a) })
}

fn built(operands: Operands, op: impl FnOnce(NodeId, Vec<f32>) -> Built) -> Built {
    match operands {
        Ok((id, numbers)) => op(id, numbers),
        Err(why) => Built::Unsupported(why),
    }
}

fn affine(id: NodeId, scale: Vec<f32>, shift: Vec<f32>) -> Built {
    Built::Op(Op::Affine(Affine { scale: scale.into(), shift: shift.into() }), vec![id])
}

fn scaled(id: NodeId, scale: Vec<f32>) -> Built {
    let shift = vec![0.0; scale.len()];
    affine(id, scale, shift)
}

/// A node and a bias, which becomes part of a convolution or matrix.
fn shifted(reader: &Reader, id: NodeId, bias: Vec<f32>) -> Built {
    let inputs = || reader.assembly.inputs(id).to_vec();
    let sum = |own: &[f32]| -> Arc<[f32]> { own.iter().zip(&bias).map(|(a, b)| a + b).collect() };
    match reader.assembly.op(id) {
        Op::Conv2d(conv) => {
            Built::Op(Op::Conv2d(Conv2d { bias: sum(&conv.bias), ..conv.clone() }), inputs())
        }
        Op::Dense(dense) => {
            Built::Op(Op::Dense(Dense { bias: sum(&dense.bias), ..dense.clone() }), inputs())
        }
        _ => affine(id, vec![1.0; bias.len()], bias),
    }
}

/// A node, and a constant as one number for each of its channels.
fn operands(
    reader: &Reader,
    node: &NodeDef,
    source: Value,
    constant: Value,
) -> Result<Operands, ImportError> {
    let (Some(id), Some(constant)) = (source.node(), reader.constant(constant)) else {
        return Ok(Err(" of these inputs"));
    };
    // The sizes of the file's last axes, of which the channels' is one.
    let behind = match source.form() {
        Some(Form::Row(_)) => return Ok(Err(" over all of a picture")),
        Some(Form::Map(Layout::First)) => 2,
        _ => 0,
    };
    let Some(channels) = reader.assembly.channels(id) else {
        return Ok(Err(" of what is not supported"));
    };
    let mut others = constant.shape.iter().rev().enumerate().filter(|(at, _)| *at != behind);
    if !others.all(|(_, &size)| size == 1) {
        return Ok(Err(match reader.assembly.inputs(id) {
            [] => {
                " by a number for each position of the picture; use the mean of each channel instead"
            }
            _ => " by a number for each position",
        }));
    }
    let mut values = constant.floats(&node.name)?;
    if let [one] = values[..] {
        values = vec![one; channels];
    }
    check_size(&node.name, "the number of values", channels, values.len())?;
    Ok(Ok((id, values)))
}
