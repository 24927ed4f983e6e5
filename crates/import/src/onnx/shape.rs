//! Shapes that a graph asks for, and axes that are renamed, split, joined and turned: nothing is computed.

use super::form::Form;
use super::node::Node;
use super::reader::{Built, Reader, Value, numbers, optional};
use super::resample;
use crate::ImportError;
use crate::kit::{MAX_RANK, Slice, place};

/// Some positions along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) step: i64,
}

impl Cut {
    /// Whether it takes every position in order, whatever the size.
    pub(super) fn is_all(self) -> bool {
        self.start == 0 && self.end >= i64::from(i32::MAX) && self.step == 1
    }

    /// The first position, the step, and how many there are.
    pub(super) fn slice(self, size: usize) -> Slice {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let from_front = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        let (least, most) = if self.step > 0 { (0, size) } else { (-1, size - 1) };
        let start = from_front(self.start).clamp(least.max(0), most.max(0));
        let end = from_front(self.end).clamp(least, most);
        let length = if self.step > 0 { end - start } else { start - end };
        let count = length.max(0).unsigned_abs().div_ceil(self.step.unsigned_abs().max(1));
        let step = isize::try_from(self.step).unwrap_or(1);
        Slice { start: start as usize, step, count: count as usize, dropped: false }
    }

    pub(super) fn of(self, size: usize) -> impl Iterator<Item = usize> {
        let Slice { start, step, count, .. } = self.slice(size);
        (0..count as isize).filter_map(move |at| start.checked_add_signed(at * step))
    }
}

/// The axes that a `Slice` cuts, with what is taken; `None` where that depends on the picture or is no cut.
pub(super) fn slices(node: &Node, inputs: &[Value], rank: usize) -> Option<Vec<(usize, Cut)>> {
    let list = |name, index| numbers(node, name, optional(inputs, index));
    let alike = |[a, b]: [Vec<i64>; 2]| (a == b).then_some(a);
    let starts = alike(list("starts", 1)?)?;
    let ends = alike(list("ends", 2)?)?;
    let axes = match list("axes", 3) {
        Some(axes) => alike(axes)?,
        None => (0..starts.len() as i64).collect(),
    };
    let steps = match optional(inputs, 4) {
        Value::Nothing => vec![1; starts.len()],
        steps => alike(steps.whole()?)?,
    };
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || steps.contains(&0) {
        return None;
    }
    let cut = |i: usize| {
        let cut = Cut { start: starts[i], end: ends[i], step: steps[i] };
        Some((place(axes[i], rank)?, cut))
    };
    (0..starts.len()).map(cut).collect()
}

/// How many of `size` each output of a `Split` has.
pub(super) fn split_sizes(node: &Node, inputs: &[Value], size: usize) -> Option<Vec<usize>> {
    let count = node.outputs.len();
    let sizes: Vec<usize> = match numbers(node, "split", optional(inputs, 1)) {
        Some([a, b]) if a == b => {
            a.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?
        }
        Some(_) => return None,
        // The last may be smaller.
        None => {
            let each = size.div_ceil(count.max(1));
            (0..count).map(|i| each.min(size.saturating_sub(i * each))).collect()
        }
    };
    let sum = sizes.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
    (sizes.len() == count && sum == Some(size)).then_some(sizes)
}

/// The part of a shape that a `Shape` asks for.
pub(super) fn part(node: &Node, sizes: Vec<i64>) -> Vec<i64> {
    let rank = sizes.len() as i64;
    let limit = |name: &str, default: i64| {
        let at = node.integer(name, default);
        (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize
    };
    let (start, end) = (limit("start", 0), limit("end", rank));
    sizes.get(start..end).unwrap_or_default().to_vec()
}

/// The sizes of a value.
pub(super) fn shape(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_SHAPE) };
    let sizes = reader.sizes(id, form).map(|sizes| sizes.map(|sizes| part(node, sizes)));
    Ok(sizes.map_or(NO_SHAPE, |sizes| Built::same(sizes.into())))
}

/// How many values there are.
pub(super) fn size(reader: &mut Reader, _: &Node, inputs: &[Value]) -> Result<Built, ImportError> {
    let sizes = inputs[0].node().and_then(|(id, form)| reader.sizes(id, form));
    let count = sizes.map(|sizes| sizes.map(|sizes| vec![sizes.iter().product::<i64>()]));
    Ok(count.map_or(NO_SHAPE, |count| Built::same(count.into())))
}

const NO_SHAPE: Built = Built::Unsupported(" of what has no shape that is known");
const OTHER_AXES: Built = Built::Unsupported(" to axes that split rows or columns");

fn formed(reader: &Reader, value: &Value, form: Option<Form>) -> Built {
    match (value.node(), form) {
        (Some((id, _)), Some(form)) => Built::same(Value::Node(id, reader.settled(id, form))),
        _ => OTHER_AXES,
    }
}

