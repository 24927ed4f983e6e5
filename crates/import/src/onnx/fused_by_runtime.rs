//! Operations that ONNX Runtime makes of several when it writes an optimised model.

use graph::{Op, Unary};

use super::node::Node;
use super::reader::{Built, Reader, Value, optional};
use super::{arithmetic, convolution};
use crate::ImportError;

/// A convolution, a value that is added, and a function of the sum.
pub(super) fn conv(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let parameters =
        node.attribute("activation_params").map(|of| of.floats.clone()).unwrap_or_default();
    let parameter = |index: usize, usual: f32| parameters.get(index).copied().unwrap_or(usual);
    let function = match node.text("activation") {
        None | Some("") => None,
        Some("Relu") => Some(Op::Relu),
        Some(name) => Some(Op::Unary(match name {
            "Clip" => Unary::Clip {
                min: parameter(0, f32::NEG_INFINITY),
                max: parameter(1, f32::INFINITY),
            },
            "HardSigmoid" => {
                Unary::HardSigmoid { alpha: parameter(0, 0.2), beta: parameter(1, 0.5) }
            }
            "LeakyRelu" => Unary::LeakyRelu { alpha: parameter(0, 0.01) },
            "Sigmoid" => Unary::Sigmoid,
            "Tanh" => Unary::Tanh,
            _ => return Ok(Built::Unsupported(" with this function")),
        })),
    };
    let conv = match convolution::conv(reader, node, &inputs[..inputs.len().min(3)])? {
        Built::Map(op, inputs) => reader.add(&node.name, op, &inputs)?,
        other => return Ok(other),
    };
    let value = Value::Node(conv, reader.map_form(conv));
    let sum = match optional(inputs, 3) {
        Value::Nothing => value,
        added => match arithmetic::sum(reader, node, &[value, added.clone()])? {
            Built::Op(op, inputs, form) => Value::Node(reader.add(&node.name, op, &inputs)?, form),
            other => return Ok(other),
        },
    };
    Ok(match (sum, function) {
        (Value::Node(id, form), Some(function)) => Built::Op(function, vec![id], form),
        (sum, _) => Built::same(sum),
    })
}

/// GELU of a value and a bias.
pub(super) fn bias_gelu(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    Ok(match arithmetic::add(reader, node, inputs)? {
        Built::Op(op, inputs, form) => {
            let id = reader.add(&node.name, op, &inputs)?;
            Built::Op(Op::Unary(Unary::Gelu), vec![id], form)
        }
        other => other,
    })
}
