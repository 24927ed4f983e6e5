//! Where the picture comes into a graph.

use std::collections::HashMap;

use graph::Size;

use super::model::{Input, Model};
use super::node::Node;
use super::proto::tensor_proto::DataType;
use super::tensor::is_float;
use crate::ImportError;
use crate::kit::Axis::{Batch, Channels, Columns, Rows};
use crate::kit::{Axis, Entry};

/// The picture size assumed where the file states none. Both sides can be halved many times, and they differ,
/// so that rows and columns cannot be mixed up.
const ANY: Size = Size { height: 256, width: 320 };

/// A size that nothing divides, nor what layers make of it: both sides are prime.
const ODD: Size = Size { height: 257, width: 331 };

/// The largest picture that a file may state.
const MAX_SIZE: usize = 1 << 14;

/// The input that is the picture.
pub(super) struct Picture {
    pub(super) name: String,
    pub(super) entry: Entry,
    pub(super) channels_last: bool,
    /// How many pictures the file is made for at once.
    pub(super) batch: usize,
    size: [Option<usize>; 2],
}

impl Picture {
    /// Whether the file is made for pictures of one size.
    pub(super) fn is_fixed(&self) -> bool {
        self.size.iter().all(Option::is_some)
    }

    /// Three sizes of pictures: the one that the file states, as far as it does, another, and an odd one.
    pub(super) fn sizes(&self) -> [Size; 3] {
        let [rows, columns] = self.size.map(|size| size.filter(|&size| size <= MAX_SIZE));
        let first =
            Size { height: rows.unwrap_or(ANY.height), width: columns.unwrap_or(ANY.width) };
        // Larger by more than any window, so that a window as large as the first picture is not as large as this.
        let other = |size: usize| 2 * size + 64;
        [first, Size { height: other(first.height), width: other(first.width) }, ODD]
    }
}

/// Finds the input for the picture among those that are not weights and may hold one. An input that leads to a
/// convolution is preferred, then one whose shape has four dimensions, then the first.
///
/// # Errors
/// [`ImportError::NoInput`] if there is none, or it has other than 3 channels.
pub(super) fn find(model: &Model) -> Result<Picture, ImportError> {
    let read = read_by_convolutions(&model.nodes);
    let candidates = model.inputs.iter().enumerate().filter(|(_, input)| {
        !model.initializers.contains_key(&input.name) && may_be_picture(input)
    });
    let rank = |input: &Input| match input.sizes.as_ref().map(Vec::len) {
        Some(4) => 2,
        None => 1,
        _ => 0,
    };
    let best = candidates.max_by_key(|(place, input)| {
        let read = read.get(&input.name).copied().unwrap_or(false);
        (read, rank(input), std::cmp::Reverse(*place))
    });
    let (_, input) = best.ok_or_else(|| ImportError::NoInput {
        problem: "the graph has no input of floating-point numbers for a batch of pictures".into(),
    })?;
    picture(input, &model.nodes)
}

fn may_be_picture(input: &Input) -> bool {
    let numbers = match DataType::try_from(input.elements) {
        Ok(DataType::Uint8 | DataType::Undefined) => true,
        Ok(kind) => is_float(kind),
        Err(_) => false,
    };
    numbers && input.sizes.as_ref().is_none_or(|sizes| matches!(sizes.len(), 3 | 4))
}

/// The names of values that a convolution depends on.
fn read_by_convolutions(nodes: &[Node]) -> HashMap<String, bool> {
    let mut read: HashMap<String, bool> = HashMap::new();
    for node in nodes.iter().rev() {
        let wanted = node.op.contains("Conv")
            || node.outputs.iter().any(|output| read.get(output).copied().unwrap_or(false));
        for input in node.inputs.iter().filter(|_| wanted) {
            read.insert(input.clone(), true);
        }
    }
    read
}

fn picture(input: &Input, nodes: &[Node]) -> Result<Picture, ImportError> {
    const FIRST: [Axis; 4] = [Batch, Channels, Rows, Columns];
    const LAST: [Axis; 4] = [Batch, Rows, Columns, Channels];
    let sizes = input.sizes.clone().unwrap_or(vec![None; 4]);
    // Without a batch, the first axis is missing.
    let missing = 4 - sizes.len();
    let (first, last) = (sizes[1 - missing], sizes[3 - missing]);
    let channels_last = match (first, last) {
        (Some(3), _) => false,
        (_, Some(3)) => true,
        (None, _) => turned_at_once(&input.name, nodes),
        (Some(channels), _) => {
            let problem = format!("`{}` wants {channels} channels, pictures have 3", input.name);
            return Err(ImportError::NoInput { problem });
        }
    };
    let axes = if channels_last { &LAST[missing..] } else { &FIRST[missing..] };
    let size = |axis| sizes[axes.iter().position(|&own| own == axis)?];
    Ok(Picture {
        name: input.name.clone(),
        entry: Entry::new(axes),
        channels_last,
        batch: size(Batch).unwrap_or(1),
        size: [size(Rows), size(Columns)],
    })
}

/// Whether the first node that reads an input moves its channels from last to first.
fn turned_at_once(name: &str, nodes: &[Node]) -> bool {
    let reader = nodes.iter().find(|node| node.inputs.iter().any(|input| input == name));
    reader.is_some_and(|node| {
        node.op == "Transpose" && matches!(node.integers("perm"), Some([0, 3, 1, 2] | [2, 0, 1]))
    })
}
