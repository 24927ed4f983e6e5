//! TensorFlow's frozen graphs (`GraphDef`): nodes named and wired by name, weights as constants in
//! rows, columns, inputs, outputs order, pictures as rows, columns, channels.
//!
//! Layers keep the nodes' names. Every node that computes something from the picture becomes an
//! operation, training heads too: what a target does not need costs nothing.

mod by_channel;
mod dense;
mod normalise;
mod ops;
mod order;
pub(crate) mod proto;
mod tensor;

use std::collections::HashMap;

use graph::{Graph, NodeId, Op};
use prost::Message;
use prost::bytes::Bytes;

use crate::ImportError;
use crate::assembly::{Assembly, MAX_NODES, within};
use proto::{AttrValue, GraphDef, NodeDef};
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

    let mut reader = Reader {
        assembly: Assembly::new(&nodes[picture].name, channels(&nodes[picture]))?,
        values: vec![Value::Nothing; nodes.len()],
        constants: HashMap::new(),
    };
    reader.values[picture] = Value::Node(reader.assembly.input());
    for place in order.into_iter().filter(|&place| place != picture) {
        let node = &mut nodes[place];
        if node.op == "Const" {
            let tensor = node.attr.remove("value").and_then(|value| value.tensor);
            let constant = Constant::new(&node.name, tensor.unwrap_or_default())?;
            reader.constants.insert(place, constant);
            reader.values[place] = Value::Constant(place);
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

/// What a node of the file has become.
#[derive(Clone, Copy)]
enum Value {
    /// Not yet read.
    Nothing,
    /// A node of the graph, channels × rows × columns.
    Node(NodeId),
    /// A node whose values the file has in rows, for a matrix.
    Flat(NodeId, Flat),
    /// `source` with rows and columns of zeros around it: top, bottom, left, right. Only a
    /// convolution can use that; for all else there is `node`, which is not supported.
    Padded { node: NodeId, source: NodeId, pads: [usize; 4] },
    /// A constant, by its node's place in the file.
    Constant(usize),
}

impl Value {
    fn node(self) -> Option<NodeId> {
        match self {
            Value::Node(node) | Value::Flat(node, _) | Value::Padded { node, .. } => Some(node),
            Value::Nothing | Value::Constant(_) => None,
        }
    }
}

/// What one row is.
#[derive(Clone, Copy, PartialEq)]
enum Flat {
    /// All of a picture.
    Picture,
    /// The channels of one position.
    Position,
}

/// All that is known while reading, for the builders.
struct Reader {
    assembly: Assembly,
    /// By place in the file.
    values: Vec<Value>,
    constants: HashMap<usize, Constant>,
}

impl Reader {
    /// The value at one of a node's outputs; only the first is ever one this program computes.
    fn output(&mut self, name: &str, source: &order::Source) -> Result<Value, ImportError> {
        if source.output == 0 {
            return Ok(self.values[source.node]);
        }
        let (name, kind) = (format!("{name}:{}", source.output), "a second output".into());
        Ok(Value::Node(self.assembly.add(&name, Op::Unsupported { kind }, &[])?))
    }

    fn constant(&self, value: Value) -> Option<&Constant> {
        match value {
            Value::Constant(place) => self.constants.get(&place),
            _ => None,
        }
    }
}

impl NodeDef {
    fn attr(&self, name: &str) -> Option<&AttrValue> {
        self.attr.get(name)
    }

    /// An attribute that is a text.
    fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.attr(name)?.s.as_ref()?).ok()
    }

    /// An attribute that is a number, or the format's default for it.
    fn float(&self, name: &str, default: f32) -> f32 {
        self.attr(name).and_then(|value| value.f).unwrap_or(default)
    }

    fn bool(&self, name: &str, default: bool) -> bool {
        self.attr(name).and_then(|value| value.b).unwrap_or(default)
    }

    fn integer(&self, name: &str, default: i64) -> i64 {
        self.attr(name).and_then(|value| value.i).unwrap_or(default)
    }

    /// An attribute that is a list of whole numbers; empty where it is not there.
    fn integers(&self, name: &str) -> &[i64] {
        match self.attr(name).and_then(|value| value.list.as_ref()) {
            Some(list) => &list.i,
            None => &[],
        }
    }
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
