//! Sums, differences and products of TensorFlow: of two nodes, or of a node and a constant that has
//! one number for each channel.

use graph::{Affine, Conv2d, Dense, NodeId, Op};

use super::proto::NodeDef;
use super::reader::{Built, Flat, Reader, Value, input};
use crate::ImportError;
use crate::kit::check_size;

/// A bias, which a convolution or matrix takes into itself, or a sum of two nodes.
pub(super) fn add(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let (a, b) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    if let (Some(a), Some(b)) = (a.node(), b.node()) {
        return Ok(Built::Op(Op::Add, vec![a, b]));
    }
    let (source, bias) = if a.node().is_some() { (a, b) } else { (b, a) };
    shifted(reader, node, source, bias, 1.0)
}

pub(super) fn subtract(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    shifted(reader, node, input(node, inputs, 0)?, input(node, inputs, 1)?, -1.0)
}

/// `source + sign · bias`
fn shifted(
    reader: &Reader,
    node: &NodeDef,
    source: Value,
    bias: Value,
    sign: f32,
) -> Result<Built, ImportError> {
    let (id, mut bias) = match operands(reader, node, source, bias)? {
        Ok(found) => found,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    bias.iter_mut().for_each(|x| *x *= sign);
    let inputs = || reader.assembly.inputs(id).to_vec();
    Ok(match reader.assembly.op(id) {
        Op::Conv2d(conv) => {
            let bias = conv.bias.iter().zip(&bias).map(|(a, b)| a + b).collect();
            Built::Op(Op::Conv2d(Conv2d { bias, ..conv.clone() }), inputs())
        }
        Op::Dense(dense) => {
            let bias = dense.bias.iter().zip(&bias).map(|(a, b)| a + b).collect();
            Built::Op(Op::Dense(Dense { bias, ..dense.clone() }), inputs())
        }
        _ => {
            let scale = vec![1.0; bias.len()].into();
            Built::Op(Op::Affine(Affine { scale, shift: bias.into() }), vec![id])
        }
    })
}

pub(super) fn multiply(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (a, b) = (input(node, inputs, 0)?, input(node, inputs, 1)?);
    let (source, factor) = if a.node().is_some() { (a, b) } else { (b, a) };
    Ok(match operands(reader, node, source, factor)? {
        Ok((id, scale)) => {
            let shift = vec![0.0; scale.len()].into();
            Built::Op(Op::Affine(Affine { scale: scale.into(), shift }), vec![id])
        }
        Err(why) => Built::Unsupported(why),
    })
}

/// A node, and a constant as one number for each of its channels.
fn operands(
    reader: &Reader,
    node: &NodeDef,
    source: Value,
    constant: Value,
) -> Result<Result<(NodeId, Vec<f32>), &'static str>, ImportError> {
    let (Some(id), Some(constant)) = (source.node(), reader.constant(constant)) else {
        return Ok(Err(" of these inputs"));
    };
    if matches!(source, Value::Flat(_, Flat::Picture)) {
        return Ok(Err(" over all of a picture"));
    }
    let Some(channels) = reader.assembly.channels(id) else {
        return Ok(Err(" of what is not supported"));
    };
    let mut values = constant.floats(&node.name)?;
    if let [one] = values[..] {
        values = vec![one; channels];
    }
    let along_channels = constant.shape.iter().rev().skip(1).all(|&size| size == 1);
    if !along_channels {
        return Ok(Err(" by a number for each position"));
    }
    check_size(&node.name, "the number of values", channels, values.len())?;
    Ok(Ok((id, values)))
}
