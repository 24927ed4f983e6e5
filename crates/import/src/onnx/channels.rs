//! Channels one after another, and some of them.

use std::sync::Arc;

use graph::{Crop, NodeId, Op, SelectChannels};

use super::form::{Form, Kind, Part};
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value, optional};
use super::tensor::Constant;
use super::{shape, tokens};
use crate::ImportError;
use crate::kit::place;

const TOO_MANY: Built = Built::Unsupported(" of more channels than any layer has");

/// Joins values along the channels.
pub(super) fn concat(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let nodes: Option<Vec<_>> = inputs.iter().map(Value::node).collect();
    let Some(nodes) = nodes else {
        let row = tokens::concat(reader, node, inputs)?;
        return Ok(row.unwrap_or(Built::Unsupported(" with constants")));
    };
    let [(_, first), ..] = nodes[..] else { return Ok(NO_MAP) };
    let Some(axis) = first.axis(node.integer("axis", 1)) else { return Ok(NO_MAP) };
    let along = nodes.iter().all(|&(id, form)| {
        let others = |other: usize| other == axis || form.0[other] == first.0[other];
        form.rank() == first.rank()
            && form.is_channels(axis, reader.channels(id))
            && (0..form.rank()).all(others)
    });
    if along {
        let sum = |sum: usize, &(id, _): &(NodeId, &Form)| sum.saturating_add(reader.channels(id));
        let channels = nodes.iter().fold(0, sum);
        let form = with_channels(first, axis, channels);
        return Ok(Built::Op(Op::Concat, nodes.iter().map(|&(id, _)| id).collect(), form));
    }
    if let Some(stacked) = stacked(reader, &nodes, axis) {
        return Ok(stacked);
    }
    // Channels that are in another order are put into that first.
    let mut maps = Vec::with_capacity(inputs.len());
    for input in inputs.iter().filter(|_| axis == 1) {
        if let Some(map) = reader.map(&node.name, input)? {
            maps.push(map);
        }
    }
    Ok(match maps.len() == inputs.len() {
        true => Built::Map(Op::Concat, maps),
        false => Built::Unsupported(" along another axis than the channels"),
    })
}

/// Values one after another along an axis that none of them has anything along.
fn stacked(reader: &Reader, nodes: &[(NodeId, &Form)], axis: usize) -> Option<Built> {
    let (&(first, form), rest) = nodes.split_first()?;
    let channels = reader.channels(first);
    let alike = |&(id, other): &(NodeId, &Form)| other == form && reader.channels(id) == channels;
    let all = form.0.iter().flatten().filter(|part| part.kind == Kind::Channels);
    let whole = all.map(|part| part.size).product::<usize>() == channels;
    if !form.0[axis].is_empty() || !whole || !rest.iter().all(alike) {
        return None;
    }
    let mut form = form.clone();
    form.0[axis] = vec![Part { kind: Kind::Channels, size: nodes.len(), step: channels }];
    Some(Built::Op(Op::Concat, nodes.iter().map(|&(id, _)| id).collect(), form))
}

/// The form with other channels along an axis.
fn with_channels(form: &Form, axis: usize, channels: usize) -> Form {
    let mut form = form.clone();
    form.0[axis] = vec![Part::whole(Kind::Channels, channels)];
    form
}

/// An axis that has all of a value's channels, with the value as such.
fn channel_axis(
    reader: &mut Reader,
    node: &Node,
    input: &Value,
    axis: i64,
) -> Result<Option<(NodeId, Form, usize)>, ImportError> {
    let Some((id, form)) = input.node() else { return Ok(None) };
    let Some(axis) = form.axis(axis) else { return Ok(None) };
    if form.is_channels(axis, reader.channels(id)) {
        return Ok(Some((id, form.clone(), axis)));
    }
    if axis != 1 || form.rank() != 4 {
        return Ok(None);
    }
    let map = reader.map(&node.name, input)?;
    Ok(map.map(|id| (id, reader.map_form(id), axis)))
}

/// Some of a node's channels.
fn selected(channels: usize, places: Vec<usize>) -> Op {
    Op::SelectChannels(SelectChannels { in_channels: channels, channels: places.into() })
}

/// Channels, some for each output.
pub(super) fn split(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some((id, form)) = inputs[0].node()
        && let Some(axis) = form.axis(node.integer("axis", 0))
        && let Some(part) = tokens::part_along(form, axis, reader.channels(id))
    {
        let (form, channels) = (form.clone(), reader.channels(id));
        let Some(sizes) = shape::split_sizes(node, inputs, part.size) else {
            return Ok(Built::Unsupported(" into parts that do not fit"));
        };
        let (mut start, mut values) = (0, Vec::with_capacity(sizes.len()));
        for (size, name) in sizes.into_iter().zip(&node.outputs) {
            let places: Vec<usize> = (start..start + size).collect();
            let Some((op, form)) = tokens::selected(channels, &form, axis, part, &places) else {
                return Ok(TOO_MANY);
            };
            let id = reader.add(name, op, &[id])?;
            values.push(Value::Node(id, reader.settled(id, form)));
            start += size;
        }
        return Ok(Built::Values(values));
    }
    let Some((id, form, axis)) = channel_axis(reader, node, &inputs[0], node.integer("axis", 0))?
    else {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    };
    let channels = reader.channels(id);
    let Some(sizes) = shape::split_sizes(node, inputs, channels) else {
        return Ok(Built::Unsupported(" into parts that do not fit"));
    };
    parts(reader, &node.outputs, (id, &form, axis), &sizes).map(Built::Values)
}

