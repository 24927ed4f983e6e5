//! Shapes that a graph asks for, and parts of them.
//!
//! There is no batch: it is of one picture. Rows and columns are not known while a graph is read; what
//! needs them is not supported.

use super::geometry;
use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, NO_MAP, Reader, Value, input};
use crate::ImportError;
use crate::kit::{Array, Slice};

/// The shape of a picture, or of a row of the channels of one position.
pub(super) fn shape(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let value = input(node, inputs, 0)?;
    Ok(match (value.node(), value.form()) {
        (Some(id), Some(form @ (Form::Map(_) | Form::Position))) => {
            Built::Same(Value::Shape(id, form))
        }
        _ => NO_MAP,
    })
}

/// Maps in the other layout: the same values here.
pub(super) fn transpose(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let order = reader.constant(input(node, inputs, 1)?);
    let order = order.map(|order| order.integers(&node.name)).transpose()?;
    let turned = match (input(node, inputs, 0)?, order.as_deref()) {
        (Value::Node(id, Form::Map(Layout::Last)), Some([0, 3, 1, 2])) => Some((id, Layout::First)),
        (Value::Node(id, Form::Map(Layout::First)), Some([0, 2, 3, 1])) => Some((id, Layout::Last)),
        _ => None,
    };
    Ok(match turned {
        Some((id, layout)) => Built::Same(Value::Node(id, Form::Map(layout))),
        None => Built::Unsupported(" to an order that is neither NHWC nor NCHW"),
    })
}

/// Sizes out of a picture's shape, if they are known; rows and columns together are, as those of that picture.
pub(super) fn strided_slice(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Value::Shape(id, form) = input(node, inputs, 0)? else {
        return geometry::strided_slice(reader, node, inputs);
    };
    let limits = (1..4).map(|index| reader.constant(*inputs.get(index)?)?.array());
    let limits: Option<Vec<Array>> = limits.collect();
    let channels = reader.assembly.channels(id).and_then(|channels| i64::try_from(channels).ok());
    let sizes = match form {
        Form::Map(Layout::Last) => vec![Some(1), None, None, channels],
        Form::Map(Layout::First) => vec![Some(1), channels, None, None],
        _ => vec![Some(1), channels],
    };
    let places = Array::integers((0..sizes.len() as i64).collect());
    let wanted = limits.and_then(|limits| sliced(node, &places, &limits));
    let places = wanted.as_ref().and_then(|wanted| wanted.as_integers());
    if let (Form::Map(layout), Some(places)) = (form, places)
        && *places == layout.axes()[..2]
    {
        return Ok(Built::Same(Value::Extent { of: id, times: [1, 1] }));
    }
    let known = wanted.and_then(|wanted| {
        let places = wanted.as_integers()?.iter();
        let sizes: Option<Vec<i64>> = places.map(|&place| sizes[place as usize]).collect();
        let shape: Vec<i64> = wanted.shape().iter().map(|&size| size as i64).collect();
        Array::integers(sizes?).reshaped(&shape)
    });
    Ok(known.map_or(Built::Unsupported(" of sizes that are not known yet"), Built::Constant))
}

/// What `StridedSlice` takes of an array from `begin` to `end` in `strides`.
pub(super) fn sliced(node: &NodeDef, array: &Array, limits: &[Array]) -> Option<Array> {
    let [begin, end, strides] = limits else { return None };
    let (begin, end) = (begin.as_integers()?, end.as_integers()?);
    let strides = strides.as_integers()?;
    if begin.len() != end.len() || begin.len() != strides.len() {
        return None;
    }
    if node.integer("new_axis_mask", 0) != 0 {
        return None;
    }
    let masked = |mask: &str, axis: usize| node.integer(mask, 0) >> axis.min(62) & 1 == 1;
    let whole = |count: usize| Slice { start: 0, step: 1, count, dropped: false };
    let slice = |at: usize, axis: usize| {
        let size = i64::try_from(*array.shape().get(axis)?).ok()?;
        let from_front = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        if masked("shrink_axis_mask", at) {
            let start = usize::try_from(from_front(begin[at])).ok()?;
            return (start < size as usize).then_some(Slice { start, dropped: true, ..whole(1) });
        }
        let step = isize::try_from(strides[at]).ok().filter(|&step| step != 0)?;
        // Backwards, from the last value to before the first.
        let (first, stop) = if step > 0 { (0, size) } else { (size - 1, -1) };
        let [least, most] = [first.min(stop), first.max(stop)];
        let limit = |mask, end: i64, all| match masked(mask, at) {
            true => all,
            false => from_front(end).clamp(least, most),
        };
        let start = limit("begin_mask", begin[at], first);
        let stop = limit("end_mask", end[at], stop);
        let length = if step > 0 { stop - start } else { start - stop };
        let count = (length.max(0) as usize).div_ceil(step.unsigned_abs());
        Some(Slice { start: start.max(0) as usize, step, ..whole(count) })
    };
    let mut slices = Vec::new();
    for at in 0..begin.len() {
        if masked("ellipsis_mask", at) {
            let axes = (array.shape().len() + 1).checked_sub(begin.len())?;
            slices.extend(array.shape().get(at..at + axes)?.iter().map(|&count| whole(count)));
        } else {
            slices.push(slice(at, slices.len())?);
        }
    }
    array.sliced(&slices)
}
