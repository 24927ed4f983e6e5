//! Constant folding: what is computed from constants and shapes alone is computed while the graph is read.

use std::sync::Arc;

use half::bf16;

use super::node::Node;
use super::proto::tensor_proto::DataType;
use super::reader::{Reader, Value};
use super::tensor::{Constant, is_float};
use super::{normalise, quantised, shape};
use crate::kit::{Array, MAX_GROWN, MAX_RANK, Slice, place};

/// Computes a node from its inputs, of which some may be left out, or does not know how.
type Fold = fn(&Node, &[Option<Array>]) -> Option<Array>;

const FOLDS: &[(&str, Fold)] = &[
    ("Abs", |_, x| map(x, f32::abs, i64::checked_abs)),
    ("Add", |_, x| zip(x, |a, b| a + b, i64::checked_add)),
    ("And", |_, x| zip_whole(x, |a, b| a != 0 && b != 0)),
    ("BatchNormalization", normalise::of_constants),
    ("Cast", cast),
    ("CastLike", |_, x| {
        let floats = x.get(1)?.as_ref()?.as_floats().is_some();
        Some(if floats { one(x)?.into_floats() } else { one(x)?.into_integers() })
    }),
    ("Ceil", |_, x| one(x)?.map(f32::ceil)),
    ("Concat", |node, x| {
        let arrays: Vec<Array> = x.iter().cloned().collect::<Option<_>>()?;
        Array::concat(&arrays, node.integer("axis", 0))
    }),
    ("Clip", clip),
    ("DequantizeLinear", quantised::dequantize),
    ("Div", |_, x| zip(x, |a, b| a / b, |a, b| a.checked_div(b))),
    ("Equal", |_, x| compare(x, |a, b| a == b, |a, b| a == b)),
    ("Exp", |_, x| one(x)?.map(f32::exp)),
    ("Expand", |_, x| stretched(one(x)?, &counts(x.get(1)?.as_ref()?)?)),
    ("Floor", |_, x| one(x)?.map(f32::floor)),
    ("Gather", |node, x| one(x)?.gathered(x.get(1)?.as_ref()?, node.integer("axis", 0))),
    ("Greater", |_, x| compare(x, |a, b| a > b, |a, b| a > b)),
    ("GreaterOrEqual", |_, x| compare(x, |a, b| a >= b, |a, b| a >= b)),
    ("Less", |_, x| compare(x, |a, b| a < b, |a, b| a < b)),
    ("LessOrEqual", |_, x| compare(x, |a, b| a <= b, |a, b| a <= b)),
    ("Log", |_, x| one(x)?.map(f32::ln)),
    ("Max", |_, x| all(x, f32::max, |a, b| Some(a.max(b)))),
    ("Min", |_, x| all(x, f32::min, |a, b| Some(a.min(b)))),
    ("Mod", modulo),
    ("Mul", |_, x| zip(x, |a, b| a * b, i64::checked_mul)),
    ("Neg", |_, x| map(x, |x| -x, i64::checked_neg)),
    ("Not", |_, x| map(x, |x| x, |x| Some(i64::from(x == 0)))),
    ("Or", |_, x| zip_whole(x, |a, b| a != 0 || b != 0)),
    ("Pow", power),
    ("Range", range),
    ("Reciprocal", |_, x| one(x)?.map(|x| 1.0 / x)),
    ("ReduceMax", |node, x| reduced(node, x, f32::max, |a, b| Some(a.max(b)))),
    ("ReduceMean", |node, x| {
        let sum = reduced(node, x, |a, b| a + b, |_, _| None)?;
        let share = sum.len() as f32 / one(x)?.len() as f32;
        sum.map(|x| x * share)
    }),
    ("ReduceMin", |node, x| reduced(node, x, f32::min, |a, b| Some(a.min(b)))),
    ("ReduceProd", |node, x| reduced(node, x, |a, b| a * b, i64::checked_mul)),
    ("ReduceSum", |node, x| reduced(node, x, |a, b| a + b, i64::checked_add)),
    ("Relu", |_, x| map(x, |x| x.max(0.0), |x| Some(x.max(0)))),
    ("Round", |_, x| one(x)?.map(f32::round_ties_even)),
    ("Sigmoid", |_, x| one(x)?.map(|x| 1.0 / (1.0 + (-x).exp()))),
    ("Slice", slice),
    ("Sqrt", |_, x| one(x)?.map(f32::sqrt)),
    ("Sub", |_, x| zip(x, |a, b| a - b, i64::checked_sub)),
    ("Sum", |_, x| all(x, |a, b| a + b, i64::checked_add)),
    ("Tanh", |_, x| one(x)?.map(f32::tanh)),
    ("Tile", |_, x| one(x)?.tiled(&counts(x.get(1)?.as_ref()?)?)),
    ("Transpose", transpose),
    ("Where", choose),
];

