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
mod entry;
mod fold;
mod geometry;
mod normalise;
mod ops;
mod order;
mod picture;
mod pool;
pub(crate) mod proto;
mod reader;
mod shape;
mod tensor;
mod window;

use graph::{Graph, InputSpec};
use prost::Message as _;

use crate::ImportError;
use crate::content::Content;
use crate::kit::{Assembly, MAX_NODES, first_obstacle, make_printable, within};
use crate::wire::{Message, Part, skeleton};
use proto::{GraphDef, NodeDef};
use reader::Reader;
use tensor::Constant;

const FORMAT: &str = "TensorFlow graph";

/// What to do about a node that no layer works without.
const WAY_OUT: &str = "Change the graph there before it is frozen, or use another network";

/// Where constants lie in a graph, which is read without their values: the content of a tensor becomes the place
/// where it lies.
static GRAPH: Message = Message(&[(1, Part::Message(&NODE))]);
pub(crate) static NODE: Message = Message(&[(5, Part::Message(&ATTRIBUTE))]);
static ATTRIBUTE: Message = Message(&[(2, Part::Message(&VALUE))]);
static VALUE: Message = Message(&[(8, Part::Message(&TENSOR))]);
static TENSOR: Message = Message(&[(4, Part::Large(4))]);

/// What a file gives.
pub(crate) struct Read {
    pub(crate) graph: Graph,
    /// What the graph itself does to the picture before the network begins, if anything.
    pub(crate) input: Option<InputSpec>,
}

/// Reads a frozen graph.
///
/// # Errors
/// A damaged file, a graph with a cycle, weights that do not fit, no input for a picture.
pub(crate) fn read(file: &Content) -> Result<Read, ImportError> {
    let broken = |problem: String| ImportError::Damaged { format: FORMAT, problem };
    let damaged = |error: prost::DecodeError| broken(error.to_string());
    let graph = skeleton(file, &GRAPH).map_err(broken)?;
    let graph = GraphDef::decode(graph).map_err(damaged)?;
    within("the graph", "the number of nodes", graph.node.len(), 1, MAX_NODES)?;
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in graph.node {
        nodes.push(printable_names(NodeDef::decode(node).map_err(damaged)?));
    }
    let sources = order::sources(&nodes)?;
    let order = order::order(&nodes, &sources)?;
    let (picture, entry) = picture::find(&nodes, &sources, &order)?;

    let assembly = Assembly::new(&nodes[picture].name, 3)?;
    let mut reader = Reader::new(assembly, nodes.len(), (picture, entry), file.len());
    for place in order.into_iter().filter(|&place| place != picture) {
        let node = &mut nodes[place];
        if node.op == "Const" {
            let tensor = node.attr.remove("value").and_then(|value| value.tensor);
            let constant = Constant::new(&node.name, tensor.unwrap_or_default(), file)?;
            reader.values[place] = reader.add_constant(constant);
            continue;
        }
        let mut inputs = Vec::with_capacity(sources[place].len());
        for source in &sources[place] {
            inputs.push(reader.output(&nodes[source.node].name, source)?);
        }
        reader.values[place] = ops::build(&mut reader, &nodes[place], &inputs)?;
    }
    let input = reader.input.filter(|input| *input != InputSpec::default());
    let graph = reader.assembly.finish();
    match first_obstacle(&graph, WAY_OUT).filter(|_| graph.layers().is_empty()) {
        Some(obstacle) => Err(obstacle),
        None => Ok(Read { graph, input }),
    }
}

/// The node with the names in it as they can be shown.
fn printable_names(mut node: NodeDef) -> NodeDef {
    for name in [&mut node.name, &mut node.op].into_iter().chain(&mut node.input) {
        make_printable(name);
    }
    node
}

#[cfg(test)]
mod tests;
