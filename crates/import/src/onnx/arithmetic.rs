//! Sums, differences, products and quotients: of two values, or of a value and a constant that has one number
//! for each channel.

use graph::{Affine, Binary, GroupNorm, LayerNorm, NodeId, Op, Unary};

use super::elementwise::{by_channel, uniform};
use super::form::Form;
use super::node::Node;
use super::reader::{Built, Reader, Value};
use super::tokens;
use crate::ImportError;

/// A value and one number for each of its channels; or why there are none, as [`Built::Unsupported`] has it.
type Operands<'a> = Result<(NodeId, &'a Form, Vec<f32>), &'static str>;

const OF_SHAPES: Built = Built::Unsupported(" of values of different shapes");

pub(super) fn add(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if inputs.iter().all(|input| input.node().is_some()) {
        return sum(reader, node, inputs);
    }
    let (source, shift) = node_first(inputs);
    if let Some(built) = tokens::add(reader, node, source, shift)? {
        return Ok(built);
    }
    let operands = operands(reader, node, source, shift)?;
    Ok(built(reader, operands, |shift| (1.0, shift)))
}

/// A sum of values.
pub(super) fn sum(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let [one] = inputs {
        return Ok(Built::same(one.clone()));
    }
    let nodes: Option<Vec<_>> = inputs.iter().map(Value::node).collect();
    let Some(nodes) = nodes else {
        return Ok(match inputs {
            [_, _] => add(reader, node, inputs)?,
            _ => Built::Unsupported(" with constants"),
        });
    };
    let Some(form) = met(reader, &nodes) else { return Ok(OF_SHAPES) };
    Ok(Built::Op(Op::Add, nodes.iter().map(|&(id, _)| id).collect(), form))
}

/// The mean of values.
pub(super) fn mean(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let share = 1.0 / inputs.len() as f32;
    Ok(match sum(reader, node, inputs)? {
        Built::Op(op, nodes, form) => {
            let id = reader.add(&node.name, op, &nodes)?;
            Built::Op(Op::Affine(uniform(reader.channels(id), share, 0.0)), vec![id], form)
        }
        other => other,
    })
}

/// The form of what values give element by element.
fn met(reader: &Reader, nodes: &[(NodeId, &Form)]) -> Option<Form> {
    let (&(first, form), rest) = nodes.split_first()?;
    let fits = |a: usize, b: usize| a == b || a == 1 || b == 1;
    rest.iter().try_fold(form.clone(), |form, &(id, other)| {
        let [a, b] = [reader.shape(first, 0)?, reader.shape(id, 0)?];
        let alike =
            fits(a.channels, b.channels) && fits(a.height, b.height) && fits(a.width, b.width);
        form.met(other).filter(|_| alike)
    })
}

/// A difference, product or quotient of two values.
fn binary(reader: &Reader, op: Binary, inputs: &[Value]) -> Option<Built> {
    let ((a, first), (b, second)) = (inputs[0].node()?, inputs[1].node()?);
    let form = met(reader, &[(a, first), (b, second)]);
    let same = first == second;
    Some(match (op, form) {
        (_, None) => OF_SHAPES,
        (Binary::Mul, Some(form)) => match reader.fused_product(a, b).filter(|_| same) {
            Some((function, x)) => Built::Op(Op::Unary(function), vec![x], form),
            None => Built::Op(Op::Binary(op), vec![a, b], form),
        },
        (Binary::Div, Some(form)) => match reader.fused_quotient(a, b) {
            Some((norm, x)) => Built::Op(Op::LayerNorm(norm), vec![x], form),
            None => Built::Op(Op::Binary(op), vec![a, b], form),
        },
        (_, Some(form)) => Built::Op(Op::Binary(op), vec![a, b], form),
    })
}

pub(super) fn subtract(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = binary(reader, Binary::Sub, inputs) {
        return Ok(built);
    }
    let (source, shift) = node_first(inputs);
    let from_constant = inputs[0].node().is_none();
    let minus = |shift: f32| if from_constant { (-1.0, shift) } else { (1.0, -shift) };
    let operands = operands(reader, node, source, shift)?;
    Ok(built(reader, operands, minus))
}

