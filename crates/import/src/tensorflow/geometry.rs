//! Channels, rows and columns that are moved: slices, splits, pads, resizings, pixels of channels.

use graph::{
    BlockOrder, ConvTranspose2d, Coordinates, Crop, Cut, DepthToSpace, Extent, Interpolation,
    Nearest, NodeId, Op, Pad, PadMode, Resize, SelectChannels, SpaceToDepth,
};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, NO_MAP, Reader, Value, input, map};
use super::window::{around, spatial};
use crate::ImportError;

/// Rows and columns that mirror those of a map.
pub(super) fn mirror_pad(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let mode = match node.text("mode") {
        Some("REFLECT") => PadMode::Reflect,
        Some("SYMMETRIC") => PadMode::Symmetric,
        _ => return Ok(Built::Unsupported(" of this mode")),
    };
    padded(reader, node, inputs, mode)
}

/// Rows and columns of one value around a map.
pub(super) fn pad_v2(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(value) = reader.constant(input(node, inputs, 2)?) else {
        return Ok(Built::Unsupported(" with a computed value"));
    };
    match value.floats(&node.name)?[..] {
        [0.0] => super::convolution::pad(reader, node, &inputs[..2]),
        [value] => padded(reader, node, inputs, PadMode::Constant(value)),
        _ => Ok(Built::Unsupported(" with several values")),
    }
}

fn padded(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
    mode: PadMode,
) -> Result<Built, ImportError> {
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let Some(pads) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" by computed sizes"));
    };
    Ok(match around(&pads.integers(&node.name)?, layout) {
        Some([top, bottom, left, right]) => {
            let pad = Pad { rows: [top, bottom], columns: [left, right], mode };
            Built::Op(Op::Pad(pad), vec![source])
        }
        None => Built::Unsupported(" of channels or pictures"),
    })
}

pub(super) fn resize_bilinear(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let coordinates = match (node.bool("align_corners", false), half_pixels(node)) {
        (true, _) => Coordinates::AlignCorners,
        (false, true) => Coordinates::HalfPixel,
        (false, false) => Coordinates::Asymmetric,
    };
    resized(reader, node, inputs, coordinates, Interpolation::Linear)
}

pub(super) fn resize_nearest(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (coordinates, nearest) = match (node.bool("align_corners", false), half_pixels(node)) {
        (true, _) => (Coordinates::AlignCorners, Nearest::RoundUp),
        (false, true) => (Coordinates::HalfPixelForNearest, Nearest::Floor),
        (false, false) => (Coordinates::Asymmetric, Nearest::Floor),
    };
    resized(reader, node, inputs, coordinates, Interpolation::Nearest(nearest))
}

fn half_pixels(node: &NodeDef) -> bool {
    node.bool("half_pixel_centers", false)
}

