//! Shapes that a graph asks for, and parts of them.
//!
//! There is no batch: it is of one picture. Rows and columns are not known while a graph is read; what
//! needs them is not supported.

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, NO_MAP, Reader, Value, input, map};
use crate::ImportError;
use crate::kit::{Array, Slice};

/// The shape of a picture.
pub(super) fn shape(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match map(input(node, inputs, 0)?) {
        Some((id, layout)) => Built::Same(Value::Shape(id, layout)),
        None => NO_MAP,
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

/// Sizes out of a picture's shape, if they are known.
pub(super) fn strided_slice(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Value::Shape(id, layout) = input(node, inputs, 0)? else {
        return Ok(Built::Unsupported(" of what is no shape"));
    };
    let limits = (1..4).map(|index| reader.constant(*inputs.get(index)?)?.array());
    let limits: Option<Vec<Array>> = limits.collect();
    let channels = reader.assembly.channels(id).and_then(|channels| i64::try_from(channels).ok());
    let sizes = match layout {
        Layout::Last => [Some(1), None, None, channels],
        Layout::First => [Some(1), channels, None, None],
    };
    let places = Array::integers((0..4).collect());
    let wanted = limits.and_then(|limits| sliced(node, &places, &limits));
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
    if ["ellipsis_mask", "new_axis_mask"].iter().any(|mask| node.integer(mask, 0) != 0) {
        return None;
    }
    let masked = |mask: &str, axis: usize| node.integer(mask, 0) >> axis.min(62) & 1 == 1;
    let slice = |axis: usize| {
        let size = i64::try_from(*array.shape().get(axis)?).ok()?;
        let from_front = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        let (start, stride) = (from_front(begin[axis]), strides[axis]);
        if masked("shrink_axis_mask", axis) {
            let start = usize::try_from(start).ok().filter(|_| start < size)?;
            return Some(Slice { start, step: 1, count: 1, dropped: true });
        }
        // Backwards is for those who need it.
        let step = isize::try_from(stride).ok().filter(|&stride| stride > 0)?;
        let start = if masked("begin_mask", axis) { 0 } else { start.clamp(0, size) };
        let stop =
            if masked("end_mask", axis) { size } else { from_front(end[axis]).clamp(0, size) };
        let count = (stop - start).max(0) as usize;
        let (start, count) = (start as usize, count.div_ceil(stride as usize));
        Some(Slice { start, step, count, dropped: false })
    };
    array.sliced(&(0..begin.len()).map(slice).collect::<Option<Vec<_>>>()?)
}
