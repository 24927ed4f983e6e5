//! What vision transformers do to the positions of a picture: put them in a row, others before them, and add what
//! was trained for each. And parts of channels, as which they have queries, keys and values.

use graph::{Crop, Cut, NodeId, Op, PositionEmbedding, SelectChannels, Tokens};

use super::form::{Form, Kind, Part};
use super::node::Node;
use super::reader::{Built, Reader, Value};
use super::tensor::Constant;
use crate::ImportError;

/// The most numbers of constants for all positions: a small file can state more of them than memory holds.
const MOST_NUMBERS: usize = 1 << 24;

/// The most channels that are chosen, each as often as a file says.
const MOST_SELECTED: usize = 1 << 18;

/// Constants put before a value along its positions, if it is that which is joined.
pub(super) fn concat(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Option<Built>, ImportError> {
    let Some((last, constants)) = inputs.split_last() else { return Ok(None) };
    let Some((id, form)) = last.node() else { return Ok(None) };
    let Some(axis) = form.axis(node.integer("axis", 1)) else { return Ok(None) };
    let channels = reader.channels(id);
    let Some(of_channels) = channel_axis(form, channels, &[axis]) else { return Ok(None) };
    if constants.is_empty() || !reader.has_positions(id, form, axis) {
        return Ok(None);
    }
    let fits = |constant: &&Constant| {
        let sizes = &constant.shape;
        let fits = |other: usize| {
            other == axis || sizes[other] == if other == of_channels { channels } else { 1 }
        };
        constant.is_float() && sizes.len() == form.rank() && (0..form.rank()).all(fits)
    };
    let constants = constants.iter().map(|constant| constant.constant().filter(fits));
    let Some(constants) = constants.collect::<Option<Vec<_>>>() else { return Ok(None) };
    // One constant can be many of the inputs.
    let sum = |sum: usize, constant: &&Constant| sum.checked_add(constant.len());
    let all = constants.iter().try_fold(0, sum).filter(|&all| all <= MOST_NUMBERS);
    if all.and_then(|all| reader.count(all)).is_none() {
        return Ok(None);
    }
    let mut before = Vec::new();
    for constant in constants {
        before.extend(by_position(node, constant, axis, of_channels, channels)?);
    }
    let count = before.len() / channels.max(1) + form.size(axis);
    let mut form = form.clone();
    form.0[axis] = vec![Part::whole(Kind::Columns, count)];
    let op = Op::Tokens(Tokens { channels, before: before.into() });
    Ok(Some(Built::Op(op, vec![id], form)))
}

/// The numbers of a constant for each place along `axis`, with all channels of each together.
fn by_position(
    node: &Node,
    constant: &Constant,
    axis: usize,
    of_channels: usize,
    channels: usize,
) -> Result<Vec<f32>, ImportError> {
    let numbers = constant.floats(&node.name)?;
    let step = |axis: usize| constant.shape[axis + 1..].iter().product::<usize>();
    let (along, by_channel) = (step(axis), step(of_channels));
    let places = (0..constant.shape[axis]).flat_map(|place| (0..channels).map(move |c| (place, c)));
    Ok(places.map(|(place, c)| numbers[place * along + c * by_channel]).collect())
}

/// The axis that has all channels, if all others but `positions` have nothing.
fn channel_axis(form: &Form, channels: usize, positions: &[usize]) -> Option<usize> {
    let mut others = (0..form.rank()).filter(|axis| !positions.contains(axis));
    let axis = others.find(|&axis| !form.0[axis].is_empty())?;
    (others.all(|axis| form.0[axis].is_empty()) && form.is_channels(axis, channels)).then_some(axis)
}

/// A sum of a value and a constant that has a number for each of its positions and channels, if it is that.
pub(super) fn add(
    reader: &mut Reader,
    node: &Node,
    source: &Value,
    constant: &Value,
) -> Result<Option<Built>, ImportError> {
    let (Some((id, form)), Some(constant)) = (source.node(), constant.constant()) else {
        return Ok(None);
    };
    let (channels, form) = (reader.channels(id), form.clone());
    let Some(missing) = form.rank().checked_sub(constant.shape.len()) else { return Ok(None) };
    let mut sizes = vec![1; missing];
    sizes.extend(&constant.shape);
    let few = constant.is_float() && constant.len() <= MOST_NUMBERS;
    if few && let Some(embedding) = on_grid(reader, node, (id, &form), constant, &sizes)? {
        return Ok(Some(Built::Op(embedding, vec![id], form)));
    }
    let axis =
        (0..form.rank()).find(|&axis| sizes[axis] > 1 && reader.has_positions(id, &form, axis));
    let (Some(axis), true) = (axis, few) else { return Ok(None) };
    let Some(of_channels) = channel_axis(&form, channels, &[axis]) else { return Ok(None) };
    let fits = (0..form.rank()).all(|other| {
        other == axis || sizes[other] == if other == of_channels { channels } else { 1 }
    });
    if !fits {
        return Ok(None);
    }
    // Those before the picture's own, which are not on its grid.
    let (own, before) = match reader.assembly.op(id) {
        Op::Tokens(tokens) => (reader.assembly.inputs(id)[0], Some(tokens.clone())),
        _ => (id, None),
    };
    // Of others in a row, rows and columns are no longer told apart.
    if reader.in_row(own) {
        return Ok(None);
    }
    let count = before.as_ref().map_or(0, Tokens::count);
    let Some(shape) = reader.shape(own, 0) else { return Ok(None) };
    let Some(grid) = grid(sizes[axis].saturating_sub(count), [shape.height, shape.width]) else {
        return Ok(None);
    };
    let counted = reader.count(constant.len());
    let Some(whole) = counted.and_then(|()| constant.shaped(sizes)) else { return Ok(None) };
    let numbers = by_position(node, &whole, axis, of_channels, channels)?;
    let (first, rest) = numbers.split_at(count * channels);
    let values = (0..channels).flat_map(|c| rest.iter().skip(c).step_by(channels.max(1)).copied());
    let embedding = Op::PositionEmbedding(PositionEmbedding { grid, values: values.collect() });
    let Some(Tokens { before, .. }) = before else {
        return Ok(Some(Built::Op(embedding, vec![id], form)));
    };
    let own = reader.add(&node.name, embedding, &[own])?;
    let before = before.iter().zip(first).map(|(a, b)| a + b).collect();
    Ok(Some(Built::Op(Op::Tokens(Tokens { channels, before }), vec![own], form)))
}

/// What adds a constant that has a number for each row, column and channel of a map, if it is that: `sizes` are
/// those of its axes.
fn on_grid(
    reader: &mut Reader,
    node: &Node,
    (id, form): (NodeId, &Form),
    constant: &Constant,
    sizes: &[usize],
) -> Result<Option<Op>, ImportError> {
    let channels = reader.channels(id);
    let alone = |kind: Kind| (0..form.rank()).find(|&axis| form.alone(axis, kind));
    let (Some(rows), Some(columns)) = (alone(Kind::Rows), alone(Kind::Columns)) else {
        return Ok(None);
    };
    let Some(of_channels) = channel_axis(form, channels, &[rows, columns]) else { return Ok(None) };
    let Some(shape) = reader.shape(id, 0) else { return Ok(None) };
    let fits = (0..form.rank()).all(|axis| {
        sizes[axis]
            == match axis {
                _ if axis == rows => shape.height,
                _ if axis == columns => shape.width,
                _ if axis == of_channels => channels,
                _ => 1,
            }
    });
    if !fits || reader.in_row(id) || reader.count(constant.len()).is_none() {
        return Ok(None);
    }
    let numbers = constant.floats(&node.name)?;
    let step = |axis: usize| sizes[axis + 1..].iter().product::<usize>();
    let [by_channel, by_row, by_column] = [of_channels, rows, columns].map(step);
    let grid = [shape.height, shape.width];
    let places = (0..channels * shape.plane()).map(|place| {
        let (c, at) = (place / shape.plane(), place % shape.plane());
        c * by_channel + at / shape.width * by_row + at % shape.width * by_column
    });
    let values = places.map(|place| numbers[place]).collect();
    Ok(Some(Op::PositionEmbedding(PositionEmbedding { grid, values })))
}

/// Rows and columns of `count` positions that were trained: those of the picture in mind, or as many of both.
fn grid(count: usize, shape: [usize; 2]) -> Option<[usize; 2]> {
    if shape[0] * shape[1] == count {
        return Some(shape);
    }
    let side = count.isqrt();
    (side > 0 && side * side == count).then_some([side, side])
}

/// One of a value's rows or columns; `None` if the axis has neither.
pub(super) fn one(
    (id, form): (NodeId, &Form),
    axis: usize,
    number: i64,
    dropped: bool,
) -> Option<Built> {
    let end = if number == -1 { i64::MAX } else { number.checked_add(1)? };
    let cut = Cut { start: number, end, step: 1 };
    let crop = if form.alone(axis, Kind::Rows) {
        Crop { rows: cut, columns: Cut::ALL }
    } else if form.alone(axis, Kind::Columns) {
        Crop { rows: Cut::ALL, columns: cut }
    } else {
        return None;
    };
    let mut form = form.clone();
    form.0[axis].clear();
    if dropped {
        form.0.remove(axis);
    }
    Some(Built::Op(Op::Crop(crop), vec![id], form))
}

/// The part of the channels that is along an axis by itself, if it is not all of them.
pub(super) fn part_along(form: &Form, axis: usize, channels: usize) -> Option<Part> {
    match form.0[axis][..] {
        [part] if part.kind == Kind::Channels => {
            let divides = channels.is_multiple_of(part.size.checked_mul(part.step)?);
            (divides && part.size < channels).then_some(part)
        }
        _ => None,
    }
}

/// The channels at some `places` of such a part, and how they are laid out; `None` if these are too many.
pub(super) fn selected(
    channels: usize,
    form: &Form,
    axis: usize,
    part: Part,
    places: &[usize],
) -> Option<(Op, Form)> {
    let whole = part.size * part.step;
    if places.len().checked_mul(channels / part.size)? > MOST_SELECTED {
        return None;
    }
    let inner = |start: usize| start..start + part.step;
    let kept = (0..channels / whole)
        .flat_map(|outer| places.iter().map(move |place| outer * whole + place * part.step))
        .flat_map(inner);
    let op = Op::SelectChannels(SelectChannels { in_channels: channels, channels: kept.collect() });
    let mut form = form.clone();
    for other in form.0.iter_mut().flatten() {
        if other.kind == Kind::Channels && other.step >= whole {
            other.step = other.step / part.size * places.len();
        }
    }
    form.0[axis] = vec![Part { size: places.len(), ..part }];
    Some((op, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_channels_are_taken_and_the_others_keep_their_order() {
        let part = |size, step| Part { kind: Kind::Channels, size, step };
        // Two groups of three kinds of four channels each.
        let form = Form(vec![vec![part(3, 4)], vec![part(2, 12)], vec![part(4, 1)]]);
        let taken = part_along(&form, 0, 24).unwrap();
        let (op, after) = selected(24, &form, 0, taken, &[2]).unwrap();
        let Op::SelectChannels(select) = op else { panic!("it selects") };
        assert_eq!(&select.channels[..], [8, 9, 10, 11, 20, 21, 22, 23]);
        assert_eq!(after.0, [vec![part(1, 4)], vec![part(2, 4)], vec![part(4, 1)]]);
        let (_, after) = selected(24, &form, 2, part(4, 1), &[3, 0]).unwrap();
        assert_eq!(after.0, [vec![part(3, 2)], vec![part(2, 6)], vec![part(2, 1)]]);
        assert!(selected(24, &form, 2, part(4, 1), &[0; 1 << 16]).is_none());
        assert_eq!(part_along(&Form(vec![vec![part(24, 1)]]), 0, 24), None);
    }

    #[test]
    fn grids_are_the_pictures_or_square() {
        assert_eq!(grid(12, [3, 4]), Some([3, 4]));
        assert_eq!(grid(49, [3, 4]), Some([7, 7]));
        assert_eq!(grid(50, [3, 4]), None);
        assert_eq!(grid(0, [3, 4]), None);
    }
}