fn resized(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
    coordinates: Coordinates,
    interpolation: Interpolation,
) -> Result<Built, ImportError> {
    let Some((source, Layout::Last)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let (size, nodes) = match input(node, inputs, 1)? {
        Value::Extent { of, times } if of == source => {
            (times.map(|times| Extent::Scale(times.into())), vec![source])
        }
        Value::Extent { of, times: [1, 1] } => ([Extent::OfSecond; 2], vec![source, of]),
        Value::Extent { .. } => {
            return Ok(Built::Unsupported(" by the size of another, multiplied"));
        }
        size => {
            let size = reader.constant(size).map(|size| size.integers(&node.name)).transpose()?;
            let Some(&[rows, columns]) = size.as_deref() else {
                return Ok(Built::Unsupported(" to a computed size"));
            };
            let fixed = |extent| Extent::Fixed(usize::try_from(extent).unwrap_or(0));
            ([fixed(rows), fixed(columns)], vec![source])
        }
    };
    Ok(Built::Op(Op::Resize(Resize { size, coordinates, interpolation }), nodes))
}

/// A transposed convolution: `input_sizes`, weights of rows, columns, outputs and inputs, and its input. The
/// size that it makes is the one that a convolution would have made its input's size of.
pub(super) fn transposed_convolution(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [height, width, out_channels, in_channels] = weights.four(&node.name)?;
    let source = input(node, inputs, 2)?;
    let Some((source, layout)) = map(source) else { return Ok(NO_MAP) };
    if Layout::of(node) != Some(layout) {
        return Ok(Built::Unsupported(layout.not_taken()));
    }
    let pair = |name: &str| match node.integers(name) {
        [] => Some([1, 1]),
        sizes => spatial(sizes, layout, 1),
    };
    let (Some(stride), Some(dilation)) = (pair("strides"), pair("dilations")) else {
        return Ok(Built::Unsupported(" that steps over channels or pictures"));
    };
    let kernel = [height, width];
    let reach = [0, 1].map(|axis| {
        kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1)
    });
    // Of `stride` times the input's extent.
    let more = [0, 1].map(|axis| reach[axis].saturating_sub(stride[axis]));
    let less = [0, 1].map(|axis| {
        isize::try_from(stride[axis].saturating_sub(reach[axis])).unwrap_or(isize::MAX)
    });
    let (before, after) = match node.text("padding") {
        Some("SAME") => {
            let before = more.map(|more| more / 2);
            let after = [0, 1].map(|axis| (more[axis] - before[axis]) as isize - less[axis]);
            (before, after)
        }
        Some("VALID") => ([0, 0], less.map(|less| -less)),
        _ => return Ok(Built::Unsupported(" with this padding")),
    };
    Ok(Built::Op(
        Op::ConvTranspose2d(ConvTranspose2d {
            kernel,
            stride,
            dilation,
            before,
            after,
            out_channels,
            in_channels,
            groups: 1,
            // Rows, columns, outputs, inputs: as a convolution's with inputs and outputs changed over.
            weights: weights.convolution(&node.name)?,
            bias: vec![0.0; out_channels.min(weights.len())].into(),
        }),
        vec![source],
    ))
}

pub(super) fn depth_to_space(
    _: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    shuffled(node, inputs, Op::DepthToSpace)
}

pub(super) fn space_to_depth(
    _: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    shuffled(node, inputs, |shuffle| Op::SpaceToDepth(SpaceToDepth(shuffle)))
}

fn shuffled(
    node: &NodeDef,
    inputs: &[Value],
    op: impl Fn(DepthToSpace) -> Op,
) -> Result<Built, ImportError> {
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    if Layout::of(node) != Some(layout) {
        return Ok(Built::Unsupported(layout.not_taken()));
    }
    let block = usize::try_from(node.integer("block_size", 0)).unwrap_or(0);
    let shuffle = DepthToSpace { block: [block; 2], order: BlockOrder::PixelsFirst };
    Ok(Built::Op(op(shuffle), vec![source]))
}

/// The axis of a value's channels, and how many axes there are.
fn axes(form: Option<Form>) -> Option<(usize, usize)> {
    match form {
        Some(Form::Map(Layout::Last)) => Some((3, 4)),
        Some(Form::Map(Layout::First)) => Some((1, 4)),
        Some(Form::Position) => Some((1, 2)),
        _ => None,
    }
}

/// A value, which is taken apart along its channels.
struct Channels {
    id: NodeId,
    count: usize,
    axis: usize,
    rank: usize,
}

impl Channels {
    fn of(reader: &Reader, value: Value) -> Option<Self> {
        let (axis, rank) = axes(value.form())?;
        let id = value.node()?;
        Some(Self { id, count: reader.assembly.channels(id)?, axis, rank })
    }

    /// Whether `axis` is theirs.
    fn are(&self, axis: i64) -> bool {
        axis == self.axis as i64 || axis == self.axis as i64 - self.rank as i64
    }

    fn select(&self, channels: impl Iterator<Item = usize>) -> Op {
        Op::SelectChannels(SelectChannels { in_channels: self.count, channels: channels.collect() })
    }
}

const ELSEWHERE: Built = Built::Unsupported(" along another axis than the channels");

