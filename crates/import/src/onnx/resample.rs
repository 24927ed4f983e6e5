//! Maps enlarged, reduced, and with rows and columns around them.

use graph::{
    BlockOrder, Coordinates, Crop, Cut, DepthToSpace, Extent, Interpolation, Nearest, NodeId, Op,
    Pad, PadMode, Resize, Shape, SpaceToDepth,
};

use super::elementwise::number;
use super::node::Node;
use super::padded;
use super::reader::{Built, NO_MAP, Reader, Value, fixed_numbers, numbers, optional};
use crate::ImportError;

pub(super) fn resize(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    // Opset 10 has no region of interest, and Upsample is as that is.
    let old = node.op == "Upsample" || node.opset < 11;
    let scales = optional(inputs, if old { 1 } else { 2 });
    let (coordinates, interpolation) = match (coordinates(node, old), interpolation(node, old)) {
        (Some(coordinates), Some(interpolation)) => (coordinates, interpolation),
        _ => return Ok(Built::Unsupported(" in this mode")),
    };
    let axes = match fixed_numbers(node, "axes", &Value::Nothing) {
        Some(axes) => axes,
        None => vec![0, 1, 2, 3],
    };
    let sizes = match optional(inputs, 3) {
        Value::Nothing => None,
        sizes if node.text("keep_aspect_ratio_policy").is_none_or(|policy| policy == "stretch") => {
            sizes.whole()
        }
        _ => return Ok(Built::Unsupported(" that keeps the ratio of the sides")),
    };
    let extents = match sizes {
        Some(sizes) => of_sizes(reader, source, &axes, sizes),
        None => of_scales(node, &axes, scales).map(|size| (size, None)),
    };
    let Some((size, like)) = extents else {
        return Ok(Built::Unsupported(
            " of other axes than rows and columns, or to a computed size",
        ));
    };
    // What is enlarged needs none.
    let larger = size.iter().all(|extent| matches!(extent, Extent::Scale(scale) if *scale >= 1.0));
    if node.integer("antialias", 0) != 0 && !larger {
        return Ok(Built::Unsupported(" with antialiasing"));
    }
    let inputs = std::iter::once(source).chain(like).collect();
    Ok(Built::Map(Op::Resize(Resize { size, coordinates, interpolation }), inputs))
}

fn coordinates(node: &Node, old: bool) -> Option<Coordinates> {
    Some(match node.text("coordinate_transformation_mode") {
        _ if old => Coordinates::Asymmetric,
        None | Some("half_pixel") => Coordinates::HalfPixel,
        Some("half_pixel_symmetric") => Coordinates::HalfPixelSymmetric,
        Some("pytorch_half_pixel") => Coordinates::PytorchHalfPixel,
        Some("align_corners") => Coordinates::AlignCorners,
        Some("asymmetric") => Coordinates::Asymmetric,
        Some("tf_half_pixel_for_nn") => Coordinates::HalfPixelForNearest,
        Some(_) => return None,
    })
}

fn interpolation(node: &Node, old: bool) -> Option<Interpolation> {
    let nearest = match node.text("nearest_mode") {
        _ if old => Nearest::Floor,
        None | Some("round_prefer_floor") => Nearest::RoundDown,
        Some("round_prefer_ceil") => Nearest::RoundUp,
        Some("floor") => Nearest::Floor,
        Some("ceil") => Nearest::Ceil,
        Some(_) => return None,
    };
    Some(match node.text("mode") {
        None | Some("nearest") => Interpolation::Nearest(nearest),
        Some("linear" | "bilinear") => Interpolation::Linear,
        Some("cubic") => Interpolation::Cubic {
            slope: node.float("cubic_coeff_a", -0.75),
            exclude_outside: node.integer("exclude_outside", 0) != 0,
        },
        Some(_) => return None,
    })
}

/// By how much rows and columns are enlarged.
fn of_scales(node: &Node, axes: &[i64], scales: &Value) -> Option<[Extent; 2]> {
    let scales = match scales {
        Value::Nothing => node.attribute("scales")?.floats.clone(),
        // What depends on the picture's size may be the ratio of two sizes, which does not.
        Value::Sized([a, b], _) => {
            let (a, b) = (a.floats("").ok()?, b.floats("").ok()?);
            let near = a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs());
            near.then_some(a)?
        }
        scales => scales.constant()?.floats("").ok()?,
    };
    if scales.len() != axes.len() {
        return None;
    }
    let mut extents = [Extent::Scale(1.0); 2];
    for (axis, scale) in axes.iter().zip(scales) {
        match axis.rem_euclid(4) {
            at @ (2 | 3) => extents[at as usize - 2] = Extent::Scale(scale),
            _ => (scale == 1.0).then_some(())?,
        }
    }
    Some(extents)
}

