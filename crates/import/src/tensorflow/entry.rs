//! What a graph does to the picture before the network begins: casts, axes more or less, colours in another
//! order, numbers subtracted and multiplied. All of that together is what [`graph::InputSpec`] says, and so
//! becomes the network's input statistics.
//!
//! A resize at the entry is left out: a dream has its own size.

use super::proto::NodeDef;
use super::reader::{Reader, Value};
use crate::kit::Axis::{self, Batch, Channels};
use crate::kit::{Array, Channel, Entry};

/// One of a node's inputs.
enum Input {
    Entry(Entry),
    Constant(Array),
}

/// Computes the entries at a node's outputs, or does not know how.
type Step = fn(&NodeDef, Vec<Input>) -> Option<Vec<Entry>>;

const STEPS: &[(&str, Step)] = &[
    ("Add", |_, inputs| combined(inputs, |x, c| Channel { shift: x.shift + c, ..x }, true)),
    ("AddV2", |_, inputs| combined(inputs, |x, c| Channel { shift: x.shift + c, ..x }, true)),
    ("BiasAdd", bias_add),
    ("Cast", cast),
    ("CheckNumerics", same),
    ("Concat", |_, mut inputs| {
        inputs.rotate_left(1);
        concat(inputs)
    }),
    ("ConcatV2", |_, inputs| concat(inputs)),
    ("DecodeJpeg", same),
    ("Div", |_, inputs| combined(inputs, Channel::over, false)),
    ("ExpandDims", expand_dims),
    ("GatherV2", gather),
    ("Identity", same),
    ("Mul", |_, inputs| combined(inputs, |x, c| x.times(c), true)),
    ("Neg", |_, inputs| Some(vec![one(inputs)?.each(|x, _| x.times(-1.0))])),
    ("Pack", pack),
    ("PlaceholderWithDefault", same),
    ("RealDiv", |_, inputs| combined(inputs, Channel::over, false)),
    ("ResizeArea", first),
    ("ResizeBicubic", first),
    ("ResizeBilinear", first),
    ("ResizeNearestNeighbor", first),
    ("ReverseV2", reverse),
    ("Split", split),
    ("Squeeze", squeeze),
    ("StopGradient", same),
    ("StridedSlice", strided_slice),
    ("Sub", subtract),
    ("Transpose", transpose),
    ("Unpack", unpack),
];

/// What `node` makes of the picture, if all it reads is that and constants, and it is a step on the way into
/// the network.
pub(super) fn step(reader: &mut Reader, node: &NodeDef, inputs: &[Value]) -> Option<Value> {
    let (_, step) = STEPS.iter().find(|(name, _)| *name == node.op)?;
    let input = |input: &Value| match *input {
        Value::Entry { first, .. } => Some(Input::Entry(reader.entries[first].clone())),
        value => Some(Input::Constant(reader.constant(value)?.small_array()?)),
    };
    let inputs: Vec<Input> = inputs.iter().map(input).collect::<Option<_>>()?;
    if !inputs.iter().any(|input| matches!(input, Input::Entry(_))) {
        return None;
    }
    let entries = step(node, inputs)?;
    let (first, count) = (reader.entries.len(), entries.len());
    reader.entries.extend(entries);
    Some(Value::Entry { first, count })
}

fn one(inputs: Vec<Input>) -> Option<Entry> {
    match <[Input; 1]>::try_from(inputs).ok()? {
        [Input::Entry(entry)] => Some(entry),
        [Input::Constant(_)] => None,
    }
}

/// An entry and a constant.
fn pair(inputs: Vec<Input>) -> Option<(Entry, Array)> {
    match <[Input; 2]>::try_from(inputs).ok()? {
        [Input::Entry(entry), Input::Constant(array)] => Some((entry, array)),
        _ => None,
    }
}

fn same(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    Some(vec![one(inputs)?])
}

/// The first of two inputs.
fn first(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    Some(vec![pair(inputs)?.0])
}

/// To another kind of floating point; a cast to whole numbers cuts off what a dream needs.
fn cast(node: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    node.data_type("DstT").is_some_and(|kind| kind.is_float()).then_some(vec![one(inputs)?])
}