/// Equal parts of the channels.
pub(super) fn split(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let axis = reader.constant(input(node, inputs, 0)?).map(|axis| axis.integers(&node.name));
    let Some(channels) = Channels::of(reader, input(node, inputs, 1)?) else { return Ok(NO_MAP) };
    let parts = usize::try_from(node.integer("num_split", 0)).unwrap_or(0);
    match axis.transpose()?.as_deref() {
        Some(&[axis]) if channels.are(axis) => {}
        _ => return Ok(ELSEWHERE),
    }
    if parts == 0 || !channels.count.is_multiple_of(parts) {
        return Ok(Built::Unsupported(" into parts that are not all of the channels"));
    }
    Ok(parted(&channels, &vec![channels.count / parts; parts]))
}

/// Parts of the channels of given sizes.
pub(super) fn split_v(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(channels) = Channels::of(reader, input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let sizes = reader.constant(input(node, inputs, 1)?).map(|sizes| sizes.integers(&node.name));
    let axis = reader.constant(input(node, inputs, 2)?).map(|axis| axis.integers(&node.name));
    match axis.transpose()?.as_deref() {
        Some(&[axis]) if channels.are(axis) => {}
        _ => return Ok(ELSEWHERE),
    }
    let sizes = sizes.transpose()?.unwrap_or_default();
    // One can be −1: what is left.
    let known = sizes.iter().filter_map(|&size| usize::try_from(size).ok());
    let known = known.fold(0usize, usize::saturating_add);
    let left = channels.count.checked_sub(known);
    let size = |&size: &i64| if size == -1 { left } else { usize::try_from(size).ok() };
    let sizes: Option<Vec<usize>> = sizes.iter().map(size).collect();
    let all = |sizes: &Vec<usize>| sizes.iter().copied().fold(0, usize::saturating_add);
    match sizes.filter(|sizes| all(sizes) == channels.count) {
        Some(sizes) if !sizes.contains(&0) => Ok(parted(&channels, &sizes)),
        _ => Ok(Built::Unsupported(" into parts that are not all of the channels")),
    }
}

fn parted(channels: &Channels, sizes: &[usize]) -> Built {
    let mut start = 0;
    let part = |&size: &usize| {
        start += size;
        channels.select(start - size..start)
    };
    Built::Several(sizes.iter().map(part).collect(), vec![channels.id])
}

/// Channels by their numbers.
pub(super) fn gather(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(channels) = Channels::of(reader, input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let [indices, axis] = [1, 2].map(|index| reader.constant(*inputs.get(index)?));
    let axis = axis.map(|axis| axis.integers(&node.name)).transpose()?;
    if !matches!(axis.as_deref(), Some(&[axis]) if channels.are(axis)) {
        return Ok(ELSEWHERE);
    }
    let Some(indices) = indices.filter(|indices| indices.shape.len() == 1) else {
        return Ok(Built::Unsupported(" of other than a list of channels"));
    };
    let index = |&index: &i64| usize::try_from(index).ok();
    match indices.integers(&node.name)?.iter().map(index).collect::<Option<Vec<usize>>>() {
        Some(list) => Ok(Built::Op(channels.select(list.into_iter()), vec![channels.id])),
        None => Ok(Built::Unsupported(" of channels that are not there")),
    }
}

/// Channels, rows or columns from the last to the first.
pub(super) fn reverse(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let value = input(node, inputs, 0)?;
    let reversed = reader.constant(input(node, inputs, 1)?).map(|axes| axes.integers(&node.name));
    let Some(reversed) = reversed.transpose()? else {
        return Ok(Built::Unsupported(" along computed axes"));
    };
    let Some((_, rank)) = axes(value.form()) else { return Ok(NO_MAP) };
    let mut cuts = vec![Cut::ALL; rank];
    for axis in reversed {
        let axis = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        match usize::try_from(axis).ok().and_then(|axis| cuts.get_mut(axis)) {
            Some(cut) => *cut = Cut { start: -1, end: i64::MIN, step: -1 },
            None => return Ok(Built::Unsupported(" along an axis that is not there")),
        }
    }
    Ok(taken(reader, value, &cuts))
}

/// Parts of channels, rows or columns by where they begin and their sizes.
pub(super) fn slice(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let value = input(node, inputs, 0)?;
    let [begin, size] = [1, 2].map(|index| reader.constant(*inputs.get(index)?));
    let (Some(begin), Some(size)) = (begin, size) else {
        return Ok(Built::Unsupported(" by computed sizes"));
    };
    let (begin, size) = (begin.integers(&node.name)?, size.integers(&node.name)?);
    let cut = |(&start, &size): (&i64, &i64)| match size {
        -1 => Cut { start, end: i64::MAX, step: 1 },
        size => Cut { start, end: start.saturating_add(size), step: 1 },
    };
    let cuts: Vec<Cut> = begin.iter().zip(&size).map(cut).collect();
    Ok(taken(reader, value, &cuts))
}

/// Parts of channels, rows or columns, as Python's slices.
pub(super) fn strided_slice(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let value = input(node, inputs, 0)?;
    let Some((_, rank)) = axes(value.form()) else { return Ok(NO_MAP) };
    let mut limits = Vec::new();
    for index in 1..4 {
        let Some(limit) = reader.constant(input(node, inputs, index)?) else {
            return Ok(Built::Unsupported(" by computed sizes"));
        };
        limits.push(limit.integers(&node.name)?);
    }
    let count = limits[0].len();
    if limits.iter().any(|limit| limit.len() != count) || count > rank + 1 {
        return Ok(Built::Unsupported(" with limits that do not fit each other"));
    }
    if node.integer("new_axis_mask", 0) != 0 || node.integer("shrink_axis_mask", 0) != 0 {
        return Ok(Built::Unsupported(" that changes the number of axes"));
    }
    let masked = |mask: &str, at: usize| node.integer(mask, 0) >> at.min(62) & 1 == 1;
    let mut cuts = Vec::new();
    for at in 0..count {
        if masked("ellipsis_mask", at) {
            cuts.resize(cuts.len() + (rank + 1).saturating_sub(count), Cut::ALL);
            continue;
        }
        let step = limits[2][at];
        let (first, last) = if step < 0 { (i64::MAX, i64::MIN) } else { (0, i64::MAX) };
        let start = if masked("begin_mask", at) { first } else { limits[0][at] };
        let end = if masked("end_mask", at) { last } else { limits[1][at] };
        cuts.push(Cut { start, end, step });
    }
    Ok(taken(reader, value, &cuts))
}

/// What is cut out of a value along each of its axes; those at the end may be left out.
fn taken(reader: &Reader, value: Value, cuts: &[Cut]) -> Built {
    let Some(channels) = Channels::of(reader, value) else { return NO_MAP };
    let cut = |axis: usize| cuts.get(axis).copied().unwrap_or(Cut::ALL);
    // Of a batch there is one.
    if cuts.len() > channels.rank
        || cuts.iter().any(|cut| cut.step == 0)
        || cut(0).positions(1).1 != 1
    {
        return Built::Unsupported(" of pictures");
    }
    let rows = if channels.rank == 4 { if channels.axis == 1 { 2 } else { 1 } } else { 4 };
    let crop = Crop { rows: cut(rows), columns: cut(rows + 1) };
    let places = crop != Crop { rows: Cut::ALL, columns: Cut::ALL } && channels.rank == 4;
    let along = cut(channels.axis);
    let (start, count) = along.positions(channels.count);
    let whole = (start, count, along.step) == (0, channels.count, 1);
    if count == 0 {
        return Built::Unsupported(" of no channel");
    }
    let at = |index: usize| (start as i64 + index as i64 * along.step) as usize;
    let select = || channels.select((0..count).map(at));
    match (whole, places) {
        (true, false) => Built::Same(value),
        (true, true) => Built::Op(Op::Crop(crop), vec![channels.id]),
        (false, true) => Built::Chain(vec![Op::Crop(crop), select()], channels.id),
        (false, false) => Built::Op(select(), vec![channels.id]),
    }
}