pub(super) fn reshape(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((_, form)) = inputs[0].node() else { return Ok(OTHER_AXES) };
    let Some([mut sizes, _]) = numbers(node, "shape", optional(inputs, 1)) else {
        return Ok(Built::Unsupported(" to a shape that is computed"));
    };
    for (axis, size) in sizes.iter_mut().enumerate() {
        if *size == 0 && node.integer("allowzero", 0) == 0 && axis < form.rank() {
            *size = form.size(axis) as i64;
        }
    }
    // A file may be made for a batch of several pictures; here there is one.
    let batch = reader.batch;
    let whole = form.reshaped(&sizes);
    let one = || {
        let first = sizes.first_mut().filter(|size| batch > 1 && **size == batch as i64)?;
        *first = 1;
        form.reshaped(&sizes)
    };
    let form = whole.or_else(one);
    Ok(formed(reader, &inputs[0], form))
}

/// All axes before one together, and all from it on.
pub(super) fn flatten(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((_, form)) = inputs[0].node() else { return Ok(OTHER_AXES) };
    let axis = node.integer("axis", 1);
    let axis = if axis == form.rank() as i64 { Some(form.rank()) } else { form.axis(axis) };
    let flat = axis.map(|axis| {
        let (first, second) = form.0.split_at(axis);
        Form(vec![first.concat(), second.concat()])
    });
    // Joined, so that parts of the same become one.
    let form = flat.and_then(|flat| {
        let sizes: Vec<i64> = flat.sizes().iter().map(|&size| size as i64).collect();
        flat.reshaped(&sizes)
    });
    Ok(formed(reader, &inputs[0], form))
}

pub(super) fn squeeze(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((_, form)) = inputs[0].node() else { return Ok(OTHER_AXES) };
    let sizes: Vec<i64> = form.sizes().iter().map(|&size| size as i64).collect();
    let dropped: Option<Vec<usize>> = match numbers(node, "axes", optional(inputs, 1)) {
        Some([axes, _]) => axes.iter().map(|&axis| form.axis(axis)).collect(),
        None => Some((0..form.rank()).filter(|&axis| sizes[axis] == 1).collect()),
    };
    let form = dropped.filter(|axes| axes.iter().all(|&axis| sizes[axis] == 1)).and_then(|axes| {
        let kept = (0..form.rank()).filter(|axis| !axes.contains(axis));
        form.reshaped(&kept.map(|axis| sizes[axis]).collect::<Vec<_>>())
    });
    Ok(formed(reader, &inputs[0], form))
}

pub(super) fn unsqueeze(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((_, form)) = inputs[0].node() else { return Ok(OTHER_AXES) };
    let axes = numbers(node, "axes", optional(inputs, 1)).map(|[axes, _]| axes);
    let form = axes.and_then(|axes| unsqueezed(form, &axes));
    Ok(formed(reader, &inputs[0], form))
}

fn unsqueezed(form: &Form, axes: &[i64]) -> Option<Form> {
    let rank = form.rank().checked_add(axes.len()).filter(|&rank| rank <= MAX_RANK)?;
    let mut new: Vec<usize> = axes.iter().map(|&axis| place(axis, rank)).collect::<Option<_>>()?;
    new.sort_unstable();
    let mut form = form.clone();
    for axis in new {
        if axis > form.rank() {
            return None;
        }
        form.0.insert(axis, Vec::new());
    }
    Some(form)
}

pub(super) fn transpose(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((_, form)) = inputs[0].node() else { return Ok(OTHER_AXES) };
    let order: Option<Vec<usize>> = match node.integers("perm") {
        Some(order) => order.iter().map(|&axis| form.axis(axis)).collect(),
        None => Some((0..form.rank()).rev().collect()),
    };
    let form = order.and_then(|order| form.transposed(&order));
    Ok(formed(reader, &inputs[0], form))
}

/// To the shape that it has already, or, of one position, to as many rows and columns as are wanted.
pub(super) fn expand(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    const LARGER: Built = Built::Unsupported(" to a larger shape");
    let source = reader.unmixed(&node.name, &inputs[0])?;
    let (Some((id, form)), Some([wanted, other])) = (source.node(), inputs[1].whole()) else {
        return Ok(LARGER);
    };
    if let ([1, own, rows, columns], [1, _, other_rows, other_columns]) = (&wanted[..], &other[..])
        && reader.is_point(id)
        && form.rank() == 4
        && (*own == 1 || *own == reader.channels(id) as i64)
        && [*rows, *columns, *other_rows, *other_columns] != [1; 4]
    {
        let Some(source) = reader.map(&node.name, &source)? else { return Ok(LARGER) };
        let sizes = [[*rows, *columns], [*other_rows, *other_columns]];
        return Ok(resample::spread(reader, source, sizes).unwrap_or(LARGER));
    }
    let form = form.clone();
    let missing = wanted.len().saturating_sub(form.rank());
    let Some(form) = unsqueezed(&form, &(0..missing as i64).collect::<Vec<_>>()) else {
        return Ok(LARGER);
    };
    let own = form.sizes();
    let skipped = own.len() - wanted.len().min(own.len());
    let fits = own[skipped..]
        .iter()
        .zip(&wanted)
        .all(|(&own, &size)| size == 1 || i64::try_from(own) == Ok(size));
    Ok(if fits { Built::same(Value::Node(id, reader.settled(id, form))) } else { LARGER })
}

/// The same value, of floating-point numbers still.
pub(super) fn identity(
    _: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let mut values = vec![inputs[0].clone()];
    values.resize(node.outputs.len().min(1), Value::Nothing);
    Ok(Built::Values(values))
}
