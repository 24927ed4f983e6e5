//! TensorFlow's frozen graphs (`GraphDef`): nodes named and wired by name, weights as constants in
//! rows, columns, inputs, outputs order, pictures as rows, columns, channels.
//!
//! Layers keep the nodes' names. Every node that computes something from the picture becomes an
//! operation, training heads too: what a target does not need costs nothing.

mod attributes;
mod by_channel;
mod channels;
mod convolution;
mod dense;
mod fold;
mod normalise;
mod ops;
mod order;
mod pool;
pub(crate) mod proto;
mod reader;
mod shape;
mod tensor;
mod window;

use graph::Graph;
use prost::Message;
use prost::bytes::Bytes;

use crate::ImportError;
use crate::kit::{Assembly, MAX_NODES, within};
use proto::{GraphDef, NodeDef};
use reader::Reader;
use tensor::Constant;

const FORMAT: &str = "TensorFlow graph";

/// Reads a frozen graph.
///
/// # Errors
/// A damaged file, a graph with a cycle, weights that do not fit, no input for a picture.
pub(crate) fn read(bytes: Bytes) -> Result<Graph, ImportError> {
    let damaged = |error: prost::DecodeError| ImportError::Damaged {
        format: FORMAT,
        problem: error.to_string(),
    };
    let graph = GraphDef::decode(bytes).map_err(damaged)?;
    within("the graph", "the number of nodes", graph.node.len(), 1, MAX_NODES)?;
    let mut nodes = graph
        .node
        .into_iter()
        .map(NodeDef::decode)
        .collect::<Result<Vec<NodeDef>, _>>()
        .map_err(damaged)?;
    let sources = order::sources(&nodes)?;
    let order = order::order(&nodes, &sources)?;
    let picture = picture(&nodes)?;

    let assembly = Assembly::new(&nodes[picture].name, channels(&nodes[picture]))?;
    let mut reader = Reader::new(assembly, nodes.len(), picture);
    for place in order.into_iter().filter(|&place| place != picture) {
        let node = &mut nodes[place];
        if node.op == "Const" {
            let tensor = node.attr.remove("value").and_then(|value| value.tensor);
            let constant = Constant::new(&node.name, tensor.unwrap_or_default())?;
            reader.values[place] = reader.add_constant(constant);
            continue;
        }
        let mut inputs = Vec::with_capacity(sources[place].len());
        for source in &sources[place] {
            inputs.push(reader.output(&nodes[source.node].name, source)?);
        }
        reader.values[place] = ops::build(&mut reader, &nodes[place], &inputs)?;
    }
    Ok(reader.assembly.finish())
}

/// The place of the picture: the first placeholder that can hold one.
fn picture(nodes: &[NodeDef]) -> Result<usize, ImportError> {
    let is_picture = |node: &NodeDef| {
        let dims = node.attr("shape").and_then(|value| value.shape.as_ref()).map(|s| s.dim.len());
        node.op == "Placeholder" && matches!(dims, None | Some(0 | 4))
    };
    nodes.iter().position(is_picture).ok_or_else(|| ImportError::NoInput {
        problem: "the graph has no placeholder of four dimensions".into(),
    })
}

/// The channels a placeholder says it has; 3 where it leaves that open.
fn channels(node: &NodeDef) -> usize {
    let shape = node.attr("shape").and_then(|value| value.shape.as_ref());
    let last = shape.and_then(|shape| shape.dim.last()).map(|dim| dim.size);
    last.and_then(|size| usize::try_from(size).ok()).unwrap_or(3)
}

#[cfg(test)]
mod tests;
