//! Means, sums and largest values over rows and columns, and over channels.

use graph::{NodeId, Op, SelectChannels, Unary};

use super::elementwise::{larger, uniform};
use super::form::{Form, Kind};
use super::groups;
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
    if let [axis] = axes[..]
        && let Some(built) = groups::reduce(reader, node, (id, &form.clone()), axis)?
    {
        return Ok(built);
    }
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
        // As many as the network was made for.
        ("ReduceSum", false) if reader.is_fixed => Op::GlobalAveragePool,
        ("ReduceSum", false) => return Ok(Built::Unsupported(" over all positions of a picture")),
        _ => {
            let form = form.clone();
            return largest(reader, node, (id, form), &axes);
        }
    };
    let kept = |axis: usize| if axes.contains(&axis) { Vec::new() } else { form.0[axis].clone() };
    let form = match node.integer("keepdims", 1) {
        0 => Form(rest.map(kept).collect()),
        _ => Form((0..form.rank()).map(kept).collect()),
    };
    if node.op == "ReduceSum" && !nothing {
        let positions = reader.shape(id, 0).map_or(0, |shape| shape.plane());
        let count = if of_channels { channels } else { positions };
        let mean = reader.add(&node.name, op, &[id])?;
        let sum = Op::Affine(uniform(reader.channels(mean), count as f32, 0.0));
        return Ok(Built::Op(sum, vec![mean], form));
    }
    Ok(Built::Op(op, vec![id], form))
}

/// The most channels of which the largest is found.
const MOST_COMPARED: usize = 4096;

/// The largest channel at each position: of halves, as long as there are two.
fn largest(
    reader: &mut Reader,
    node: &Node,
    (mut id, form): (NodeId, Form),
    axes: &[usize],
) -> Result<Built, ImportError> {
    let kept = |axis: usize| if axes.contains(&axis) { Vec::new() } else { form.0[axis].clone() };
    let rest = (0..form.rank()).filter(|axis| !axes.contains(axis));
    let form = match node.integer("keepdims", 1) {
        0 => Form(rest.map(kept).collect()),
        _ => Form((0..form.rank()).map(kept).collect()),
    };
    let mut channels = reader.channels(id);
    if node.op != "ReduceMax" || channels > MOST_COMPARED {
        return Ok(Built::Unsupported(" over channels"));
    }
    while channels > 1 {
        // The middle one of an odd number is in both.
        let half = channels.div_ceil(2);
        let mut select = |first: usize| {
            let places: Vec<usize> = (first..first + half).collect();
            let op = SelectChannels { in_channels: channels, channels: places.into() };
            reader.add(&node.name, Op::SelectChannels(op), &[id])
        };
        let pair = [select(0)?, select(channels - half)?];
        id = larger(reader, &node.name, pair, true)?;
        channels = half;
    }
    Ok(Built::same(Value::Node(id, form)))
}

/// The length of a vector, or its square: the sum of the squares.
pub(super) fn length(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let form = form.clone();
    let square = reader.add(&node.name, Op::Unary(Unary::Pow { exponent: 2.0 }), &[id])?;
    let sum = Node { op: "ReduceSum".into(), ..node.clone() };
    let mut inputs = inputs.to_vec();
    inputs[0] = Value::Node(square, form);
    let built = reduce(reader, &sum, &inputs)?;
    let root = Op::Unary(Unary::Sqrt);
    Ok(match built {
        Built::Op(op, inputs, form) if node.op == "ReduceL2" => {
            let sum = reader.add(&node.name, op, &inputs)?;
            Built::Op(root, vec![sum], form)
        }
        built => built,
    })
}
