//! Constant folding: what is computed from constants alone is computed while the graph is read.
//!
//! Exporters write batch normalisation, biases and shapes as sums, products and reshapes of the trained
//! numbers; folded, they are what every other file has.

use super::proto::{DataType, NodeDef};
use super::reader::{Reader, Value};
use super::shape;
use crate::kit::{Array, MAX_GROWN};

/// Computes a node from its inputs, or does not know how.
type Fold = fn(&NodeDef, Vec<Array>) -> Option<Array>;

const FOLDS: &[(&str, Fold)] = &[
    ("Add", |_, inputs| zip(inputs, |a, b| a + b, i64::checked_add)),
    ("AddV2", |_, inputs| zip(inputs, |a, b| a + b, i64::checked_add)),
    ("BroadcastTo", broadcast),
    ("Cast", cast),
    ("ConcatV2", concat),
    ("Div", |_, inputs| zip(inputs, |a, b| a / b, |_, _| None)),
    ("ExpandDims", expand_dims),
    ("FakeQuantWithMinMaxArgs", |node, inputs| {
        fake_quant(node, one(inputs)?, [node.float("min", -6.0), node.float("max", 6.0)])
    }),
    ("FakeQuantWithMinMaxVars", |node, inputs| {
        let [array, min, max] = inputs.try_into().ok()?;
        let ([min], [max]) = (min.as_floats()?, max.as_floats()?) else { return None };
        fake_quant(node, array, [*min, *max])
    }),
    ("Fill", fill),
    ("Maximum", |_, inputs| zip(inputs, f32::max, |a, b| Some(a.max(b)))),
    ("Minimum", |_, inputs| zip(inputs, f32::min, |a, b| Some(a.min(b)))),
    ("Mul", |_, inputs| zip(inputs, |a, b| a * b, i64::checked_mul)),
    ("Neg", |_, inputs| one(inputs)?.map(|x| -x)),
    ("Pack", |node, inputs| Array::stack(inputs, node.integer("axis", 0))),
    ("Range", range),
    ("RealDiv", |_, inputs| zip(inputs, |a, b| a / b, |_, _| None)),
    ("Reshape", reshape),
    ("Rsqrt", |_, inputs| one(inputs)?.map(|x| 1.0 / x.sqrt())),
    ("Shape", shape_of),
    ("Sqrt", |_, inputs| one(inputs)?.map(f32::sqrt)),
    ("Square", |_, inputs| one(inputs)?.map(|x| x * x)),
    ("Squeeze", |node, inputs| one(inputs)?.squeezed(node.integers("squeeze_dims"))),
    ("StridedSlice", strided_slice),
    ("Sub", |_, inputs| zip(inputs, |a, b| a - b, i64::checked_sub)),
    ("Tile", tile),
    ("Transpose", transpose),
];

/// What `node` makes of `inputs`, if these are constants and it can be computed.
pub(super) fn fold(reader: &mut Reader, node: &NodeDef, inputs: &[Value]) -> Option<Array> {
    if node.op == "Dequantize" {
        let quantized = reader.constant(*inputs.first()?)?.stored_type()?.quantized()?;
        return dequantize(node, quantized, reader.arrays(inputs)?);
    }
    let (_, fold) = FOLDS.iter().find(|(name, _)| *name == node.op)?;
    let arrays = reader.arrays(inputs)?;
    let read = arrays.iter().map(Array::len).sum();
    let array = fold(node, arrays)?;
    reader.grown(array.len().saturating_sub(read))?;
    Some(array)
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
    match node.data_type("DstT")? {
        kind if kind.is_float() => Some(array.into_floats()),
        DataType::Int32 | DataType::Int64 => Some(array.into_integers()),
        _ => None,
    }
}

/// The axis comes last.
fn concat(_: &NodeDef, mut inputs: Vec<Array>) -> Option<Array> {
    let axis = inputs.pop()?;
    let [axis] = axis.as_integers()? else { return None };
    Array::concat(&inputs, *axis)
}

