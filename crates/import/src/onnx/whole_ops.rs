//! ONNX Runtime's operations from whole numbers to whole numbers: those of what the numbers stand for, within the bounds
//! of what they give.

use std::slice::from_ref;

use super::matrix;
use super::node::Node;
use super::ops;
use super::quantised::{Levels, OTHER};
use super::reader::{Built, Reader, Value, optional};
use crate::ImportError;
use crate::kit::Array;

/// The operation that one of them is of floating-point numbers.
pub(super) fn plain(op: &str) -> Option<&'static str> {
    Some(match op {
        "QLinearMatMul" => "MatMul",
        "com.microsoft.QGemm" => "Gemm",
        "com.microsoft.QLinearAdd" => "Add",
        "com.microsoft.QLinearAveragePool" => "AveragePool",
        "com.microsoft.QLinearConcat" => "Concat",
        "com.microsoft.QLinearGlobalAveragePool" => "GlobalAveragePool",
        "com.microsoft.QLinearLeakyRelu" => "LeakyRelu",
        "com.microsoft.QLinearMul" => "Mul",
        "com.microsoft.QLinearReduceMean" => "ReduceMean",
        "com.microsoft.QLinearSigmoid" => "Sigmoid",
        _ => return None,
    })
}

/// What such a node gives.
///
/// # Errors
/// Weights that do not fit.
pub(super) fn build(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    const OF_WEIGHTS: Built = Built::Unsupported(" with weights of such a kind");
    let nothing = &Value::Nothing;
    let plain = plain(&node.op).unwrap_or_default();
    let (given, [to, at]) = match (plain, inputs) {
        ("Concat", [to, at, rest @ ..]) => {
            let each = rest.chunks(3).map(|of| meant(reader, of));
            (each.collect::<Option<Vec<_>>>(), [to, at])
        }
        ("MatMul", [a, _, _, b, scale, zero, to, at]) => {
            let matrix = weights(reader, &[b.clone(), scale.clone(), zero.clone()], false);
            (both(meant(reader, from_ref(a)), matrix), [to, at])
        }
        ("Gemm", [a, scale, _, b, b_scale, b_zero, rest @ ..]) => {
            let by_row = node.integer("transB", 0) != 0;
            let matrix = weights(reader, &[b.clone(), b_scale.clone(), b_zero.clone()], by_row);
            let given = both(meant(reader, from_ref(a)), matrix);
            let bias = match optional(rest, 0) {
                Value::Nothing => Some(Value::Nothing),
                bias => whole_bias(bias, scale, b_scale),
            };
            let given = given.zip(bias).map(|(mut given, bias)| {
                given.push(bias);
                given
            });
            (given, [optional(rest, 1), optional(rest, 2)])
        }
        ("Add" | "Mul", [a, s, z, b, t, y, to, at]) => {
            let of = |value: &Value, scale: &Value, zero: &Value| {
                [value.clone(), scale.clone(), zero.clone()]
            };
            (both(meant(reader, &of(a, s, z)), meant(reader, &of(b, t, y))), [to, at])
        }
        ("Add" | "Gemm" | "MatMul" | "Mul", _) => (None, [nothing; 2]),
        (_, [x, s, z, to, at]) if node.integer("channels_last", 0) == 0 => {
            (meant(reader, &[x.clone(), s.clone(), z.clone()]).map(|x| vec![x]), [to, at])
        }
        _ => (None, [nothing; 2]),
    };
    let Some(given) = given else { return Ok(OF_WEIGHTS) };
    let plain = Node { op: plain.into(), ..node.clone() };
    let made = match &*plain.op {
        "Gemm" => {
            let built = matrix::gemm(reader, &plain, &given)?;
            value(reader, node, built)?
        }
        _ => ops::build(reader, &plain, &given)?.into_iter().next(),
    };
    let Some(made) = made else { return Ok(OF_WEIGHTS) };
    // What is left in floating point has no bounds.
    if to.is_nothing() {
        return Ok(Built::same(made));
    }
    let Some(levels) = Levels::of(to, at) else { return Ok(Built::Unsupported(OTHER)) };
    let bound = levels.bound(reader, &node.name, &made)?;
    Ok(Built::same(bound.unwrap_or(made)))
}

fn value(reader: &mut Reader, node: &Node, built: Built) -> Result<Option<Value>, ImportError> {
    Ok(match built {
        Built::Op(op, inputs, form) => {
            let id = reader.add(&node.name, op, &inputs)?;
            Some(Value::Node(id, reader.settled(id, form)))
        }
        Built::Map(op, inputs) => {
            let id = reader.add(&node.name, op, &inputs)?;
            Some(Value::Node(id, reader.map_form(id)))
        }
        Built::Values(values) => values.into_iter().next(),
        Built::Unsupported(_) => None,
    })
}

fn both(a: Option<Value>, b: Option<Value>) -> Option<Vec<Value>> {
    Some(vec![a?, b?])
}

/// What whole numbers stand for: a computed value, or a constant with its scale and its zero behind it.
fn meant(reader: &mut Reader, of: &[Value]) -> Option<Value> {
    match of {
        [Value::Quantised(of), ..] => Some(of.value.clone()),
        [Value::Constant(_), _, _] => weights(reader, of, false),
        _ => None,
    }
}

/// The numbers that whole ones stand for: `(x − zero) · scale`, with one scale for all, or for each row or column.
fn weights(reader: &mut Reader, of: &[Value], by_row: bool) -> Option<Value> {
    let [constant, scale, zero] = of else { return None };
    let constant = constant.constant()?;
    reader.count(constant.len().checked_mul(2)?)?;
    let met = |value: &Value| -> Option<Array> {
        let array = value.constant()?.array()?.into_floats();
        match (array.len(), by_row) {
            (1, _) => array.reshaped(&[]),
            (_, true) => array.reshaped(&[-1, 1]),
            (_, false) => array.reshaped(&[-1]),
        }
    };
    let none = |_: i64, _: i64| None;
    let mut values = constant.array()?.into_floats();
    if !zero.is_nothing() {
        values = values.zip(&met(zero)?, |x, zero| x - zero, none)?;
    }
    Some(values.zip(&met(scale)?, |x, scale| x * scale, none)?.into())
}

/// A bias in steps of the products of both scales.
fn whole_bias(bias: &Value, scale: &Value, weights: &Value) -> Option<Value> {
    let flat = |value: &Value| {
        let array = value.constant()?.array()?.into_floats();
        if array.len() == 1 { array.reshaped(&[]) } else { array.reshaped(&[-1]) }
    };
    let none = |_: i64, _: i64| None;
    let steps = flat(scale)?.zip(&flat(weights)?, |a, b| a * b, none)?;
    Some(flat(bias)?.zip(&steps, |bias, step| bias * step, none)?.into())
}
