//! Channels one after another.

use graph::Op;

use super::form::{Kind, Part};
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value};
use crate::ImportError;

/// Joins values along the channels.
pub(super) fn concat(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let nodes: Option<Vec<_>> = inputs.iter().map(Value::node).collect();
    let Some(nodes) = nodes else { return Ok(Built::Unsupported(" with constants")) };
    let [(_, first), ..] = nodes[..] else { return Ok(NO_MAP) };
    let Some(axis) = first.axis(node.integer("axis", 1)) else { return Ok(NO_MAP) };
    let along = nodes.iter().all(|&(id, form)| {
        let others = |other: usize| other == axis || form.0[other] == first.0[other];
        form.rank() == first.rank()
            && form.is_channels(axis, reader.channels(id))
            && (0..form.rank()).all(others)
    });
    if !along {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    let channels =
        nodes.iter().fold(0usize, |sum, &(id, _)| sum.saturating_add(reader.channels(id)));
    let mut form = first.clone();
    form.0[axis] = vec![Part::whole(Kind::Channels, channels)];
    Ok(Built::Op(Op::Concat, nodes.iter().map(|&(id, _)| id).collect(), form))
}
