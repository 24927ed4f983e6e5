//! `If`: a node with two graphs inside, of which its condition chooses one. Exporters write it where shapes
//! decide, so that the condition is mostly known while the file is read; then the chosen graph's nodes take the
//! node's place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use super::external::External;
use super::model::{Opsets, Parts, damaged, initializers, named, nodes};
use super::node::Node;
use super::proto::GraphProto;
use super::reader::{Reader, Value};
use super::tensor::{Constant, Tensor};
use super::{build, ops};
use crate::ImportError;
use crate::kit::within;

/// The most graphs inside each other.
const MAX_DEPTH: usize = 8;

/// What stands for a node whose condition is not the same for all sizes of pictures.
const BY_SIZE: &str =
    "If, a branch that depends on the picture's size; export the network for one way";

/// What stands for an output that is wanted of a graph without it.
const NOT_MADE: &str = "an output that the branch does not make";

/// The graphs inside a node: for a condition that holds, and for one that does not.
#[derive(Clone, Debug)]
pub(super) struct Branches([Branch; 2]);

#[derive(Clone, Debug)]
struct Branch {
    nodes: Vec<Node>,
    initializers: HashMap<String, Tensor>,
    outputs: Vec<String>,
}

impl Branch {
    /// The names of what it has and makes, which mean nothing outside of it.
    fn own(&self) -> HashSet<&String> {
        let made = self.nodes.iter().flat_map(|node| &node.outputs);
        made.chain(self.initializers.keys()).collect()
    }
}

impl Branches {
    /// Those of a node, if it has them; it lies inside `depth` others.
    ///
    /// # Errors
    /// What cannot be unpacked, or has more parts than any network.
    pub(super) fn of(
        node: &Node,
        opsets: &Opsets,
        parts: &mut Parts,
        depth: usize,
    ) -> Result<Option<Box<Self>>, ImportError> {
        let graph = |name: &str| node.attribute(name)?.g.clone();
        let (Some(yes), Some(no)) = (graph("then_branch"), graph("else_branch")) else {
            return Ok(None);
        };
        within(&node.name, "the number of graphs around it", depth, 0, MAX_DEPTH)?;
        let mut read = |bytes: Bytes| {
            let graph = GraphProto::decode(bytes).map_err(damaged)?;
            Ok(Branch {
                nodes: nodes(&graph.node, opsets, parts, depth + 1)?,
                initializers: initializers(&graph, parts)?,
                outputs: named(&graph.output, parts)?,
            })
        };
        Ok(Some(Box::new(Self([read(yes)?, read(no)?]))))
    }

    /// What the graphs read from outside.
    pub(super) fn reads(&self) -> Vec<&String> {
        let mut reads = Vec::new();
        for branch in &self.0 {
            let own = branch.own();
            let mut all: Vec<&String> = branch.outputs.iter().collect();
            for node in &branch.nodes {
                all.extend(&node.inputs);
                all.extend(node.branches.iter().flat_map(|inner| inner.reads()));
            }
            reads.extend(all.into_iter().filter(|name| !own.contains(name)));
        }
        reads
    }
}

/// The outputs of the graph that the condition chooses; of a condition that is not known, or depends on the
/// picture, the node stands as unsupported.
///
/// # Errors
/// As [`ops::build`].
pub(super) fn outputs(
    reader: &mut Reader,
    node: &Node,
    branches: Branches,
    condition: &Value,
    external: &mut External<'_>,
) -> Result<Vec<Value>, ImportError> {
    let Some(holds) = condition.holds() else {
        if let Value::Sized(..) = condition {
            let value = reader.unsupported(&node.name, BY_SIZE.into(), &[])?;
            return Ok(vec![value; node.outputs.len()]);
        }
        return ops::build(reader, node, std::slice::from_ref(condition));
    };
    let [yes, no] = branches.0;
    let Branch { mut nodes, initializers, outputs } = if holds { yes } else { no };
    let mut weights: Vec<_> = initializers.into_iter().collect();
    weights.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut own: Vec<String> = weights.iter().map(|(name, _)| name.clone()).collect();
    for (name, mut tensor) in weights {
        external.fetch(&name, &mut tensor)?;
        if reader.get(&name).is_some() {
            return Err(ImportError::Duplicate { layer: name });
        }
        if let Some(constant) = Constant::new(tensor) {
            reader.set(&name, Value::Constant(Arc::new(constant)));
        }
    }
    // What is missing inside stands as unsupported there.
    build(reader, &mut nodes, external)?;
    let mut values = Vec::with_capacity(node.outputs.len());
    for (place, name) in node.outputs.iter().enumerate() {
        let made = outputs.get(place).and_then(|inner| reader.get(inner));
        values.push(match made.filter(|value| !value.is_nothing()) {
            Some(value) => value,
            None if name.is_empty() => Value::Nothing,
            None => reader.unsupported(name, NOT_MADE.into(), &[])?,
        });
    }
    // Another graph may use the names again.
    own.extend(nodes.into_iter().flat_map(|node| node.outputs));
    own.iter().for_each(|name| reader.forget(name));
    Ok(values)
}