/// `f` of each channel and its number in a constant, which may stand first where the function is symmetric.
fn combined(
    mut inputs: Vec<Input>,
    f: impl Fn(Channel, f64) -> Channel,
    symmetric: bool,
) -> Option<Vec<Entry>> {
    if symmetric && matches!(inputs.first(), Some(Input::Constant(_))) {
        inputs.reverse();
    }
    let (entry, array) = pair(inputs)?;
    let numbers = entry.by_channel(&array)?;
    Some(vec![entry.each(|x, c| f(x, numbers[c]))])
}

fn subtract(_: &NodeDef, mut inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let from_constant = matches!(inputs.first(), Some(Input::Constant(_)));
    if !from_constant {
        return combined(inputs, |x, c| Channel { shift: x.shift - c, ..x }, false);
    }
    inputs.reverse();
    combined(inputs, |x, c| Channel { shift: c - x.shift, scale: -x.scale, ..x }, false)
}

/// A number for each channel, wherever these are.
fn bias_add(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let (entry, array) = pair(inputs)?;
    let bias = array.into_floats();
    let bias = bias.as_floats().filter(|bias| bias.len() == entry.channels.len())?;
    Some(vec![entry.each(|x, c| Channel { shift: x.shift + f64::from(bias[c]), ..x })])
}

fn expand_dims(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let (mut entry, axis) = pair(inputs)?;
    let [axis] = axis.as_integers()? else { return None };
    let at_front = *axis == 0 || *axis == -(entry.axes.len() as i64) - 1;
    if !at_front || entry.axes.contains(&Batch) {
        return None;
    }
    entry.axes.insert(0, Batch);
    Some(vec![entry])
}

fn squeeze(node: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let mut entry = one(inputs)?;
    let batch = matches!(node.integers("squeeze_dims"), [0]) && entry.axes.first() == Some(&Batch);
    batch.then(|| entry.axes.remove(0))?;
    Some(vec![entry])
}

fn transpose(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let (entry, order) = pair(inputs)?;
    let order: Vec<usize> =
        order.as_integers()?.iter().map(|&axis| entry.axis(axis)).collect::<Option<_>>()?;
    let axes: Vec<Axis> = order.iter().map(|&axis| entry.axes[axis]).collect();
    let all = entry.axes.iter().all(|axis| axes.contains(axis)) && axes.len() == entry.axes.len();
    all.then_some(vec![Entry { axes, ..entry }])
}

fn reverse(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let (mut entry, axes) = pair(inputs)?;
    let [axis] = axes.as_integers()? else { return None };
    entry.is_channels(*axis).then(|| entry.channels.reverse())?;
    Some(vec![entry])
}

fn gather(_: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let [Input::Entry(entry), Input::Constant(places), Input::Constant(axis)] =
        <[Input; 3]>::try_from(inputs).ok()?
    else {
        return None;
    };
    let [axis] = axis.as_integers()? else { return None };
    let channel = |&place: &i64| usize::try_from(place).ok();
    let channels: Option<Vec<usize>> = places.as_integers()?.iter().map(channel).collect();
    let taken = entry.is_channels(*axis) && places.shape().len() == 1;
    taken.then_some(vec![entry.of(&channels?)?])
}

/// Each channel by itself; the axis comes first.
fn split(node: &NodeDef, mut inputs: Vec<Input>) -> Option<Vec<Entry>> {
    inputs.reverse();
    let (entry, axis) = pair(inputs)?;
    let [axis] = axis.as_integers()? else { return None };
    let count = entry.channels.len();
    let whole = entry.is_channels(*axis) && node.integer("num_split", 0) == count as i64;
    whole.then(|| (0..count).map(|channel| entry.of(&[channel])).collect())?
}

/// Each channel by itself, without an axis of channels.
fn unpack(node: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let entry = one(inputs)?;
    let count = entry.channels.len();
    let whole =
        entry.is_channels(node.integer("axis", 0)) && node.integer("num", 0) == count as i64;
    whole.then(|| (0..count).map(|channel| entry.of(&[channel])?.flat()).collect())?
}