/// What `node` makes of `inputs`, all of which are constants or left out, if it can be computed.
pub(super) fn fold(reader: &mut Reader, node: &Node, inputs: &[Value]) -> Option<Vec<Value>> {
    let sized = inputs.iter().any(|input| matches!(input, Value::Sized(..)));
    if !sized {
        return folded(reader, node, &at(inputs, 0)?).map(values);
    }
    let [first, second] = [at(inputs, 0)?, at(inputs, 1)?];
    let (first, second) = (folded(reader, node, &first)?, folded(reader, node, &second)?);
    if first.len() != second.len() {
        return None;
    }
    let odd = at(inputs, 2).and_then(|odd| folded(reader, node, &odd));
    let mut odd = odd.filter(|odd| odd.len() == first.len()).into_iter().flatten();
    let value = |(a, b): (Constant, Constant)| {
        let odd = odd.next();
        match is_same(&a, &b) && odd.as_ref().is_some_and(|odd| is_same(&a, odd)) {
            true => Value::Constant(Arc::new(a)),
            false => Value::Sized([Arc::new(a), Arc::new(b)], odd.map(Arc::new)),
        }
    };
    Some(first.into_iter().zip(second).map(value).collect())
}

/// Whether what was computed for two sizes of pictures is the same: a few numbers, as such things are.
fn is_same(a: &Constant, b: &Constant) -> bool {
    const FEW: usize = 16;
    a.shape == b.shape && a.len() <= FEW && a.array().is_some_and(|a| Some(a) == b.array())
}

fn values(constants: Vec<Constant>) -> Vec<Value> {
    constants.into_iter().map(|constant| Value::Constant(Arc::new(constant))).collect()
}

/// The constants for the first, second or odd size of pictures.
fn at(inputs: &[Value], picture: usize) -> Option<Vec<Option<Arc<Constant>>>> {
    let constant = |input: &Value| match input {
        Value::Nothing => Some(None),
        Value::Constant(constant) => Some(Some(Arc::clone(constant))),
        Value::Sized(both, odd) => both.get(picture).or(odd.as_ref()).cloned().map(Some),
        _ => None,
    };
    inputs.iter().map(constant).collect()
}

type Inputs = [Option<Arc<Constant>>];

fn folded(reader: &mut Reader, node: &Node, inputs: &Inputs) -> Option<Vec<Constant>> {
    if let Some(constant) = moved(reader, node, inputs) {
        return Some(vec![constant]);
    }
    let read: usize = inputs.iter().flatten().map(|constant| constant.len()).sum();
    if node.op == "Split" {
        reader.count(read.checked_mul(2)?)?;
        return split(node, inputs);
    }
    // To numbers of a few bits: they would have to be rounded as these are.
    if node.op == "CastLike" && inputs.get(1)?.as_ref()?.is_coarse() {
        return None;
    }
    let (_, fold) = FOLDS.iter().find(|(name, _)| *name == node.op)?;
    reader.count(read)?;
    let arrays = |input: &Option<Arc<Constant>>| match input {
        Some(constant) => constant.array().map(Some),
        None => Some(None),
    };
    let arrays: Vec<Option<Array>> = inputs.iter().map(arrays).collect::<Option<_>>()?;
    let array = fold(node, &arrays)?;
    reader.count(array.len())?;
    Some(vec![array.into()])
}

