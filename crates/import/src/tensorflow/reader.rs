//! What is known while a graph is read, and what builders make of a node.

use std::collections::HashMap;

use graph::{InputSpec, NodeId, Op};

use super::order::Source;
use super::proto::NodeDef;
use super::tensor::Constant;
use crate::ImportError;
use crate::kit::{Activation, Array, Assembly, Entry, between};

/// The values that may be read and made while constants are computed from constants: so many for each
/// byte of the file, and as many more.
const FOLDED: [usize; 2] = [3, 1 << 20];

/// What a node of the file has become.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// Not yet read.
    Nothing,
    /// What is done to the picture before the network begins: the first of the node's outputs, by its
    /// number in [`Reader::entries`], and how many there are.
    Entry { first: usize, count: usize },
    /// A node of the graph, and how the file lays out its values.
    Node(NodeId, Form),
    /// `node`, which is `source` with rows and columns of zeros around it: top, bottom, left, right.
    /// Convolutions and pools can have these as their own padding.
    Padded { node: NodeId, source: NodeId, pads: [usize; 4], layout: Layout },
    /// A constant, by its number.
    Constant(usize),
    /// The shape of a node.
    Shape(NodeId, Form),
    /// So many times the rows and columns of a node.
    Extent { of: NodeId, times: [u16; 2] },
    /// What a node has made several of: the first, by its number in [`Reader::parts`], and how many there are.
    Several { first: usize, count: usize },
}

impl Value {
    pub(super) fn node(self) -> Option<NodeId> {
        match self {
            Value::Node(node, _) | Value::Padded { node, .. } => Some(node),
            Value::Nothing
            | Value::Entry { .. }
            | Value::Constant(_)
            | Value::Shape(..)
            | Value::Extent { .. }
            | Value::Several { .. } => None,
        }
    }

    pub(super) fn form(self) -> Option<Form> {
        match self {
            Value::Node(_, form) => Some(form),
            Value::Padded { layout, .. } => Some(Form::Map(layout)),
            _ => None,
        }
    }
}

/// How a file lays out a node's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// As maps.
    Map(Layout),
    /// A row of the channels of one position.
    Position,
    /// A row of all channels and positions of what was laid out so.
    Row(Layout),
}

/// Which axis of a batch of maps has the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    /// Batch, rows, columns, channels: `NHWC`.
    Last,
    /// Batch, channels, rows, columns: `NCHW`.
    First,
}

impl Layout {
    /// The numbers of the axes of rows, columns and channels.
    pub(super) fn axes(self) -> [i64; 3] {
        match self {
            Layout::Last => [1, 2, 3],
            Layout::First => [2, 3, 1],
        }
    }

    /// The words for an operation that takes the other layout than that of the map it reads.
    pub(super) fn not_taken(self) -> &'static str {
        match self {
            Layout::Last => " with channels first (NCHW) of a picture with channels last (NHWC)",
            Layout::First => " with channels last (NHWC) of a picture with channels first (NCHW)",
        }
    }

    /// The layout that a node says its input has.
    pub(super) fn of(node: &NodeDef) -> Option<Layout> {
        match node.text("data_format") {
            None | Some("NHWC") => Some(Layout::Last),
            Some("NCHW") => Some(Layout::First),
            Some(_) => None,
        }
    }
}

/// All that is known while reading, for the builders.
pub(super) struct Reader {
    pub(super) assembly: Assembly,
    /// By place in the file.
    pub(super) values: Vec<Value>,
    /// What is done to the picture before the network begins, step by step.
    pub(super) entries: Vec<Entry>,
    /// The input that the network itself wants, once it has begun.
    pub(super) input: Option<InputSpec>,
    constants: Vec<Constant>,
    /// The parts of what nodes have made several of.
    parts: Vec<Value>,
    /// Where constants could not be computed from constants: the name and operation of the first node that
    /// stopped it, by each node that needs it.
    stopped: HashMap<NodeId, (String, String)>,
    /// How many values may still be read and made to compute constants.
    foldable: usize,
}

impl Reader {
    /// Before any of `count` nodes is read but the one at the place of the picture. The file has so many
    /// `bytes`.
    pub(super) fn new(
        assembly: Assembly,
        count: usize,
        picture: (usize, Entry),
        bytes: usize,
    ) -> Self {
        let mut values = vec![Value::Nothing; count];
        values[picture.0] = Value::Entry { first: 0, count: 1 };
        let foldable = bytes.saturating_mul(FOLDED[0]).saturating_add(FOLDED[1]);
        Self {
            assembly,
            values,
            entries: vec![picture.1],
            input: None,
            constants: Vec::new(),
            parts: Vec::new(),
            stopped: HashMap::new(),
            foldable,
        }
    }

