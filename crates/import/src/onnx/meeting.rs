//! Values that are joined or computed with element by element, made to fit where a file leaves that to the one size of
//! pictures that it is for.

use graph::{Extent, NodeId, Op, Resize, Size};

use super::node::Node;
use super::reader::{Reader, Value};
use crate::ImportError;

const MEETING: [&str; 6] = ["Add", "Concat", "Div", "Mul", "Sub", "Sum"];

/// The inputs of a node, for pictures of any size.
///
/// # Errors
/// As [`Reader::add`].
pub(super) fn fitted(
    reader: &mut Reader,
    node: &Node,
    mut inputs: Vec<Value>,
) -> Result<Vec<Value>, ImportError> {
    if !MEETING.contains(&&*node.op) {
        return Ok(inputs);
    }
    for input in &mut inputs {
        *input = reader.unmixed(&node.name, input)?;
    }
    if !reader.is_fixed {
        return Ok(inputs);
    }
    let ids: Vec<Option<NodeId>> = inputs.iter().map(|input| Some(input.node()?.0)).collect();
    for (place, &id) in ids.iter().enumerate() {
        let others = ids.iter().flatten().filter(|&&other| Some(other) != id);
        let Some((id, like)) = id.zip(others.copied().find(|&like| reader.drift(id, like))) else {
            continue;
        };
        let (Op::Resize(resize), &[source, ..]) =
            (reader.assembly.op(id), reader.assembly.inputs(id))
        else {
            continue;
        };
        let resize = Resize { size: [Extent::OfSecond; 2], ..*resize };
        let id = reader.add(&node.name, Op::Resize(resize), &[source, like])?;
        inputs[place] = Value::Node(id, reader.map_form(id));
    }
    Ok(inputs)
}

impl Reader {
    /// Whether what is resized has another node's size in a picture of the size that the file is for, and not in
    /// others: as many rows and columns were written into the file as there were.
    fn drift(&self, id: Option<NodeId>, like: NodeId) -> bool {
        let Some(id) = id.filter(|&id| matches!(self.assembly.op(id), Op::Resize(_))) else {
            return false;
        };
        let size = |id: NodeId, picture: usize| Some(self.shape(id, picture)?.size());
        let differ = |picture: usize| {
            let sizes: Option<(Size, Size)> = size(id, picture).zip(size(like, picture));
            sizes.is_some_and(|(a, b)| a != b)
        };
        !differ(0) && size(id, 0).is_some() && (differ(1) || differ(2))
    }
}