/// What needs no value: constants themselves, shapes, and the same values in another shape.
fn moved(reader: &mut Reader, node: &Node, inputs: &Inputs) -> Option<Constant> {
    let first = || inputs.first()?.as_deref();
    let list = |index: usize, name: &str| match inputs.get(index) {
        Some(Some(constant)) => constant.integers("").ok(),
        _ => node.integers(name).map(<[i64]>::to_vec),
    };
    match node.op.as_str() {
        "Constant" => constant(node),
        "ConstantOfShape" => {
            let shape: Option<Vec<usize>> =
                list(0, "")?.iter().map(|&size| usize::try_from(size).ok()).collect();
            let value = match node.tensor("value") {
                Some(tensor) => Constant::new(tensor.clone())?.array()?,
                None => Array::new(vec![1], crate::kit::Values::Floats(vec![0.0]))?,
            };
            match value.as_floats() {
                Some(&[value]) => reader.fill(shape?, value),
                _ => Some(stretched(value, &shape?)?.into()),
            }
        }
        "Shape" => {
            let sizes: Vec<i64> = first()?.shape.iter().map(|&size| size as i64).collect();
            let sizes = shape::part(node, sizes);
            Some(Array::integers(sizes).into())
        }
        "Size" => Some(Array::integers(vec![first()?.len() as i64]).reshaped(&[])?.into()),
        "Identity" | "Dropout" => Some(first()?.clone()),
        "Cast" => {
            let kind = DataType::try_from(i32::try_from(node.integer("to", 0)).ok()?).ok()?;
            let same = is_float(kind) && kind != DataType::Bfloat16 && first()?.is_float();
            same.then(|| first().cloned())?
        }
        "Reshape" => {
            let mut sizes = list(1, "shape")?;
            for (axis, size) in sizes.iter_mut().enumerate() {
                if *size == 0 && node.integer("allowzero", 0) == 0 {
                    *size = *first()?.shape.get(axis)? as i64;
                }
            }
            first()?.reshaped(&sizes)
        }
        "Flatten" => {
            let shape = &first()?.shape;
            let axis = node.integer("axis", 1);
            let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
            let before = shape.get(..usize::try_from(axis).ok()?)?.iter().product::<usize>();
            first()?.reshaped(&[i64::try_from(before).ok()?, -1])
        }
        "Squeeze" => first()?.squeezed(&list(1, "axes").unwrap_or_default()),
        "Unsqueeze" => {
            let axes = list(1, "axes")?;
            let rank = first()?.shape.len().checked_add(axes.len());
            let rank = rank.filter(|&rank| rank <= MAX_RANK)?;
            let place = |&axis: &i64| place(axis, rank);
            let mut axes: Vec<usize> = axes.iter().map(place).collect::<Option<_>>()?;
            axes.sort_unstable();
            let mut shape = first()?.shape.clone();
            for axis in axes {
                (axis <= shape.len()).then(|| shape.insert(axis, 1))?;
            }
            first()?.shaped(shape)
        }
        _ => None,
    }
}

fn constant(node: &Node) -> Option<Constant> {
    use crate::kit::Values::{Floats, Integers};
    if let Some(tensor) = node.tensor("value") {
        return Constant::new(tensor.clone());
    }
    let array = if let Some(value) = node.attribute("value_float") {
        Array::new(vec![], Floats(vec![value.f?]))
    } else if let Some(value) = node.attribute("value_int") {
        Array::new(vec![], Integers(vec![value.i?]))
    } else if let Some(values) = node.attribute("value_floats") {
        Array::new(vec![values.floats.len()], Floats(values.floats.clone()))
    } else {
        Some(Array::integers(node.integers("value_ints")?.to_vec()))
    };
    Some(array?.into())
}

fn one(inputs: &[Option<Array>]) -> Option<Array> {
    inputs.first()?.clone()
}

fn two(inputs: &[Option<Array>]) -> Option<(&Array, &Array)> {
    match inputs {
        [Some(a), Some(b)] => Some((a, b)),
        _ => None,
    }
}

fn map(
    inputs: &[Option<Array>],
    floats: fn(f32) -> f32,
    integers: fn(i64) -> Option<i64>,
) -> Option<Array> {
    let array = one(inputs)?;
    match array.as_integers() {
        Some(values) => {
            let shape: Vec<i64> = array.shape().iter().map(|&size| size as i64).collect();
            let values = values.iter().map(|&x| integers(x)).collect::<Option<_>>()?;
            Array::integers(values).reshaped(&shape)
        }
        None => array.map(floats),
    }
}