/// To how many rows and columns: so many times those that there are, where that is the same for pictures of
/// two sizes, or a whole number in a file made for one.
fn of_sizes(
    reader: &Reader,
    source: NodeId,
    axes: &[i64],
    [first, second]: [Vec<i64>; 2],
) -> Option<([Extent; 2], Option<NodeId>)> {
    if first.len() != axes.len() || second.len() != axes.len() {
        return None;
    }
    let (a, b) = (reader.shape(source, 0)?, reader.shape(source, 1)?);
    // The size of another map, which it is to be joined with.
    if first != second
        && let [.., rows, columns] = first[..]
        && let [.., other_rows, other_columns] = second[..]
        && axes.iter().map(|axis| axis.rem_euclid(4)).skip(axes.len() - 2).eq([2, 3])
        && first[..axes.len() - 2]
            .iter()
            .rev()
            .zip([a.channels as i64, 1])
            .all(|(&n, own)| n == own)
        && let Some(like) = reader.of_size([[rows, columns], [other_rows, other_columns]])
        && like != source
    {
        return Some(([Extent::OfSecond; 2], Some(like)));
    }
    // As many as another map has in the picture that the file is made for.
    let places = |at: i64| axes.iter().position(|axis| axis.rem_euclid(4) == at);
    if first == second
        && reader.is_fixed
        && let (Some(rows), Some(columns)) = (places(2), places(3))
        && [(first[rows], a.height), (first[columns], a.width)]
            .iter()
            .any(|&(to, own)| own == 0 || to % own as i64 != 0)
        && let Some(like) = reader.last(|shapes| {
            let size = |s: Shape| [s.height as i64, s.width as i64];
            shapes[0].map(size) == Some([first[rows], first[columns]]) && shapes[1].is_some()
        })
        && like != source
        && places(1).is_none_or(|at| first[at] == a.channels as i64)
        && places(0).is_none_or(|at| first[at] == 1)
    {
        return Some(([Extent::OfSecond; 2], Some(like)));
    }
    let mut extents = [Extent::Scale(1.0); 2];
    for (index, axis) in axes.iter().enumerate() {
        let at = match axis.rem_euclid(4) {
            0 => (first[index] == 1).then_some(None)?,
            1 => (first[index] == a.channels as i64).then_some(None)?,
            at => Some(at as usize - 2),
        };
        let Some(at) = at else { continue };
        let (own, other) = if at == 0 { (a.height, b.height) } else { (a.width, b.width) };
        let (to, other_to) =
            (usize::try_from(first[index]).ok()?, usize::try_from(second[index]).ok()?);
        let in_ratio = to.checked_mul(other)? == other_to.checked_mul(own)?;
        let whole = reader.is_fixed && to == other_to && own > 0 && to.is_multiple_of(own);
        extents[at] = match in_ratio || whole {
            true => Extent::Scale(to as f32 / own as f32),
            false if to == other_to => Extent::Fixed(to),
            false => return None,
        };
    }
    Some((extents, None))
}

/// One position as so many rows and columns, which are said for pictures of both sizes: those of another map, or
/// the same. In a file made for pictures of one size they are those of the last map that has as many.
pub(super) fn spread(reader: &Reader, point: NodeId, sizes: [[i64; 2]; 2]) -> Option<Built> {
    let [first, second] = sizes;
    let of_first = |shape: Shape| [shape.height as i64, shape.width as i64] == first;
    let like = match first == second {
        false => Some(reader.of_size(sizes)?),
        true if reader.is_fixed => reader.last(|shapes| shapes[0].is_some_and(of_first)),
        true => None,
    };
    let size = match like {
        Some(_) => [Extent::OfSecond; 2],
        None => {
            let [rows, columns] = first.map(|size| usize::try_from(size).ok());
            [Extent::Fixed(rows?), Extent::Fixed(columns?)]
        }
    };
    let (coordinates, interpolation) =
        (Coordinates::Asymmetric, Interpolation::Nearest(Nearest::Floor));
    let inputs = std::iter::once(point).chain(like).collect();
    Some(Built::Map(Op::Resize(Resize { size, coordinates, interpolation }), inputs))
}

