//! Networks that compute with whole numbers: what is rounded to them and back again, or stays so from operation to
//! operation.
//!
//! Here they compute with the numbers that the whole ones stand for, unrounded, since what is rounded has no slope.
//! The bounds of the whole numbers stay: one at 0 is often all that is left of a ReLU. Weights stay rounded.

use std::sync::Arc;

use graph::{NodeId, Op, Unary};

use super::node::Node;
use super::reader::{Built, Reader, Value, optional};
use super::tensor::Constant;
use super::{convolution, matrix, ops, whole_ops};
use crate::ImportError;
use crate::kit::{Array, MAX_GROWN, Slice, Values, place};

/// A value that the file has as whole numbers.
#[derive(Clone, Debug)]
pub(super) struct Quantised {
    /// What they stand for.
    pub(super) value: Value,
    pub(super) scale: f32,
    zero: f32,
}

impl Quantised {
    pub(super) fn ids(&self) -> Vec<NodeId> {
        self.value.ids()
    }
}

/// Operations that only move values, which are the same of whole numbers.
const MOVES: [&str; 8] =
    ["Flatten", "Identity", "MaxPool", "Pad", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

pub(super) const OTHER: &str = " of other scales than one number";

/// How a number is rounded to whole ones: its scale, what stands for 0, and the least and the most there is.
pub(super) struct Levels {
    scale: f32,
    zero: f32,
    ends: [f32; 2],
}

impl Levels {
    /// `None` where there is more than one scale, or where the whole numbers are of no kind that has bounds.
    pub(super) fn of(scale: &Value, zero: &Value) -> Option<Self> {
        let scale = one(scale).filter(|scale| *scale > 0.0)?;
        let (zero, ends) = match zero {
            Value::Nothing => (0.0, [0.0, 255.0]),
            zero => (one(zero)?, zero.constant()?.whole_ends()?),
        };
        Some(Self { scale, zero, ends })
    }

    /// A value within what the whole numbers reach.
    pub(super) fn bound(
        &self,
        reader: &mut Reader,
        name: &str,
        value: &Value,
    ) -> Result<Option<Value>, ImportError> {
        let Some((id, form)) = value.node() else { return Ok(None) };
        let form = form.clone();
        let [min, max] = self.ends.map(|end| (end - self.zero) * self.scale);
        let id = reader.add(name, Op::Unary(Unary::Clip { min, max }), &[id])?;
        Ok(Some(self.quantised(Value::Node(id, form))))
    }

    fn quantised(&self, value: Value) -> Value {
        Value::Quantised(Arc::new(Quantised { value, scale: self.scale, zero: self.zero }))
    }
}

fn one(value: &Value) -> Option<f32> {
    let constant = value.constant().filter(|constant| constant.len() == 1)?;
    constant.array()?.into_floats().as_floats()?.first().copied()
}

/// What a node gives that makes whole numbers, reads some, or makes others of them; `None` if it does not.
///
/// # Errors
/// Weights that do not fit.
pub(super) fn step(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Option<Built>, ImportError> {
    let whole = |input: &Value| matches!(input, Value::Quantised(_));
    Ok(match (node.op.as_str(), inputs) {
        ("QuantizeLinear", [value @ Value::Node(..), scale, rest @ ..]) => {
            let Some(levels) = Levels::of(scale, optional(rest, 0)) else {
                return Ok(Some(Built::Unsupported(OTHER)));
            };
            levels.bound(reader, &node.name, value)?.map(Built::same)
        }
        ("QuantizeLinear", [Value::Constant(constant), scale, rest @ ..]) => {
            rounded(reader, node, constant, scale, optional(rest, 0)).map(Built::same)
        }
        ("DequantizeLinear", [Value::Quantised(of), scale, rest @ ..]) => {
            let zero = match optional(rest, 0) {
                Value::Nothing => Some(0.0),
                zero => one(zero),
            };
            // Weights have a scale for each channel, and are what they are.
            let own = of.value.constant().is_some()
                || (one(scale), zero) == (Some(of.scale), Some(of.zero));
            Some(if own {
                Built::same(of.value.clone())
            } else {
                Built::Unsupported(" by another scale")
            })
        }
        ("QLinearConv", [Value::Quantised(x), _, _, w, scale, zero, to, at, bias @ ..]) => {
            Some(convolved(reader, node, x, [w, scale, zero], (to, at), optional(bias, 0))?)
        }
        (op, _) if whole_ops::plain(op).is_some() => Some(whole_ops::build(reader, node, inputs)?),
        (op, [Value::Quantised(of), rest @ ..])
            if MOVES.contains(&op) && !rest.iter().any(whole) =>
        {
            let inputs: Vec<Value> =
                std::iter::once(of.value.clone()).chain(rest.iter().cloned()).collect();
            let moved = ops::build(reader, node, &inputs)?;
            let again = |value: Value| match value {
                Value::Node(..) => {
                    Value::Quantised(Arc::new(Quantised { value, ..(**of).clone() }))
                }
                value => value,
            };
            Some(Built::Values(moved.into_iter().map(again).collect()))
        }
        // By a scale that depends on the picture: here it is 1, and the value is itself.
        ("DynamicQuantizeLinear", [value @ Value::Node(..)]) => {
            let number = |x: f32| Array::new(Vec::new(), Values::Floats(vec![x])).map(Value::from);
            let [one, zero] = [1.0, 0.0].map(number);
            one.zip(zero).map(|(one, zero)| Built::Values(vec![value.clone(), one, zero]))
        }
        ("ConvInteger" | "MatMulInteger", [value @ Value::Node(..), w, rest @ ..])
            if is_zero(optional(rest, 0)) =>
        {
            let Some(weights) = unscaled(reader, w, optional(rest, 1)) else {
                return Ok(Some(Built::Unsupported(" with weights of such a kind")));
            };
            let inputs = [value.clone(), weights];
            Some(match node.op.as_str() {
                "ConvInteger" => convolution::conv(reader, node, &inputs)?,
                _ => matrix::matmul(reader, node, &inputs)?,
            })
        }
        _ if inputs.iter().any(whole) => {
            Some(Built::Unsupported(" of whole numbers; use the network without quantisation"))
        }
        _ => None,
    })
}

/// Weights as they are once they were rounded, with one scale or one for each step along an axis.
fn rounded(
    reader: &mut Reader,
    node: &Node,
    constant: &Constant,
    scale: &Value,
    zero: &Value,
) -> Option<Value> {
    reader.count(constant.len().checked_mul(2)?)?;
    let ends = match zero {
        Value::Nothing => [0.0, 255.0],
        zero => zero.constant()?.whole_ends()?,
    };
    let axis = place(node.integer("axis", 1), constant.shape.len().max(1))?;
    let met = |value: &Value| -> Option<Array> {
        let array = value.constant()?.array()?.into_floats();
        if array.len() == 1 {
            return array.reshaped(&[]);
        }
        let after = constant.shape.len() - 1 - axis;
        let sizes: Vec<i64> = std::iter::once(-1).chain(std::iter::repeat_n(1, after)).collect();
        array.reshaped(&sizes)
    };
    let scale = met(scale)?;
    let none = |_: i64, _: i64| None;
    let mut values = constant.array()?.into_floats().zip(
        &scale,
        |x, scale| (x / scale).round_ties_even(),
        none,
    )?;
    if let Value::Constant(_) = zero {
        let zero = met(zero)?;
        values = values.zip(&zero, |x, zero| (x + zero).clamp(ends[0], ends[1]) - zero, none)?;
    } else {
        values = values.map(|x| x.clamp(ends[0], ends[1]))?;
    }
    let value = values.zip(&scale, |x, scale| x * scale, none)?.into();
    Some(Value::Quantised(Arc::new(Quantised { value, scale: 1.0, zero: 0.0 })))
}

fn is_zero(value: &Value) -> bool {
    value.is_nothing() || one(value) == Some(0.0)
}

/// Whole weights as numbers, less what stands for 0.
fn unscaled(reader: &mut Reader, w: &Value, zero: &Value) -> Option<Value> {
    let constant = w.constant()?;
    reader.count(constant.len().checked_mul(2)?)?;
    let weights = constant.array()?.into_floats();
    if zero.is_nothing() {
        return Some(weights.into());
    }
    let zero = zero.constant()?.array()?.into_floats();
    // Of a convolution, one for each of its outputs, which come first; of a product, for each column.
    let zero = match (zero.len(), weights.shape().len()) {
        (1, _) => zero.reshaped(&[])?,
        (_, 4) => zero.reshaped(&[-1, 1, 1, 1])?,
        _ => zero.reshaped(&[-1])?,
    };
    Some(weights.zip(&zero, |w, zero| w - zero, |_, _| None)?.into())
}

/// A convolution whose weights, bias and result are whole numbers.
fn convolved(
    reader: &mut Reader,
    node: &Node,
    x: &Quantised,
    [w, scale, zero]: [&Value; 3],
    (to, at): (&Value, &Value),
    bias: &Value,
) -> Result<Built, ImportError> {
    let Some(levels) = Levels::of(to, at) else { return Ok(Built::Unsupported(OTHER)) };
    let Some((weights, bias)) = plain(reader, x.scale, [w, scale, zero], bias) else {
        return Ok(Built::Unsupported(" with weights of such a kind"));
    };
    let inputs = [x.value.clone(), weights, bias];
    Ok(match convolution::conv(reader, node, &inputs)? {
        Built::Map(op, inputs) => {
            let id = reader.add(&node.name, op, &inputs)?;
            let value = Value::Node(id, reader.map_form(id));
            levels.bound(reader, &node.name, &value)?.map_or(Built::Unsupported(OTHER), Built::same)
        }
        other => other,
    })
}

/// The numbers that a convolution's whole weights and bias stand for.
fn plain(
    reader: &mut Reader,
    input: f32,
    [w, scale, zero]: [&Value; 3],
    bias: &Value,
) -> Option<(Value, Value)> {
    let constant = w.constant()?;
    reader.count(constant.len().checked_mul(2)?)?;
    let by_output = |value: &Value| -> Option<Array> {
        let array = value.constant()?.array()?.into_floats();
        match array.len() {
            1 => array.reshaped(&[]),
            _ => array.reshaped(&[-1, 1, 1, 1]),
        }
    };
    let (scale, zero) = (by_output(scale)?, by_output(zero)?);
    let none = |_: i64, _: i64| None;
    let weights = constant.array()?.into_floats();
    let weights =
        weights.zip(&zero, |w, zero| w - zero, none)?.zip(&scale, |w, scale| w * scale, none)?;
    let bias = match bias {
        Value::Nothing => Value::Nothing,
        bias => {
            let flat =
                if scale.len() == 1 { scale.reshaped(&[])? } else { scale.reshaped(&[-1])? };
            let bias = bias.constant()?.array()?.into_floats();
            bias.zip(&flat, |b, scale| b * scale * input, none)?.into()
        }
    };
    Some((weights.into(), bias))
}

/// Floating point again: `(x − zero) · scale`, with one scale for all, for each step along an axis, or for each
/// block along it.
pub(super) fn dequantize(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let array = inputs.first()?.clone()?;
    let scale = inputs.get(1)?.clone()?;
    let zero = inputs.get(2).cloned().flatten();
    let axis = place(node.integer("axis", 1), array.shape().len());
    let shape = array.shape().to_vec();
    let block = usize::try_from(node.integer("block_size", 0)).ok()?;
    // As many of them along each axis as the array has.
    let met = |parameter: Array| -> Option<Array> {
        match (parameter.len(), axis) {
            (1, _) => parameter.reshaped(&[]),
            (_, Some(axis)) if block > 0 => repeated(&parameter, axis, block, shape[axis]),
            (_, Some(axis)) => {
                let rest = shape.len() - 1 - axis;
                let ones = std::iter::repeat_n(1, rest);
                let sizes: Vec<i64> = std::iter::once(-1).chain(ones).collect();
                parameter.reshaped(&sizes)
            }
            _ => None,
        }
    };
    let mut values = array.into_floats();
    if let Some(zero) = zero {
        values = values.zip(&met(zero.into_floats())?, |x, zero| x - zero, |_, _| None)?;
    }
    values.zip(&met(scale.into_floats())?, |x, scale| x * scale, |_, _| None)
}

/// Each step along an axis `times` times, up to `size` in all.
fn repeated(array: &Array, axis: usize, times: usize, size: usize) -> Option<Array> {
    let slices: Vec<Slice> = array.shape().iter().copied().map(Slice::all).collect();
    let part = |at: usize| {
        let mut slices = slices.clone();
        slices[axis] = Slice { start: at / times, ..Slice::all(1) };
        array.sliced(&slices)
    };
    if array.len().checked_mul(times)? > MAX_GROWN {
        return None;
    }
    Array::concat(&(0..size).map(part).collect::<Option<Vec<_>>>()?, axis as i64)
}