fn zip(
    inputs: &[Option<Array>],
    floats: fn(f32, f32) -> f32,
    integers: fn(i64, i64) -> Option<i64>,
) -> Option<Array> {
    let (a, b) = two(inputs)?;
    a.zip(b, floats, integers)
}

fn zip_whole(inputs: &[Option<Array>], f: impl Fn(i64, i64) -> bool) -> Option<Array> {
    let (a, b) = two(inputs)?;
    let truth = a.zip(b, |a, _| a, |a, b| Some(i64::from(f(a, b))))?;
    truth.as_integers().is_some().then_some(truth)
}

fn compare(
    inputs: &[Option<Array>],
    floats: impl Fn(f32, f32) -> bool,
    integers: impl Fn(i64, i64) -> bool,
) -> Option<Array> {
    let (a, b) = two(inputs)?;
    let float = |a, b| f32::from(u8::from(floats(a, b)));
    Some(a.zip(b, float, |a, b| Some(i64::from(integers(a, b))))?.into_integers())
}

/// One function of all inputs, one after another.
fn all(
    inputs: &[Option<Array>],
    floats: fn(f32, f32) -> f32,
    integers: fn(i64, i64) -> Option<i64>,
) -> Option<Array> {
    let (first, rest) = inputs.split_first()?;
    rest.iter()
        .try_fold(first.clone()?, |so_far, next| so_far.zip(next.as_ref()?, floats, integers))
}

/// Within bounds, which are attributes until opset 10.
fn clip(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let bounds = [(1, "min"), (2, "max")].map(|(index, name)| {
        let given = inputs.get(index).cloned().flatten();
        let usual =
            || Array::new(Vec::new(), crate::kit::Values::Floats(vec![node.attribute(name)?.f?]));
        given.or_else(usual)
    });
    let [min, max] = bounds;
    let mut array = one(inputs)?;
    if let Some(min) = min {
        array = array.zip(&min, f32::max, |a, b| Some(a.max(b)))?;
    }
    match max {
        Some(max) => array.zip(&max, f32::min, |a, b| Some(a.min(b))),
        None => Some(array),
    }
}

fn cast(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let array = one(inputs)?;
    match DataType::try_from(i32::try_from(node.integer("to", 0)).ok()?).ok()? {
        DataType::Bfloat16 => array.into_floats().map(|x| bf16::from_f32(x).to_f32()),
        kind if is_float(kind) => Some(array.into_floats()),
        DataType::Int32 | DataType::Int64 => Some(array.into_integers()),
        DataType::Bool => {
            let truth = |x: f32| f32::from(u8::from(x != 0.0));
            Some(map(&[Some(array)], truth, |x| Some(i64::from(x != 0)))?.into_integers())
        }
        _ => None,
    }
}

/// As many times along each axis as it takes to meet a shape.
fn stretched(mut array: Array, sizes: &[usize]) -> Option<Array> {
    while array.shape().len() < sizes.len() {
        array = array.expanded(0)?;
    }
    let missing = array.shape().len() - sizes.len();
    let sizes: Vec<usize> = std::iter::repeat_n(1, missing).chain(sizes.iter().copied()).collect();
    let times = array.shape().iter().zip(&sizes).map(|(&own, &size)| match (own, size) {
        (1, size) => Some(size),
        (own, size) => (own == size || size == 1).then_some(1),
    });
    let times: Vec<usize> = times.collect::<Option<_>>()?;
    array.tiled(&times)
}

/// Whole numbers of at least 0.
fn counts(array: &Array) -> Option<Vec<usize>> {
    array.as_integers()?.iter().map(|&size| usize::try_from(size).ok()).collect()
}

fn transpose(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let array = one(inputs)?;
    let rank = array.shape().len();
    let order: Vec<usize> = match node.integers("perm") {
        Some(order) => {
            order.iter().map(|&axis| usize::try_from(axis).ok()).collect::<Option<_>>()?
        }
        None => (0..rank).rev().collect(),
    };
    array.transposed(&order)
}

fn slice(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let array = one(inputs)?;
    let values: Vec<Value> =
        inputs.iter().map(|input| input.clone().map_or(Value::Nothing, Value::from)).collect();
    let mut slices: Vec<Slice> = array.shape().iter().copied().map(Slice::all).collect();
    for (axis, cut) in shape::slices(node, &values, slices.len())? {
        slices[axis] = cut.slice(array.shape()[axis]);
    }
    array.sliced(&slices)
}

