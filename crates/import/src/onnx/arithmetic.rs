//! Sums, differences, products and quotients: of two values, or of a value and a constant that has one number
//! for each channel.

use graph::{Affine, NodeId, Op};

use super::form::Form;
use super::node::Node;
use super::reader::{Built, Reader, Value};
use crate::ImportError;

/// A value and one number for each of its channels; or why there are none, as [`Built::Unsupported`] has it.
type Operands<'a> = Result<(NodeId, &'a Form, Vec<f32>), &'static str>;

pub(super) fn add(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if inputs.iter().all(|input| input.node().is_some()) {
        return sum(reader, node, inputs);
    }
    let (source, shift) = node_first(inputs);
    Ok(built(operands(reader, node, source, shift)?, |shift| (1.0, shift)))
}

/// A sum of values.
pub(super) fn sum(reader: &mut Reader, _: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let nodes: Option<Vec<_>> = inputs.iter().map(Value::node).collect();
    let Some(nodes) = nodes else { return Ok(Built::Unsupported(" with constants")) };
    let (first, form) = nodes[0];
    let alike = nodes.iter().all(|&(id, other)| {
        form.met(other).as_ref() == Some(form) && reader.shape(id, 0) == reader.shape(first, 0)
    });
    Ok(match alike {
        true => Built::Op(Op::Add, nodes.iter().map(|&(id, _)| id).collect(), form.clone()),
        false => Built::Unsupported(" of values of different shapes"),
    })
}

pub(super) fn subtract(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (source, shift) = node_first(inputs);
    let from_constant = inputs[0].node().is_none();
    let minus = |shift: f32| if from_constant { (-1.0, shift) } else { (1.0, -shift) };
    Ok(built(operands(reader, node, source, shift)?, minus))
}

pub(super) fn multiply(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (source, factor) = node_first(inputs);
    Ok(built(operands(reader, node, source, factor)?, |factor| (factor, 0.0)))
}

pub(super) fn divide(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    Ok(built(operands(reader, node, &inputs[0], &inputs[1])?, |divisor| (1.0 / divisor, 0.0)))
}

pub(super) fn negate(
    reader: &mut Reader,
    _: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(OF_THESE) };
    Ok(built(Ok((id, form, vec![0.0; reader.channels(id)])), |_| (-1.0, 0.0)))
}

const OF_THESE: Built = Built::Unsupported(" of these inputs");

/// Two inputs in an order in which a value comes before a constant.
fn node_first(inputs: &[Value]) -> (&Value, &Value) {
    let (a, b) = (&inputs[0], &inputs[1]);
    if a.node().is_some() { (a, b) } else { (b, a) }
}

/// `scale · x + shift`, which `f` makes of each channel's number.
fn built(operands: Operands<'_>, f: impl Fn(f32) -> (f32, f32)) -> Built {
    match operands {
        Ok((id, form, numbers)) => {
            let (scale, shift): (Vec<f32>, Vec<f32>) = numbers.into_iter().map(f).unzip();
            let affine = Affine { scale: scale.into(), shift: shift.into() };
            Built::Op(Op::Affine(affine), vec![id], form.clone())
        }
        Err(why) => Built::Unsupported(why),
    }
}

/// A value, and a constant as one number for each of its channels.
fn operands<'a>(
    reader: &Reader,
    node: &Node,
    source: &'a Value,
    constant: &Value,
) -> Result<Operands<'a>, ImportError> {
    let (Some((id, form)), Some(constant)) = (source.node(), constant.constant()) else {
        return Ok(Err(" of these inputs"));
    };
    if !constant.is_float() {
        return Ok(Err(" with whole numbers"));
    }
    let Some(places) = form.places(&constant.shape, reader.channels(id)) else {
        return Ok(Err(" by a number for each position of the picture"));
    };
    let values = constant.floats(&node.name)?;
    Ok(Ok((id, form, places.into_iter().map(|place| values[place]).collect())))
}
