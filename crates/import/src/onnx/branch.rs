//! `If`: a node with two graphs inside, of which its condition chooses one. Exporters write it where shapes
//! decide, so that the condition is mostly known while the file is read; then the chosen graph's nodes take the
//! node's place.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use super::external::External;
use super::model::{Opsets, Parts, damaged, initializers, inputs, nodes};
use super::node::Node;
use super::proto::{GraphProto, TensorProto};
use super::reader::{Reader, Value};
use super::tensor::Constant;
use super::{build, ops};
use crate::ImportError;
use crate::kit::within;

/// The most graphs inside each other.
const MAX_DEPTH: usize = 8;

/// The graphs inside a node: for a condition that holds, and for one that does not.
#[derive(Clone, Debug)]
pub(super) struct Branches([Branch; 2]);

#[derive(Clone, Debug)]
struct Branch {
    nodes: Vec<Node>,
    initializers: HashMap<String, TensorProto>,
    outputs: Vec<String>,
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
                initializers: initializers(&graph)?,
                outputs: inputs(&graph.output)?.into_iter().map(|output| output.name).collect(),
            })
        };
        Ok(Some(Box::new(Self([read(yes)?, read(no)?]))))
    }

    /// What the graphs read, from inside and outside.
    pub(super) fn reads(&self) -> Vec<&String> {
        let mut reads = Vec::new();
        for Branch { nodes, outputs, .. } in &self.0 {
            reads.extend(outputs);
            for node in nodes {
                reads.extend(&node.inputs);
                reads.extend(node.branches.iter().flat_map(|inner| inner.reads()));
            }
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
    let holds = match condition.whole().as_ref().map(|[a, b]| (&a[..], &b[..])) {
        Some((&[a], &[b])) if (a == 0) == (b == 0) => a != 0,
        _ => return ops::build(reader, node, std::slice::from_ref(condition)),
    };
    let [yes, no] = branches.0;
    let Branch { mut nodes, initializers, outputs } = if holds { yes } else { no };
    let mut weights: Vec<_> = initializers.into_iter().collect();
    weights.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
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
    outputs
        .iter()
        .map(|name| match reader.get(name) {
            Some(value) => Ok(value),
            None => reader.unsupported(name, "an output that the branch does not make".into(), &[]),
        })
        .collect()
}