/// As many times along each axis as it takes to be of a shape.
fn broadcast(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, sizes] = inputs.try_into().ok()?;
    stretched(array, &counts(&sizes)?)
}

fn fill(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [sizes, value] = inputs.try_into().ok()?;
    stretched(value, &counts(&sizes)?)
}

fn stretched(mut array: Array, sizes: &[usize]) -> Option<Array> {
    while array.shape().len() < sizes.len() {
        array = array.expanded(0)?;
    }
    let own = array.shape();
    let times = own.iter().zip(sizes).map(|(&own, &size)| match own {
        1 => Some(size),
        _ => (own == size).then_some(1),
    });
    let times: Vec<usize> = times.collect::<Option<_>>()?;
    (own.len() == sizes.len()).then(|| array.tiled(&times))?
}

fn tile(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, times] = inputs.try_into().ok()?;
    array.tiled(&counts(&times)?)
}

fn transpose(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [array, order] = inputs.try_into().ok()?;
    array.transposed(&counts(&order)?)
}

/// Whole numbers of at least 0.
fn counts(array: &Array) -> Option<Vec<usize>> {
    array.as_integers()?.iter().map(|&size| usize::try_from(size).ok()).collect()
}

/// Whole numbers from the first to before the second in steps of the third.
fn range(_: &NodeDef, inputs: Vec<Array>) -> Option<Array> {
    let [start, limit, step] = inputs.try_into().ok()?;
    let ([start], [limit], [step]) =
        (start.as_integers()?, limit.as_integers()?, step.as_integers()?)
    else {
        return None;
    };
    let before = |&x: &i64| if *step > 0 { x < *limit } else { x > *limit };
    let values = std::iter::successors(Some(*start), |x| x.checked_add(*step)).take_while(before);
    let values: Vec<i64> = values.take(MAX_GROWN + 1).collect();
    (*step != 0 && values.len() <= MAX_GROWN).then(|| Array::integers(values))
}

/// Rounded to the whole numbers that would be stored, and back, by TensorFlow's formula: the range is moved
/// so that a whole number stands for 0.
fn fake_quant(node: &NodeDef, array: Array, [min, max]: [f32; 2]) -> Option<Array> {
    let bits = u32::try_from(node.integer("num_bits", 8)).ok().filter(|bits| *bits <= 16)?;
    let lowest = f32::from(u8::from(node.bool("narrow_range", false)));
    let highest = 2f32.powi(bits as i32) - 1.0;
    let step = (max - min) / (highest - lowest);
    if min == 0.0 && max == 0.0 {
        return array.map(|_| 0.0);
    }
    if !(step.is_finite() && step > 0.0) {
        return None;
    }
    let zero = (lowest - min / step).clamp(lowest, highest).round();
    let (least, most) = ((lowest - zero) * step, (highest - zero) * step);
    array.map(|x| ((x.clamp(least, most) - least) / step + 0.5).floor() * step + least)
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

/// Floating point again out of whole numbers of a type from `lowest` to `highest` and the range they stand
/// for, by TensorFlow's formula for each mode.
fn dequantize(node: &NodeDef, [lowest, highest]: [f64; 2], inputs: Vec<Array>) -> Option<Array> {
    let [array, min, max] = inputs.try_into().ok()?;
    let ([min], [max]) = (min.as_floats()?, max.as_floats()?) else { return None };
    let (min, max) = (f64::from(*min), f64::from(*max));
    let step = (max - min) / (highest - lowest);
    let narrow = f64::from(u8::from(node.bool("narrow_range", false)));
    let (offset, step) = match node.text("mode") {
        None | Some("MIN_COMBINED") => (min - lowest * step, step),
        // The range is shifted so that a whole number stands for 0.
        Some("MIN_FIRST") if max != min => ((min / step).round() * step - lowest * step, step),
        Some("MIN_FIRST") => (min, 0.0),
        Some("SCALED") if lowest == 0.0 => (0.0, max / highest),
        Some("SCALED") => (0.0, (min / (lowest + narrow)).max(max / highest)),
        Some(_) => return None,
    };
    array.into_floats().map(|x| (f64::from(x) * step + offset) as f32)
}