/// A value for each of `sizes` channels, one after another.
fn parts(
    reader: &mut Reader,
    names: &[String],
    (id, form, axis): (NodeId, &Form, usize),
    sizes: &[usize],
) -> Result<Vec<Value>, ImportError> {
    let channels = reader.channels(id);
    let (mut start, mut values) = (0, Vec::with_capacity(sizes.len()));
    for (size, name) in sizes.iter().zip(names) {
        let places = (start..start + size).collect();
        let part = reader.add(name, selected(channels, places), &[id])?;
        values.push(Value::Node(part, reader.settled(part, with_channels(form, axis, *size))));
        start += size;
    }
    Ok(values)
}

/// As [`split`], but as one sequence.
pub(super) fn split_to_sequence(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    const OF_PARTS: Built = Built::Unsupported(" along another axis than the channels");
    let Some((id, form, axis)) = channel_axis(reader, node, &inputs[0], node.integer("axis", 0))?
    else {
        return Ok(OF_PARTS);
    };
    let channels = reader.channels(id);
    let whole = optional(inputs, 1).constant().and_then(|split| split.integers("").ok());
    let scalar = optional(inputs, 1).constant().is_some_and(|split| split.shape.is_empty());
    let whole = whole.map(|sizes| {
        sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect::<Vec<_>>()
    });
    let sizes = match whole.as_deref() {
        Some(&[each]) if scalar && each > 0 => {
            let part = |i: usize| each.min(channels - i * each);
            (0..channels.div_ceil(each)).map(part).collect()
        }
        Some(sizes) if sizes.iter().copied().fold(0, usize::saturating_add) == channels => {
            sizes.to_vec()
        }
        _ => return Ok(Built::Unsupported(" into parts that do not fit")),
    };
    let names = vec![node.name.clone(); sizes.len()];
    let values = parts(reader, &names, (id, &form, axis), &sizes)?;
    Ok(Built::Values(vec![Value::Sequence(values)]))
}

/// One value of a sequence.
pub(super) fn sequence_at(
    _: &mut Reader,
    _: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let at = inputs[1].constant().and_then(|at| at.integers("").ok());
    Ok(match (&inputs[0], at.as_deref()) {
        (Value::Sequence(values), Some(&[at])) => match place(at, values.len()) {
            Some(at) => Built::same(values[at].clone()),
            None => Built::Unsupported(" of what is not there"),
        },
        _ => Built::Unsupported(" at a computed place"),
    })
}

/// Channels by their numbers.
pub(super) fn gather(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(places) = inputs[1].constant() else {
        return Ok(Built::Unsupported(" of computed places"));
    };
    let dropped = places.shape.is_empty();
    let numbers = places.integers(&node.name)?;
    if places.shape.len() > 1 {
        return spread(reader, node, inputs, places);
    }
    // The one picture of a batch.
    if let Some((id, form)) = inputs[0].node()
        && let Some(axis) = form.axis(node.integer("axis", 0))
        && form.0[axis].is_empty()
        && matches!(numbers[..], [0 | -1])
    {
        let mut form = form.clone();
        if dropped {
            form.0.remove(axis);
        }
        return Ok(Built::same(Value::Node(id, form)));
    }
    if let Some((id, form)) = inputs[0].node()
        && let Some(axis) = form.axis(node.integer("axis", 0))
    {
        let channels = reader.channels(id);
        if let Some(part) = tokens::part_along(form, axis, channels) {
            let along = numbers.iter().map(|&number| place(number, part.size));
            let along = along.collect::<Option<Vec<_>>>().filter(|_| places.shape.len() < 2);
            let Some(along) = along.filter(|along| !along.is_empty()) else {
                return Ok(Built::Unsupported(" of channels that are not there"));
            };
            let Some((op, mut form)) = tokens::selected(channels, form, axis, part, &along) else {
                return Ok(TOO_MANY);
            };
            if dropped {
                form.0.remove(axis);
            }
            return Ok(Built::Op(op, vec![id], form));
        }
        if let [number] = numbers[..]
            && let Some(built) = tokens::one((id, form), axis, number, dropped)
        {
            return Ok(built);
        }
    }
    let Some((id, form, axis)) = channel_axis(reader, node, &inputs[0], node.integer("axis", 0))?
    else {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    };
    let channels = reader.channels(id);
    let numbers = numbers.iter().map(|&number| place(number, channels));
    let Some(numbers) = numbers.collect::<Option<Vec<_>>>().filter(|_| places.shape.len() < 2)
    else {
        return Ok(Built::Unsupported(" of channels that are not there"));
    };
    let mut form = with_channels(&form, axis, numbers.len());
    if dropped {
        form.0.remove(axis);
    }
    Ok(Built::Op(selected(channels, numbers), vec![id], form))
}

