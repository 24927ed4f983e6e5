//! What works value by value.

use graph::Op;

use super::node::Node;
use super::proto::tensor_proto::DataType;
use super::reader::{Built, NO_MAP, Reader, Value};
use super::tensor::is_float;
use crate::ImportError;

pub(super) fn relu(_: &mut Reader, _: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(of(Op::Relu, &inputs[0]))
}

/// A function of each value of an input.
fn of(op: Op, input: &Value) -> Built {
    match input.node() {
        Some((id, form)) => Built::Op(op, vec![id], form.clone()),
        None => NO_MAP,
    }
}

/// To another kind of floating point, which is the same here.
pub(super) fn cast(_: &mut Reader, node: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let kind = i32::try_from(node.integer("to", 0)).ok();
    let kind = kind.and_then(|kind| DataType::try_from(kind).ok());
    Ok(match kind.is_some_and(is_float) {
        true => Built::same(inputs[0].clone()),
        false => Built::Unsupported(" to whole numbers"),
    })
}

pub(super) fn cast_like(_: &mut Reader, _: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let whole = inputs[1].at_first().is_some_and(|constant| !constant.is_float());
    Ok(match whole {
        true => Built::Unsupported(" to whole numbers"),
        false => Built::same(inputs[0].clone()),
    })
}