/// Channels one after another; the axis comes last.
fn concat(mut inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let Some(Input::Constant(axis)) = inputs.pop() else { return None };
    let [axis] = axis.as_integers()? else { return None };
    joined(inputs, |first| first.is_channels(*axis).then(|| first.axes.clone()))
}

/// Channels without an axis one after another, along a new axis.
fn pack(node: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let axis = node.integer("axis", 0);
    joined(inputs, |first| {
        let rank = first.axes.len() as i64 + 1;
        let axis = usize::try_from(if axis < 0 { axis.checked_add(rank)? } else { axis }).ok()?;
        let mut axes = first.axes.clone();
        let fits = !axes.contains(&Channels) && axis <= axes.len();
        fits.then(|| axes.insert(axis, Channels))?;
        Some(axes)
    })
}

fn joined(
    inputs: Vec<Input>,
    axes: impl FnOnce(&Entry) -> Option<Vec<Axis>>,
) -> Option<Vec<Entry>> {
    let entry = |input| match input {
        Input::Entry(entry) => Some(entry),
        Input::Constant(_) => None,
    };
    let entries: Vec<Entry> = inputs.into_iter().map(entry).collect::<Option<_>>()?;
    Some(vec![Entry::joined(&entries, axes)?])
}

/// Channels in another order, or one of them, out of all rows and columns.
fn strided_slice(node: &NodeDef, inputs: Vec<Input>) -> Option<Vec<Entry>> {
    let [Input::Entry(entry), Input::Constant(a), Input::Constant(b), Input::Constant(c)] =
        <[Input; 4]>::try_from(inputs).ok()?
    else {
        return None;
    };
    let [begin, end, strides] = [a.as_integers()?, b.as_integers()?, c.as_integers()?];
    let masked = |mask: &str, at: usize| node.integer(mask, 0) >> at.min(62) & 1 == 1;
    let count = begin.len();
    if end.len() != count || strides.len() != count || node.integer("new_axis_mask", 0) != 0 {
        return None;
    }
    let ellipsis = (0..count).find(|&at| masked("ellipsis_mask", at));
    let size = entry.channels.len() as i64;
    let mut taken: Option<(Vec<usize>, bool)> = None;
    for (axis, kind) in entry.axes.iter().enumerate() {
        // Where the slice speaks of this axis: from the front, or from the end behind an ellipsis.
        let at = match ellipsis {
            Some(ellipsis) if axis >= ellipsis => (axis + count).checked_sub(entry.axes.len()),
            _ => Some(axis),
        };
        let Some(at) = at.filter(|&at| at < count && ellipsis.is_none_or(|e| at > e || axis < e))
        else {
            continue;
        };
        if *kind != Channels {
            let all = masked("begin_mask", at) && masked("end_mask", at) && strides[at] == 1;
            all.then_some(())?;
            continue;
        }
        let from_front = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        let channels: Vec<i64> = if masked("shrink_axis_mask", at) {
            vec![from_front(begin[at])]
        } else {
            let (first, stop) = if strides[at] > 0 { (0, size) } else { (size - 1, -1) };
            let begin = if masked("begin_mask", at) { first } else { from_front(begin[at]) };
            let end = if masked("end_mask", at) { stop } else { from_front(end[at]) };
            let inside = |&channel: &i64| (channel < end) == (strides[at] > 0) && channel != end;
            let step = (strides[at] != 0).then_some(strides[at])?;
            std::iter::successors(Some(begin), |&last| last.checked_add(step))
                .take_while(inside)
                .take(4)
                .collect()
        };
        let channels: Option<Vec<usize>> =
            channels.iter().map(|&channel| usize::try_from(channel).ok()).collect();
        taken = Some((channels?, masked("shrink_axis_mask", at)));
    }
    Some(vec![match taken {
        Some((channels, true)) => entry.of(&channels)?.flat()?,
        Some((channels, false)) => entry.of(&channels)?,
        None => entry,
    }])
}