/// The numbers by which [`gather`] takes along the first axis what a GatherND takes by these; `None` if it takes
/// along several.
pub(super) fn along_first(node: &Node, places: &Value) -> Option<Value> {
    let places = places.constant().filter(|_| node.integer("batch_dims", 0) == 0)?;
    let (1, outer) = places.shape.split_last()? else { return None };
    Some(Value::Constant(Arc::new(places.shaped(outer.to_vec())?)))
}

/// Channels by their numbers, as newer exporters write a list of them.
pub(super) fn gather_nd(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    match along_first(node, &inputs[1]) {
        Some(places) => gather(reader, node, &[inputs[0].clone(), places]),
        None => Ok(Built::Unsupported(" along several axes")),
    }
}

/// Channels by numbers that are laid out along several axes, all but one of them of one number.
fn spread(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
    places: &Constant,
) -> Result<Built, ImportError> {
    const OTHER: Built = Built::Unsupported(" by numbers along several axes");
    let long = places.shape.iter().position(|&size| size != 1).unwrap_or(0);
    let flat = places.shaped(vec![places.len()]).filter(|_| places.shape[long] == places.len());
    let Some(flat) = flat else { return Ok(OTHER) };
    let numbers = Value::Constant(Arc::new(flat));
    let (id, form) = match gather(reader, node, &[inputs[0].clone(), numbers])? {
        Built::Op(op, inputs, form) => (reader.add(&node.name, op, &inputs)?, form),
        Built::Values(values) => match &values[..] {
            [Value::Node(id, form)] => (*id, form.clone()),
            _ => return Ok(OTHER),
        },
        other => return Ok(other),
    };
    let Some(axis) = form.axis(node.integer("axis", 0)) else { return Ok(OTHER) };
    let mut axes = form.0.clone();
    let own = axes[axis].clone();
    let along = (0..places.shape.len()).map(|at| if at == long { own.clone() } else { Vec::new() });
    axes.splice(axis..=axis, along);
    Ok(Built::same(Value::Node(id, Form(axes))))
}

/// Some channels, rows and columns.
pub(super) fn slice(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((mut id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let mut form = form.clone();
    let Some(slices) = shape::slices(node, inputs, form.rank()) else {
        return Ok(Built::Unsupported(" from or to what is computed"));
    };
    let mut crop = Crop { rows: graph::Cut::ALL, columns: graph::Cut::ALL };
    for (axis, cut) in slices {
        let own = graph::Cut { start: cut.start, end: cut.end, step: cut.step };
        let size = form.size(axis);
        let all = cut.slice(size).count == size && cut.step == 1;
        if all && (form.0[axis].is_empty() || cut.is_all()) {
            continue;
        }
        // Channels that are in another order are put into that first.
        if axis == 1
            && form.0[axis].len() > 1
            && let Some(map) = reader.map(&node.name, &Value::Node(id, form.clone()))?
        {
            (id, form) = (map, reader.map_form(map));
        }
        let channels = reader.channels(id);
        if form.is_channels(axis, channels) {
            let places: Vec<usize> = cut.of(channels).collect();
            let count = places.len();
            id = reader.add(&node.name, selected(channels, places), &[id])?;
            form = with_channels(&form, axis, count);
        } else if let Some(part) = tokens::part_along(&form, axis, channels) {
            let places: Vec<usize> = cut.of(part.size).collect();
            let Some((op, after)) = tokens::selected(channels, &form, axis, part, &places) else {
                return Ok(TOO_MANY);
            };
            (id, form) = (reader.add(&node.name, op, &[id])?, after);
        } else if form.alone(axis, Kind::Rows) {
            crop.rows = own;
        } else if form.alone(axis, Kind::Columns) {
            crop.columns = own;
        } else {
            return Ok(Built::Unsupported(" of axes that were joined or split"));
        }
    }
    if crop == (Crop { rows: graph::Cut::ALL, columns: graph::Cut::ALL }) {
        return Ok(Built::same(Value::Node(id, reader.settled(id, form))));
    }
    let id = reader.add(&node.name, Op::Crop(crop), &[id])?;
    Ok(Built::same(Value::Node(id, reader.resized(id, form))))
}

impl Reader {
    /// The form for a node that has other numbers of rows and columns.
    pub(super) fn resized(&self, id: NodeId, mut form: Form) -> Form {
        if let Some(shape) = self.shape(id, 0) {
            for part in form.0.iter_mut().flatten() {
                match part.kind {
                    Kind::Channels => {}
                    Kind::Rows => part.size = shape.height,
                    Kind::Columns => part.size = shape.width,
                }
            }
        }
        self.settled(id, form)
    }
}
