//! What a graph does to the picture before the network begins: what of it is part of [`Entry`], and so becomes
//! the network's input statistics.

use std::sync::Arc;

use super::channels;
use super::node::Node;
use super::proto::tensor_proto::DataType;
use super::reader::{Reader, Sizes, Value, fixed_numbers, optional};
use super::shape;
use super::tensor::is_float;
use crate::kit::Axis::{Batch, Channels, Columns, Rows};
use crate::kit::{Array, Axis, Channel, Entry, normalised_by, place};

/// The most values of a constant that decides what becomes of a picture before the network begins.
const SMALL: usize = 16;

/// One of a node's inputs.
enum Input {
    Entry(Entry),
    Constant(Array),
}

/// What `node` makes of the picture, if all it reads is that and constants, and it is a step on the way into
/// the network.
pub(super) fn step(reader: &Reader, node: &Node, inputs: &[Value]) -> Option<Vec<Value>> {
    let is_entry = |value: &Value| matches!(value, Value::Entry(_));
    if node.op == "Shape" {
        let [Value::Entry(entry)] = inputs else { return None };
        let size = |axis: &Axis, picture: usize| match axis {
            Batch => 1,
            Rows => reader.pictures[picture].height as i64,
            Columns => reader.pictures[picture].width as i64,
            Channels => entry.channels.len() as i64,
        };
        let sizes = |at: usize| entry.axes.iter().map(|axis| size(axis, at)).collect();
        let sizes = Sizes { both: [0, 1].map(sizes), odd: Some(sizes(2)) };
        return Some(vec![sizes.map(|sizes| shape::part(node, sizes)).into()]);
    }
    if inputs.iter().filter(|value| is_entry(value)).count() > 3 {
        return None;
    }
    let entry = |value: Entry| Value::Entry(Arc::new(value));
    Some(stepped(node, inputs)?.into_iter().map(entry).collect())
}

fn stepped(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    match node.op.as_str() {
        "Identity" | "Dropout" => Some(vec![first(inputs)?]),
        "Cast" => {
            let kind = DataType::try_from(node.integer("to", 0) as i32).ok()?;
            is_float(kind).then_some(vec![first(inputs)?])
        }
        "Clip" => clipped(node, inputs),
        "Add" => combined(inputs, |x, c| Channel { shift: x.shift + c, ..x }, true),
        "Mul" => combined(inputs, Channel::times, true),
        "Div" => combined(inputs, Channel::over, false),
        "Sub" => subtracted(inputs),
        "Neg" => Some(vec![first(inputs)?.each(|x, _| x.times(-1.0))]),
        "BatchNormalization" => normalised(node, inputs),
        "Transpose" => transposed(node, first(inputs)?),
        "Gather" => gathered(node, inputs),
        "GatherND" => {
            let places = channels::along_first(node, inputs.get(1)?)?;
            gathered(node, &[inputs[0].clone(), places])
        }
        "Slice" => sliced(node, inputs),
        "Split" => split(node, inputs),
        "Unsqueeze" => unsqueezed(node, inputs),
        "Squeeze" => squeezed(node, inputs),
        "Concat" => {
            let entries: Vec<Entry> = inputs
                .iter()
                .map(|input| match input {
                    Value::Entry(entry) => Some((**entry).clone()),
                    _ => None,
                })
                .collect::<Option<_>>()?;
            let axis = node.integer("axis", 1);
            let joined = Entry::joined(&entries, |first| {
                first.is_channels(axis).then(|| first.axes.clone())
            });
            Some(vec![joined?])
        }
        _ => None,
    }
}

fn first(inputs: &[Value]) -> Option<Entry> {
    match inputs.first()? {
        Value::Entry(entry) => Some((**entry).clone()),
        _ => None,
    }
}

fn small(value: &Value) -> Option<Array> {
    let constant = value.constant()?;
    (constant.len() <= SMALL).then(|| constant.array())?
}

/// An entry and a constant, in their order.
fn pair(inputs: &[Value]) -> Option<[Input; 2]> {
    let input = |value: &Value| match value {
        Value::Entry(entry) => Some(Input::Entry((**entry).clone())),
        value => Some(Input::Constant(small(value)?)),
    };
    let [a, b] = inputs else { return None };
    Some([input(a)?, input(b)?])
}

/// `f` of each channel and its number in a constant, which may stand first where the function is symmetric.
fn combined(
    inputs: &[Value],
    f: impl Fn(Channel, f64) -> Channel,
    symmetric: bool,
) -> Option<Vec<Entry>> {
    let (entry, array) = match pair(inputs)? {
        [Input::Entry(entry), Input::Constant(array)] => (entry, array),
        [Input::Constant(array), Input::Entry(entry)] if symmetric => (entry, array),
        _ => return None,
    };
    let numbers = entry.by_channel(&array)?;
    Some(vec![entry.each(|x, c| f(x, numbers[c]))])
}

