//! Constant folding: what is computed from constants alone is computed while the graph is read.
//!
//! Exporters write batch normalisation, biases and shapes as sums, products and reshapes of the trained
//! numbers; folded, they are what every other file has.

use super::proto::{DataType, NodeDef};
use super::reader::{Reader, Value};
use super::shape;
use crate::kit::Array;

/// Computes a node from its inputs, or does not know how.
type Fold = fn(&NodeDef, Vec<Array>) -> Option<Array>;

const FOLDS: &[(&str, Fold)] = &[
    ("Add", |_, inputs| zip(inputs, |a, b| a + b, i64::checked_add)),
    ("AddV2", |_, inputs| zip(inputs, |a, b| a + b, i64::checked_add)),
    ("Cast", cast),
    ("ConcatV2", concat),
    ("ExpandDims", expand_dims),
    ("Mul", |_, inputs| zip(inputs, |a, b| a * b, i64::checked_mul)),
    ("Neg", |_, inputs| one(inputs)?.map(|x| -x)),
    ("Pack", |node, inputs| Array::stack(inputs, node.integer("axis", 0))),
    ("RealDiv", |_, inputs| zip(inputs, |a, b| a / b, |_, _| None)),
    ("Reshape", reshape),
    ("Rsqrt", |_, inputs| one(inputs)?.map(|x| 1.0 / x.sqrt())),
    ("Shape", shape_of),
    ("Sqrt", |_, inputs| one(inputs)?.map(f32::sqrt)),
    ("Square", |_, inputs| one(inputs)?.map(|x| x * x)),
    ("Squeeze", |node, inputs| one(inputs)?.squeezed(node.integers("squeeze_dims"))),
    ("StridedSlice", strided_slice),
    ("Sub", |_, inputs| zip(inputs, |a, b| a - b, i64::checked_sub)),
];

/// What `node` makes of `inputs`, if these are constants and it can be computed.
pub(super) fn fold(reader: &mut Reader, node: &NodeDef, inputs: &[Value]) -> Option<Array> {
    let (_, fold) = FOLDS.iter().find(|(name, _)| *name == node.op)?;
    fold(node, reader.arrays(inputs)?)
}

fn one(inputs: Vec<Array>) -> Option<Array> {
    <[Array; 1]>::try_from(inputs).ok().map(|[array]| array)
}

fn zip(
    inputs: Vec<Array>,
    floats: fn(f32, f32) -> f32,
    integers: fn(i64, i64) -> Option<i64>,
) -> Option<Array> {
    let [a, b] = inputs.try_into().ok()?;
    a.zip(&b, floats, integers)
}

fn cast(node: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let array = one(inputs)?;
    match DataType::try_from(node.attr("DstT")?.r#type?).ok()? {
        DataType::Float | DataType::Double | DataType::Half => Some(array.into_floats()),
        DataType::Int32 | DataType::Int64 => Some(array.into_integers()),
        DataType::Invalid => None,
    }
}

/// The axis comes last.
fn concat(_: &NodeDef, mut inputs: Vec<Array>) -> Option<Array> {
    let axis = inputs.pop()?;
    let [axis] = axis.as_integers()? else { return None };
    Array::concat(&inputs, *axis)
}

fn expand_dims(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, axis] = inputs.try_into().ok()?;
    let [axis] = axis.as_integers()? else { return None };
    array.expanded(*axis)
}

fn reshape(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, sizes] = inputs.try_into().ok()?;
    array.reshaped(sizes.as_integers()?)
}

fn shape_of(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    Some(Array::integers(one(inputs)?.shape().iter().map(|&size| size as i64).collect()))
}

fn strided_slice(node: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, limits @ ..] = <[Array; 4]>::try_from(inputs).ok()?;
    shape::sliced(node, &array, &limits)
}