pub(super) fn multiply(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = binary(reader, Binary::Mul, inputs) {
        return Ok(built);
    }
    let (source, factor) = node_first(inputs);
    let operands = operands(reader, node, source, factor)?;
    if let Ok((id, form, factors)) = &operands
        && factors.iter().all(|&factor| factor == 0.5)
        && let Some(x) = reader.twice_gelu(*id)
    {
        return Ok(Built::Op(Op::Unary(Unary::Gelu), vec![x], (*form).clone()));
    }
    Ok(built(reader, operands, |factor| (factor, 0.0)))
}

pub(super) fn divide(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = binary(reader, Binary::Div, inputs) {
        return Ok(built);
    }
    if let Some((id, form)) = inputs[1].node() {
        let form = form.clone();
        let inverse = Op::Unary(Unary::Pow { exponent: -1.0 });
        let inverse = reader.add(&node.name, inverse, &[id])?;
        let inverse = Value::Node(inverse, form);
        let operands = operands(reader, node, &inverse, &inputs[0])?;
        return Ok(built(reader, operands, |factor| (factor, 0.0)));
    }
    let operands = operands(reader, node, &inputs[0], &inputs[1])?;
    Ok(built(reader, operands, |divisor| (1.0 / divisor, 0.0)))
}

pub(super) fn negate(
    reader: &mut Reader,
    _: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else {
        return Ok(Built::Unsupported(" of these inputs"));
    };
    Ok(built(reader, Ok((id, form, vec![0.0; reader.channels(id)])), |_| (-1.0, 0.0)))
}

/// Two inputs in an order in which a value comes before a constant.
fn node_first(inputs: &[Value]) -> (&Value, &Value) {
    let (a, b) = (&inputs[0], &inputs[1]);
    if a.node().is_some() { (a, b) } else { (b, a) }
}

/// `scale · x + shift`, which `f` makes of each channel's number; a normalisation takes it into itself.
fn built(reader: &Reader, operands: Operands<'_>, f: impl Fn(f32) -> (f32, f32)) -> Built {
    let (id, form, numbers) = match operands {
        Ok(operands) => operands,
        Err(why) => return Built::Unsupported(why),
    };
    let (scale, shift): (Vec<f32>, Vec<f32>) = numbers.into_iter().map(f).unzip();
    let scaled = |own: &[f32]| own.iter().zip(&scale).map(|(a, b)| a * b).collect::<Vec<f32>>();
    let shifted =
        |own: &[f32]| scaled(own).iter().zip(&shift).map(|(a, b)| a + b).collect::<Vec<f32>>();
    let inputs = || reader.assembly.inputs(id).to_vec();
    match reader.assembly.op(id) {
        Op::LayerNorm(norm) => {
            let (scale, shift) = (scaled(&norm.scale).into(), shifted(&norm.shift).into());
            let norm = LayerNorm { scale, shift, epsilon: norm.epsilon };
            Built::Op(Op::LayerNorm(norm), inputs(), form.clone())
        }
        Op::GroupNorm(norm) => {
            let (scale, shift) = (scaled(&norm.scale).into(), shifted(&norm.shift).into());
            let norm = GroupNorm { scale, shift, ..norm.clone() };
            Built::Op(Op::GroupNorm(norm), inputs(), form.clone())
        }
        _ => {
            let affine = Affine { scale: scale.into(), shift: shift.into() };
            Built::Op(Op::Affine(affine), vec![id], form.clone())
        }
    }
}

/// A value, and a constant as one number for each of its channels.
fn operands<'a>(
    reader: &Reader,
    node: &Node,
    source: &'a Value,
    constant: &Value,
) -> Result<Operands<'a>, ImportError> {
    let (Some((id, form)), Some(numbers)) = (source.node(), constant.constant()) else {
        return Ok(Err(" of these inputs"));
    };
    if !numbers.is_float() {
        return Ok(Err(" with whole numbers"));
    }
    Ok(match by_channel(reader, node, id, form, constant, &numbers.shape)? {
        Some(numbers) => Ok((id, form, numbers)),
        None => Err(" by a number for each position of the picture"),
    })
}
