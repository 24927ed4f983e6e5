//! Means over rows and columns, and over channels.

use graph::Op;

use super::form::{Form, Kind};
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value, fixed_numbers, optional};
use crate::ImportError;

pub(super) fn global_average(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    Ok(match reader.map(&node.name, &inputs[0])? {
        Some(source) => Built::Map(Op::GlobalAveragePool, vec![source]),
        None => NO_MAP,
    })
}

pub(super) fn mean(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let axes = match fixed_numbers(node, "axes", optional(inputs, 1)) {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&axis| form.axis(axis)).collect(),
        _ if !optional(inputs, 1).is_nothing() => None,
        _ => Some((0..form.rank()).collect::<Vec<usize>>()),
    };
    let Some(axes) = axes else { return Ok(Built::Unsupported(" over computed axes")) };
    let over: Vec<Kind> =
        axes.iter().flat_map(|&axis| form.0[axis].iter().map(|part| part.kind)).collect();
    let rest = (0..form.rank()).filter(|axis| !axes.contains(axis));
    let places = [Kind::Rows, Kind::Columns];
    // At each position over the channels.
    let across = axes.iter().all(|&axis| form.0[axis].iter().all(|p| p.kind == Kind::Channels))
        && !rest.clone().any(|axis| form.0[axis].iter().any(|p| p.kind == Kind::Channels));
    let left = rest.clone().any(|axis| form.0[axis].iter().any(|part| places.contains(&part.kind)));
    let op = if across && !over.is_empty() { Op::ChannelMean } else { Op::GlobalAveragePool };
    let positions = matches!(op, Op::GlobalAveragePool);
    if positions
        && (left || over.contains(&Kind::Channels) || over.is_empty() && !reader.is_point(id))
    {
        return Ok(Built::Unsupported(" over other axes than rows and columns"));
    }
    let kept = |axis: usize| if axes.contains(&axis) { Vec::new() } else { form.0[axis].clone() };
    let form = match node.integer("keepdims", 1) {
        0 => Form(rest.map(kept).collect()),
        _ => Form((0..form.rank()).map(kept).collect()),
    };
    Ok(Built::Op(op, vec![id], form))
}
