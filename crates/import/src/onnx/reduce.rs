//! Means, sums and largest values over rows and columns, and over channels.

use graph::Op;

use super::elementwise::uniform;
use super::form::{Form, Kind};
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value, fixed_numbers, optional};
use crate::ImportError;

pub(super) fn global(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let op = match node.op.as_str() {
        "GlobalMaxPool" => Op::GlobalMaxPool,
        _ => Op::GlobalAveragePool,
    };
    Ok(match reader.map(&node.name, &inputs[0])? {
        Some(source) => Built::Map(op, vec![source]),
        None => NO_MAP,
    })
}

pub(super) fn reduce(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let axes = match fixed_numbers(node, "axes", optional(inputs, 1)) {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&axis| form.axis(axis)).collect(),
        None if !optional(inputs, 1).is_nothing() => None,
        _ if node.integer("noop_with_empty_axes", 0) != 0 => {
            return Ok(Built::same(inputs[0].clone()));
        }
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
    let of_channels = across && !over.is_empty();
    let nothing = over.is_empty() && reader.is_point(id);
    if !of_channels && (left || over.contains(&Kind::Channels) || over.is_empty() && !nothing) {
        return Ok(Built::Unsupported(" over other axes than rows and columns"));
    }
    let channels = reader.channels(id);
    let op = match (node.op.as_str(), of_channels) {
        ("ReduceMean" | "ReduceSum", true) => Op::ChannelMean,
        ("ReduceMean", false) => Op::GlobalAveragePool,
        ("ReduceMax", false) => Op::GlobalMaxPool,
        // There is one position.
        ("ReduceSum", false) if nothing => Op::GlobalAveragePool,
        ("ReduceSum", false) => return Ok(Built::Unsupported(" over all positions of a picture")),
        _ => return Ok(Built::Unsupported(" over channels")),
    };
    let kept = |axis: usize| if axes.contains(&axis) { Vec::new() } else { form.0[axis].clone() };
    let form = match node.integer("keepdims", 1) {
        0 => Form(rest.map(kept).collect()),
        _ => Form((0..form.rank()).map(kept).collect()),
    };
    if of_channels && node.op == "ReduceSum" {
        let mean = reader.add(&node.name, op, &[id])?;
        let sum = Op::Affine(uniform(1, channels as f32, 0.0));
        return Ok(Built::Op(sum, vec![mean], form));
    }
    Ok(Built::Op(op, vec![id], form))
}