fn subtracted(inputs: &[Value]) -> Option<Vec<Entry>> {
    if let [Input::Constant(array), Input::Entry(entry)] = pair(inputs)? {
        let numbers = entry.by_channel(&array)?;
        let from = |x: Channel, c: f64| Channel { shift: c - x.shift, scale: -x.scale, ..x };
        return Some(vec![entry.each(|x, c| from(x, numbers[c]))]);
    }
    combined(inputs, |x, c| Channel { shift: x.shift - c, ..x }, false)
}

/// A picture's values are inside the usual bounds as it is.
fn clipped(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let bound = |index: usize, name: &str| match optional(inputs, index) {
        Value::Nothing => node.attribute(name)?.f,
        value => small(value)?.into_floats().as_floats()?.first().copied(),
    };
    let (least, most) = (bound(1, "min")?, bound(2, "max")?);
    (least == 0.0 && (most == 1.0 || most == 255.0)).then_some(vec![first(inputs)?])
}

fn normalised(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let entry = first(inputs)?;
    let row = |index: usize| -> Option<Vec<f64>> {
        let array = small(inputs.get(index)?)?.into_floats();
        let row: Vec<f64> = array.as_floats()?.iter().map(|&x| x.into()).collect();
        (row.len() == entry.channels.len()).then_some(row)
    };
    let [scale, shift, mean, variance] = [row(1)?, row(2)?, row(3)?, row(4)?];
    let epsilon = node.float("epsilon", 1e-5);
    entry.is_channels(1).then_some(())?;
    Some(vec![entry.each(|x, c| {
        let (factor, rest) = normalised_by([scale[c], shift[c], mean[c], variance[c]], epsilon);
        let x = x.times(factor);
        Channel { shift: x.shift + rest, ..x }
    })])
}

fn transposed(node: &Node, entry: Entry) -> Option<Vec<Entry>> {
    let order = node.integers("perm")?.iter().map(|&axis| entry.axis(axis));
    let order: Vec<usize> = order.collect::<Option<_>>()?;
    let axes: Vec<Axis> = order.iter().map(|&axis| entry.axes[axis]).collect();
    let all = entry.axes.iter().all(|axis| axes.contains(axis)) && axes.len() == entry.axes.len();
    all.then_some(vec![Entry { axes, ..entry }])
}

/// Channels in another order, or one of them.
fn gathered(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let (entry, places) = (first(inputs)?, small(inputs.get(1)?)?);
    if !entry.is_channels(node.integer("axis", 0)) {
        return None;
    }
    let count = entry.channels.len();
    let channels = places.as_integers()?.iter().map(|&at| place(at, count));
    let channels: Vec<usize> = channels.collect::<Option<_>>()?;
    match places.shape() {
        [] => Some(vec![entry.of(&channels)?.flat()?]),
        [_] => Some(vec![entry.of(&channels)?]),
        _ => None,
    }
}

/// Some channels, out of all rows and columns.
fn sliced(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let entry = first(inputs)?;
    let slices = shape::slices(node, inputs, entry.axes.len())?;
    let mut channels: Vec<usize> = (0..entry.channels.len()).collect();
    for (axis, slice) in slices {
        if entry.axes[axis] == Channels {
            channels = slice.of(channels.len()).collect();
        } else if !slice.is_all() {
            return None;
        }
    }
    Some(vec![entry.of(&channels)?])
}

/// Channels, some each.
fn split(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let entry = first(inputs)?;
    entry.is_channels(node.integer("axis", 0)).then_some(())?;
    let sizes = shape::split_sizes(node, inputs, entry.channels.len())?;
    let mut start = 0;
    let part = |&size: &usize| {
        let channels: Vec<usize> = (start..start + size).collect();
        start += size;
        entry.of(&channels)
    };
    sizes.iter().map(part).collect()
}

/// With an axis for its one channel, or for a batch of one.
fn unsqueezed(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let mut entry = first(inputs)?;
    let axes = fixed_numbers(node, "axes", optional(inputs, 1))?;
    let [axis] = axes[..] else { return None };
    let axis = place(axis, entry.axes.len() + 1)?;
    if !entry.axes.contains(&Channels) {
        entry.axes.insert(axis, Channels);
    } else if axis == 0 && !entry.axes.contains(&Batch) {
        entry.axes.insert(0, Batch);
    } else {
        return None;
    }
    Some(vec![entry])
}

/// Without the axis of its batch, or of its one channel.
fn squeezed(node: &Node, inputs: &[Value]) -> Option<Vec<Entry>> {
    let entry = first(inputs)?;
    let axes = fixed_numbers(node, "axes", optional(inputs, 1))?;
    let [axis] = axes[..] else { return None };
    let at = entry.axis(axis)?;
    match entry.axes[at] {
        Batch => {
            let mut entry = entry;
            entry.axes.remove(at);
            Some(vec![entry])
        }
        Channels => Some(vec![entry.flat()?]),
        _ => None,
    }
}