fn split(node: &Node, inputs: &Inputs) -> Option<Vec<Constant>> {
    let array = inputs.first()?.as_ref()?.array()?;
    let axis = place(node.integer("axis", 0), array.shape().len())?;
    let value = |input: &Option<Arc<Constant>>| match input {
        Some(constant) => Value::Constant(Arc::clone(constant)),
        None => Value::Nothing,
    };
    let values: Vec<Value> = inputs.iter().map(value).collect();
    let mut start = 0;
    let part = |&count: &usize| {
        let mut slices: Vec<Slice> = array.shape().iter().copied().map(Slice::all).collect();
        slices[axis] = Slice { start, ..Slice::all(count) };
        start += count;
        Some(array.sliced(&slices)?.into())
    };
    shape::split_sizes(node, &values, array.shape()[axis])?.iter().map(part).collect()
}

/// What is left of a division, with the sign of the divisor, or of what is divided.
fn modulo(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    if node.integer("fmod", 0) != 0 {
        return zip(inputs, |a, b| a % b, i64::checked_rem);
    }
    let floats = |a: f32, b: f32| {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
    };
    zip(inputs, floats, |a, b| {
        let rest = a.checked_rem(b)?;
        Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
    })
}

fn power(_: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let (a, b) = two(inputs)?;
    let b = if a.as_floats().is_some() { b.clone().into_floats() } else { b.clone() };
    a.zip(&b, f32::powf, |a, b| a.checked_pow(u32::try_from(b).ok()?))
}

fn range(_: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let [Some(start), Some(limit), Some(step)] = inputs else { return None };
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

/// One or the other, as a condition says.
fn choose(_: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let [Some(condition), Some(a), Some(b)] = inputs else { return None };
    let yes = condition.clone().into_integers();
    if a.as_floats().is_some() {
        let yes = yes.into_floats();
        // Not a product, in which what is not chosen could be infinite.
        let marked = a.zip(&yes, |a, yes| if yes != 0.0 { a } else { f32::NAN }, |a, _| Some(a))?;
        return marked.zip(b, |a, b| if a.is_nan() { b } else { a }, |a, _| Some(a));
    }
    let marked = a.zip(&yes, |a, _| a, |a, yes| Some(if yes != 0 { a } else { i64::MIN }))?;
    marked.zip(b, |a, _| a, |a, b| Some(if a == i64::MIN { b } else { a }))
}

/// One number out of all along some axes.
fn reduced(
    node: &Node,
    inputs: &[Option<Array>],
    floats: fn(f32, f32) -> f32,
    integers: fn(i64, i64) -> Option<i64>,
) -> Option<Array> {
    let mut array = one(inputs)?;
    let rank = array.shape().len();
    let axes = match inputs.get(1) {
        Some(Some(axes)) => axes.as_integers()?.to_vec(),
        _ => node.integers("axes").map(<[i64]>::to_vec).unwrap_or_default(),
    };
    if axes.is_empty() && node.integer("noop_with_empty_axes", 0) != 0 {
        return Some(array);
    }
    let mut axes: Vec<usize> = match axes.is_empty() {
        true => (0..rank).collect(),
        false => axes.iter().map(|&axis| place(axis, rank)).collect::<Option<_>>()?,
    };
    axes.sort_unstable();
    axes.dedup();
    for axis in axes.into_iter().rev() {
        let slices: Vec<Slice> = array.shape().iter().copied().map(Slice::all).collect();
        let part = |at: usize| {
            let mut slices = slices.clone();
            slices[axis] = Slice { start: at, ..Slice::all(1) };
            array.sliced(&slices)
        };
        let mut sum = part(0).filter(|_| array.shape()[axis] > 0)?;
        // Of nothing all parts are alike, however many there are.
        let parts = if array.len() == 0 { 1 } else { array.shape()[axis] };
        for at in 1..parts {
            sum = sum.zip(&part(at)?, floats, integers)?;
        }
        let keep = node.integer("keepdims", 1) != 0;
        array = if keep { sum } else { sum.squeezed(&[axis as i64])? };
    }
    Some(array)
}
