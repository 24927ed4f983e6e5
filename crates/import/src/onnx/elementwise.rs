//! What works value by value.

use graph::{Affine, Binary, NodeId, Op, PRelu, Unary};

use super::form::Form;
use super::node::Node;
use super::proto::tensor_proto::DataType;
use super::reader::{Built, NO_MAP, Reader, Value, optional};
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

/// The functions that need no more than a node's attributes.
pub(super) fn unary(_: &mut Reader, node: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let alpha = |usual: f32| node.float("alpha", usual);
    let function = match node.op.as_str() {
        "Abs" => Unary::LeakyRelu { alpha: -1.0 },
        "Elu" => Unary::Elu { alpha: alpha(1.0) },
        "Erf" => Unary::Erf,
        "Gelu" | "com.microsoft.Gelu" => match node.text("approximate") {
            Some("tanh") => Unary::GeluTanh,
            _ => Unary::Gelu,
        },
        "HardSigmoid" => Unary::HardSigmoid { alpha: alpha(0.2), beta: node.float("beta", 0.5) },
        "HardSwish" => Unary::HardSwish,
        "LeakyRelu" => Unary::LeakyRelu { alpha: alpha(0.01) },
        "Mish" => Unary::Mish,
        "Reciprocal" => Unary::Pow { exponent: -1.0 },
        "Sigmoid" => Unary::Sigmoid,
        "Softplus" => Unary::Softplus,
        "Sqrt" => Unary::Sqrt,
        _ => Unary::Tanh,
    };
    Ok(of(Op::Unary(function), &inputs[0]))
}

/// The functions that are others of a value times a factor, times another.
pub(super) fn scaled(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let (inner, function, outer) = match node.op.as_str() {
        "Celu" => {
            let alpha = node.float("alpha", 1.0);
            (1.0 / alpha, Unary::Elu { alpha: 1.0 }, alpha)
        }
        // The numbers of Klambauer et al. 2017, as ONNX has them.
        "Selu" => {
            let alpha = node.float("alpha", 1.673_263_2);
            (1.0, Unary::Elu { alpha }, node.float("gamma", 1.050_701))
        }
        _ => {
            let alpha = node.float("alpha", if node.op == "Swish" { 1.0 } else { 1.702 });
            (alpha, Unary::Silu, 1.0 / alpha)
        }
    };
    let form = form.clone();
    let id = times(reader, node, id, inner)?;
    if outer == 1.0 {
        return Ok(Built::Op(Op::Unary(function), vec![id], form));
    }
    let id = reader.add(&node.name, Op::Unary(function), &[id])?;
    let channels = reader.channels(id);
    Ok(Built::Op(Op::Affine(uniform(channels, outer, 0.0)), vec![id], form))
}

fn times(reader: &mut Reader, node: &Node, id: NodeId, factor: f32) -> Result<NodeId, ImportError> {
    if factor == 1.0 {
        return Ok(id);
    }
    let affine = uniform(reader.channels(id), factor, 0.0);
    reader.add(&node.name, Op::Affine(affine), &[id])
}

/// The same scale and shift for all channels.
pub(super) fn uniform(channels: usize, scale: f32, shift: f32) -> Affine {
    let row = |x: f32| std::iter::repeat_n(x, channels).collect();
    Affine { scale: row(scale), shift: row(shift) }
}

/// Bounds, which are attributes until opset 10.
pub(super) fn clip(_: &mut Reader, node: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let bound = |index: usize, name: &str, usual: f32| match optional(inputs, index) {
        Value::Nothing => Some(node.float(name, usual)),
        value => number(value),
    };
    let min = bound(1, "min", f32::NEG_INFINITY);
    let max = bound(2, "max", f32::INFINITY);
    Ok(match (min, max) {
        (Some(min), Some(max)) => of(Op::Unary(Unary::Clip { min, max }), &inputs[0]),
        _ => Built::Unsupported(" to computed bounds"),
    })
}

/// The one number of a constant.
pub(super) fn number(value: &Value) -> Option<f32> {
    let constant = value.constant().filter(|constant| constant.len() == 1)?;
    let array = constant.array()?.into_floats();
    array.as_floats()?.first().copied()
}

/// The larger, or smaller, of values and a number, or of two values.
pub(super) fn bound(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (a, b) = match inputs {
        [one] => return Ok(Built::same(one.clone())),
        [a, b] => (a, b),
        _ => return Ok(Built::Unsupported(" of more than two values")),
    };
    if let (Some((one, form)), Some((other, of_other))) = (a.node(), b.node()) {
        let alike = form == of_other && reader.shape(one, 0) == reader.shape(other, 0);
        if !alike {
            return Ok(Built::Unsupported(" of two values that are computed"));
        }
        let form = form.clone();
        let larger = larger(reader, &node.name, [one, other], node.op == "Max")?;
        return Ok(Built::same(Value::Node(larger, form)));
    }
    let (source, constant) = if a.node().is_some() { (a, b) } else { (b, a) };
    let Some(number) = number(constant) else {
        return Ok(Built::Unsupported(" with a number for each position or channel"));
    };
    let (min, max) = match node.op.as_str() {
        "Max" => (number, f32::INFINITY),
        _ => (f32::NEG_INFINITY, number),
    };
    Ok(of(Op::Unary(Unary::Clip { min, max }), source))
}

/// The larger of two maps of one shape, or the smaller: a + relu(b − a), or a − relu(a − b).
pub(super) fn larger(
    reader: &mut Reader,
    name: &str,
    [a, b]: [NodeId; 2],
    larger: bool,
) -> Result<NodeId, ImportError> {
    let pair = if larger { [b, a] } else { [a, b] };
    let more = reader.add(name, Op::Binary(Binary::Sub), &pair)?;
    let more = reader.add(name, Op::Relu, &[more])?;
    match larger {
        true => reader.add(name, Op::Add, &[a, more]),
        false => reader.add(name, Op::Binary(Binary::Sub), &[a, more]),
    }
}

/// To the power of a number.
pub(super) fn power(_: &mut Reader, _: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match number(&inputs[1]) {
        Some(1.0) => Built::same(inputs[0].clone()),
        Some(0.5) => of(Op::Unary(Unary::Sqrt), &inputs[0]),
        Some(exponent) => of(Op::Unary(Unary::Pow { exponent }), &inputs[0]),
        None => Built::Unsupported(" to more than one power"),
    })
}

/// ReLU with a slope below 0 for each channel.
pub(super) fn prelu(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (Some((id, form)), Some(slope)) = (inputs[0].node(), inputs[1].constant()) else {
        return Ok(Built::Unsupported(" with computed slopes"));
    };
    let Some(slope) = by_channel(reader, node, id, form, &inputs[1], slope.shape.as_slice())?
    else {
        return Ok(Built::Unsupported(" with a slope for each position of the picture"));
    };
    Ok(Built::Op(Op::PRelu(PRelu { slope: slope.into() }), vec![id], form.clone()))
}

/// A constant's number for each channel of a value of this form, which it meets as if it were of `sizes`.
///
/// # Errors
/// A constant of whole numbers.
pub(super) fn by_channel(
    reader: &Reader,
    node: &Node,
    id: NodeId,
    form: &Form,
    constant: &Value,
    sizes: &[usize],
) -> Result<Option<Vec<f32>>, ImportError> {
    let Some(constant) = constant.constant() else { return Ok(None) };
    let Some(places) = form.places(sizes, reader.channels(id)) else { return Ok(None) };
    let values = constant.floats(&node.name)?;
    Ok(places.into_iter().map(|place| values.get(place).copied()).collect())
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