impl Reader {
    /// The last node that has these numbers of rows and columns for pictures of both sizes.
    fn of_size(&self, sizes: [[i64; 2]; 2]) -> Option<NodeId> {
        self.last(|shapes| {
            let size = |picture: usize| shapes[picture].map(|s| [s.height as i64, s.width as i64]);
            [0, 1].iter().all(|&picture| size(picture) == Some(sizes[picture]))
        })
    }
}

/// Rows and columns around maps; negative numbers take some away.
pub(super) fn pad(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let name = if node.attribute("paddings").is_some() { "paddings" } else { "pads" };
    let Some(pads) = numbers(node, name, optional(inputs, 1)).filter(|[a, b]| a == b) else {
        let value = match optional(inputs, 2) {
            Value::Nothing => Some(0.0),
            value => number(value),
        };
        let constant = matches!(node.text("mode"), None | Some("constant"));
        let padded = match (reader.map(&node.name, &inputs[0])?, value.filter(|_| constant)) {
            (Some(source), Some(value)) => padded::pad(node, inputs, source, value),
            _ => None,
        };
        return Ok(padded.map_or(Built::Unsupported(" by computed sizes"), Built::same));
    };
    if pads[0].iter().all(|&n| n == 0) {
        return Ok(Built::same(inputs[0].clone()));
    }
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let axes = match optional(inputs, 3) {
        Value::Nothing => vec![0, 1, 2, 3],
        axes => axes.whole().map(|[axes, _]| axes).unwrap_or_default(),
    };
    let mode = match node.text("mode") {
        None | Some("constant") => match optional(inputs, 2) {
            Value::Nothing => Some(PadMode::Constant(node.float("value", 0.0))),
            value => number(value).map(PadMode::Constant),
        },
        Some("reflect") => Some(PadMode::Reflect),
        Some("edge") => Some(PadMode::Edge),
        Some("wrap") => Some(PadMode::Wrap),
        Some(_) => None,
    };
    let Some(mode) = mode else { return Ok(Built::Unsupported(" in this mode")) };
    let [pads, _] = pads;
    // Before and after, for each of batch, channels, rows and columns.
    let mut around = [[0i64; 2]; 4];
    if pads.len() != 2 * axes.len() {
        return Ok(Built::Unsupported(" by sizes that do not fit"));
    }
    for (index, axis) in axes.iter().enumerate() {
        around[axis.rem_euclid(4) as usize] = [pads[index], pads[axes.len() + index]];
    }
    let [batch, channels, rows, columns] = around;
    if [batch, channels] != [[0; 2]; 2] {
        return Ok(Built::Unsupported(" of channels or pictures"));
    }
    let added =
        |[before, after]: [i64; 2]| [before, after].map(|n| usize::try_from(n).unwrap_or(0));
    let kept = |[before, after]: [i64; 2]| Cut {
        start: before.min(0).saturating_neg(),
        end: if after < 0 { after } else { i64::MAX },
        step: 1,
    };
    let crop = Crop { rows: kept(rows), columns: kept(columns) };
    let pad = Pad { rows: added(rows), columns: added(columns), mode };
    let mut last = source;
    if crop != (Crop { rows: Cut::ALL, columns: Cut::ALL }) {
        last = reader.add(&node.name, Op::Crop(crop), &[last])?;
    }
    if [pad.rows, pad.columns] != [[0; 2]; 2] {
        last = reader.add(&node.name, Op::Pad(pad), &[last])?;
    }
    Ok(Built::same(Value::Node(last, reader.map_form(last))))
}

pub(super) fn depth_to_space(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let size = usize::try_from(node.integer("blocksize", 0)).unwrap_or(0);
    let order = match node.text("mode") {
        Some("CRD") => BlockOrder::ChannelsFirst,
        _ => BlockOrder::PixelsFirst,
    };
    let shuffle = DepthToSpace { block: [size, size], order };
    let op = match node.op.as_str() {
        "DepthToSpace" => Op::DepthToSpace(shuffle),
        _ => Op::SpaceToDepth(SpaceToDepth(shuffle)),
    };
    Ok(Built::Map(op, vec![source]))
}
