//! What is known while a graph is read, and what builders make of a node.

use graph::{NodeId, Op};

use super::order::Source;
use super::proto::NodeDef;
use super::tensor::Constant;
use crate::ImportError;
use crate::kit::{Array, Assembly};

/// The most values that may be read and made while constants are computed from constants.
const MAX_FOLDED: usize = 1 << 24;

/// What a node of the file has become.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// Not yet read.
    Nothing,
    /// A node of the graph, channels × rows × columns.
    Node(NodeId),
    /// A node whose values the file has in rows, for a matrix.
    Flat(NodeId, Flat),
    /// `source` with rows and columns of zeros around it: top, bottom, left, right. Only
    /// convolutions and pools can use that; for all else there is `node`, which is not supported.
    Padded { node: NodeId, source: NodeId, pads: [usize; 4] },
    /// A constant, by its number.
    Constant(usize),
    /// The shape of a node: batch, rows, columns, channels.
    Shape(NodeId),
}

impl Value {
    pub(super) fn node(self) -> Option<NodeId> {
        match self {
            Value::Node(node) | Value::Flat(node, _) | Value::Padded { node, .. } => Some(node),
            Value::Nothing | Value::Constant(_) | Value::Shape(_) => None,
        }
    }
}

/// What one row is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flat {
    /// All of a picture.
    Picture,
    /// The channels of one position.
    Position,
}

/// All that is known while reading, for the builders.
pub(super) struct Reader {
    pub(super) assembly: Assembly,
    /// By place in the file.
    pub(super) values: Vec<Value>,
    constants: Vec<Constant>,
    /// How many values have been read and made to compute constants.
    folded: usize,
}

impl Reader {
    /// Before any of `count` nodes is read but the one at the place of the picture.
    pub(super) fn new(assembly: Assembly, count: usize, picture: usize) -> Self {
        let mut values = vec![Value::Nothing; count];
        values[picture] = Value::Node(assembly.input());
        Self { assembly, values, constants: Vec::new(), folded: 0 }
    }

    /// The value at one of a node's outputs; only the first is ever one this program computes.
    pub(super) fn output(&mut self, name: &str, source: &Source) -> Result<Value, ImportError> {
        if source.output == 0 {
            return Ok(self.values[source.node]);
        }
        let (name, kind) = (format!("{name}:{}", source.output), "a second output".into());
        Ok(Value::Node(self.assembly.add(&name, Op::Unsupported { kind }, &[])?))
    }

    pub(super) fn constant(&self, value: Value) -> Option<&Constant> {
        match value {
            Value::Constant(number) => self.constants.get(number),
            _ => None,
        }
    }

    pub(super) fn add_constant(&mut self, constant: Constant) -> Value {
        self.constants.push(constant);
        Value::Constant(self.constants.len() - 1)
    }

    /// The values as arrays to compute constants from, if all are constants and not too many.
    pub(super) fn arrays(&mut self, values: &[Value]) -> Option<Vec<Array>> {
        let constants = values.iter().map(|&value| self.constant(value));
        let constants: Vec<&Constant> = constants.collect::<Option<_>>()?;
        let count = constants.iter().map(|constant| constant.len()).sum::<usize>();
        // What is made of them is no more.
        let folded = self.folded.saturating_add(count.saturating_mul(2));
        if constants.is_empty() || folded > MAX_FOLDED {
            return None;
        }
        let arrays = constants.iter().map(|constant| constant.array()).collect();
        self.folded = folded;
        arrays
    }
}

/// What a builder makes of a node.
pub(super) enum Built {
    /// An operation on these inputs; its values lie as the first input's do.
    Op(Op, Vec<NodeId>),
    /// The same, with its values in rows or not in rows any more.
    Laid(Op, Vec<NodeId>, Option<Flat>),
    /// Nothing new: another name for a value.
    Same(Value),
    /// Zeros around a node.
    Padded(NodeId, [usize; 4]),
    /// Numbers that are known.
    Constant(Array),
    /// What this program does not have, in a few words that go on from the operation's name.
    Unsupported(&'static str),
}

/// The input at `index`, or [`ImportError::Layer`].
pub(super) fn input(node: &NodeDef, inputs: &[Value], index: usize) -> Result<Value, ImportError> {
    inputs.get(index).copied().ok_or_else(|| ImportError::Layer {
        layer: node.name.clone(),
        problem: format!("{} wants an input {index}, it has {}", node.op, inputs.len()),
    })
}

/// The node of a value that is a picture with channels, rows and columns.
pub(super) fn plain(value: Value) -> Option<NodeId> {
    match value {
        Value::Node(id) | Value::Padded { node: id, .. } => Some(id),
        _ => None,
    }
}

pub(super) const NOT_PLAIN: Built = Built::Unsupported(" of what is no picture");