    /// The value at one of a node's outputs; of a node in the network, only the first is ever one this
    /// program computes.
    pub(super) fn output(&mut self, name: &str, source: &Source) -> Result<Value, ImportError> {
        match self.values[source.node] {
            Value::Entry { first, count } if source.output < count => {
                Ok(Value::Entry { first: first + source.output, count: 1 })
            }
            Value::Several { first, count } if source.output < count => {
                Ok(self.parts[first + source.output])
            }
            value if source.output == 0 => Ok(value),
            _ => {
                let (name, kind) = (format!("{name}:{}", source.output), "a second output".into());
                self.unsupported(&name, kind, &[])
            }
        }
    }

    pub(super) fn unsupported(
        &mut self,
        name: &str,
        kind: String,
        inputs: &[NodeId],
    ) -> Result<Value, ImportError> {
        let node = self.assembly.add(name, Op::Unsupported { kind }, inputs)?;
        Ok(Value::Node(node, Form::Map(Layout::Last)))
    }

    /// A node that this program cannot compute, for the reason `why`. Where that is because constants could
    /// not be computed, the node that stopped it is named.
    pub(super) fn not_computed(
        &mut self,
        node: &NodeDef,
        inputs: &[Value],
        why: &str,
    ) -> Result<Value, ImportError> {
        let nodes: Vec<NodeId> = inputs.iter().filter_map(|input| input.node()).collect();
        let root = nodes.iter().find_map(|id| self.stopped.get(id)).cloned();
        let kind = match &root {
            Some((name, op)) => format!("{} of what `{name}` computes by {op}", node.op),
            None => format!("{}{why}", node.op),
        };
        let value = self.unsupported(&node.name, kind, &nodes)?;
        let constant = nodes.iter().all(|id| self.stopped.contains_key(id)) && !inputs.is_empty();
        if let Some(id) = value.node().filter(|_| constant) {
            let root = root.unwrap_or_else(|| (node.name.clone(), node.op.clone()));
            self.stopped.insert(id, root);
        }
        Ok(value)
    }

    /// The picture as the network wants it. What the first layer reads becomes the network's input
    /// statistics; what another reads in another way is computed from that.
    pub(super) fn begin(&mut self, name: &str, entry: usize) -> Result<Value, ImportError> {
        let picture = self.assembly.input();
        let (channels_last, wanted) = match self.entries[entry].begun() {
            Ok(begun) => begun,
            Err(why) => return self.unsupported(name, why.into(), &[picture]),
        };
        let form = Form::Map(if channels_last { Layout::Last } else { Layout::First });
        let given = *self.input.get_or_insert(wanted);
        if given == wanted {
            return Ok(Value::Node(picture, form));
        }
        if given.order != wanted.order {
            return self.unsupported(
                name,
                "the picture in two orders of colours".into(),
                &[picture],
            );
        }
        let affine = Op::Affine(between(given, wanted));
        Ok(Value::Node(self.assembly.add(name, affine, &[picture])?, form))
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

    /// What a node has made several of.
    pub(super) fn add_parts(&mut self, parts: Vec<Value>) -> Value {
        let (first, count) = (self.parts.len(), parts.len());
        self.parts.extend(parts);
        Value::Several { first, count }
    }

    /// Counts values that are made beyond those they are made of; `None` where these are too many.
    pub(super) fn grown(&mut self, count: usize) -> Option<()> {
        self.foldable = self.foldable.checked_sub(count)?;
        Some(())
    }

    /// The values as arrays to compute constants from, if all are constants and not too many.
    pub(super) fn arrays(&mut self, values: &[Value]) -> Option<Vec<Array>> {
        let constants = values.iter().map(|&value| self.constant(value));
        let constants: Vec<&Constant> = constants.collect::<Option<_>>()?;
        let count = constants.iter().map(|constant| constant.len()).sum::<usize>();
        // What is made of them is no more.
        let left = self.foldable.checked_sub(count.checked_mul(2)?)?;
        if constants.is_empty() {
            return None;
        }
        let arrays = constants.iter().map(|constant| constant.array()).collect();
        self.foldable = left;
        arrays
    }
}

/// What a builder makes of a node.
pub(super) enum Built {
    /// An operation on these inputs; its values lie as the first input's do.
    Op(Op, Vec<NodeId>),
    /// The same, with its values laid out in another way.
    Laid(Op, Vec<NodeId>, Form),
    /// An operation on these inputs for each of the node's outputs.
    Several(Vec<Op>, Vec<NodeId>),
    /// Operations one after the other, of which the first has this input.
    Chain(Vec<Op>, NodeId),
    /// What several operations compute value by value.
    Activation(Activation, NodeId),
    /// Nothing new: another name for a value.
    Same(Value),
    /// Zeros around a node.
    Padded(NodeId, [usize; 4], Layout),
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

/// The node of a value that is a map with channels, rows and columns, and how these lie.
pub(super) fn map(value: Value) -> Option<(NodeId, Layout)> {
    match (value.node(), value.form()) {
        (Some(node), Some(Form::Map(layout))) => Some((node, layout)),
        _ => None,
    }
}

pub(super) const NO_MAP: Built = Built::Unsupported(" of what is no picture");
