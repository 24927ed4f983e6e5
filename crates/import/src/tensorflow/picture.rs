//! Where the picture comes into a graph.

use super::order::Source;
use super::proto::{DataType, NodeDef};
use super::reader::Layout;
use crate::ImportError;
use crate::kit::{Axis, Entry};

/// The node that is the picture, and how its axes lie: of the placeholders of numbers that may hold a
/// picture, best one that convolutions read, whose shape is said, on the way along everything's first input,
/// and the first in the file.
///
/// # Errors
/// [`ImportError::NoInput`] if there is none, or it has other than 3 channels.
pub(super) fn find(
    nodes: &[NodeDef],
    sources: &[Vec<Source>],
    order: &[usize],
) -> Result<(usize, Entry), ImportError> {
    // What convolutions read at all, and what they read first, and that before.
    let (mut read, mut first) = (vec![false; nodes.len()], vec![false; nodes.len()]);
    for &place in order.iter().rev() {
        let convolution = is_convolution(&nodes[place]);
        if read[place] || convolution {
            sources[place].iter().for_each(|source| read[source.node] = true);
        }
        if first[place] || convolution {
            let mut computed = sources[place].iter().filter(|s| nodes[s.node].op != "Const");
            computed.next().into_iter().for_each(|source| first[source.node] = true);
        }
    }
    let rank = |place: usize| match nodes[place].shape().map(|shape| shape.dim.len()) {
        Some(4) => 2,
        None => 1,
        _ => 0,
    };
    let found = (0..nodes.len())
        .filter(|&place| may_be_picture(&nodes[place]))
        .max_by_key(|&place| (read[place], rank(place), first[place], std::cmp::Reverse(place)));
    let place = found.ok_or_else(|| ImportError::NoInput {
        problem: "the graph has no placeholder of floating-point numbers for a batch of pictures"
            .into(),
    })?;
    let entry = Entry::new(axes(&nodes[place], || first_layout(nodes, sources, place))?);
    Ok((place, entry))
}

fn is_convolution(node: &NodeDef) -> bool {
    node.op.contains("Conv2D") || node.op.contains("Conv2d")
}

/// Whether a node brings in numbers that may be a picture.
fn may_be_picture(node: &NodeDef) -> bool {
    let numbers = match node.data_type("dtype") {
        Some(kind) => kind.is_float() || matches!(kind, DataType::Uint8 | DataType::Invalid),
        None => node.attr("dtype").is_none(),
    };
    match node.op.as_str() {
        "Placeholder" | "PlaceholderV2" | "PlaceholderWithDefault" => {
            numbers && node.shape().is_none_or(|shape| matches!(shape.dim.len(), 3 | 4))
        }
        "DecodeImage" | "DecodeJpeg" | "DecodePng" => true,
        _ => false,
    }
}

/// The layout that the first node which reads the picture says, if one does.
fn first_layout(nodes: &[NodeDef], sources: &[Vec<Source>], picture: usize) -> Option<Layout> {
    let reads = |place: &usize| sources[*place].first().is_some_and(|s| s.node == picture);
    Layout::of(&nodes[(0..nodes.len()).find(reads)?])
}

/// A placeholder's axes: where it has 3 channels, or, where it leaves that open, as `usual`.
fn axes(
    node: &NodeDef,
    usual: impl FnOnce() -> Option<Layout>,
) -> Result<&'static [Axis], ImportError> {
    use Axis::{Batch, Channels, Columns, Rows};
    const LAST: [Axis; 4] = [Batch, Rows, Columns, Channels];
    const FIRST: [Axis; 4] = [Batch, Channels, Rows, Columns];
    let sizes: Vec<i64> = match node.shape() {
        Some(shape) => shape.dim.iter().map(|dim| dim.size).collect(),
        None if node.op.starts_with("Decode") => vec![-1; 3],
        None => vec![-1; 4],
    };
    // Without a batch, the first axis is missing.
    let missing = 4 - sizes.len();
    let (first, last) = (sizes[1 - missing], sizes[3 - missing]);
    let layout = match (first, last) {
        (_, 3) => Layout::Last,
        (3, _) => Layout::First,
        (_, channels) if channels >= 0 => {
            let problem = format!("`{}` wants {channels} channels, pictures have 3", node.name);
            return Err(ImportError::NoInput { problem });
        }
        _ => usual().unwrap_or(Layout::Last),
    };
    Ok(match layout {
        Layout::Last => &LAST[missing..],
        Layout::First => &FIRST[missing..],
    })
}
