//! Rewrites of a graph that know no backend and no layout: each takes a graph with the targets that are
//! wanted of it and gives another that computes the same there.

mod batch_norm;
mod conv_transpose;
mod dense;
mod gates;
mod layer_norm;
mod prune;

pub use batch_norm::fold_batch_norm;
pub use conv_transpose::expand_conv_transpose;
pub use dense::dense_as_convolutions;
pub use gates::fold_gates;
pub use layer_norm::fold_layer_norm;
pub use prune::prune;

use crate::{Graph, GraphBuilder, Node, NodeId, Op};

/// A graph made from another, and what the targets there have become.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// The graph.
    pub graph: Graph,
    /// The targets, in the order in which they were given.
    pub targets: Vec<NodeId>,
}

/// Builds a graph from another's nodes.
struct Rewriter {
    builder: GraphBuilder,
    /// What each node of the other graph has become, if it has been reached.
    moved: Vec<Option<NodeId>>,
}

impl Rewriter {
    /// A graph that is only the image of `graph`.
    fn new(graph: &Graph) -> Self {
        let input = graph.node(graph.input());
        let builder = GraphBuilder::new(&*input.name, graph.input_channels());
        let mut moved = vec![None; graph.nodes().len()];
        moved[graph.input().index()] = Some(builder.input());
        Self { builder, moved }
    }

    fn has(&self, id: NodeId) -> bool {
        self.moved[id.index()].is_some()
    }

    /// Adds `op` on what `inputs` have become, instead of the nodes `ids`.
    fn replace(&mut self, ids: &[NodeId], name: &str, op: Op, inputs: &[NodeId]) {
        let inputs: Vec<NodeId> = inputs.iter().map(|&input| self.moved_to(input)).collect();
        let new = self.builder.add(name, op, &inputs);
        ids.iter().for_each(|id| self.moved[id.index()] = Some(new));
    }

    /// Adds `ops`, each on the one before, instead of the node `id`, whose inputs the first has and whose name
    /// the last.
    fn expand(&mut self, id: NodeId, ops: Vec<Op>, node: &Node) {
        let mut inputs: Vec<NodeId> =
            node.inputs.iter().map(|&input| self.moved_to(input)).collect();
        for op in ops {
            inputs = vec![self.builder.add(&*node.name, op, &inputs)];
        }
        self.moved[id.index()] = inputs.last().copied();
    }

    fn moved_to(&self, id: NodeId) -> NodeId {
        self.moved[id.index()].expect("a node's inputs stand before it")
    }

    fn finish(self, targets: &[NodeId]) -> Rewritten {
        let targets = targets.iter().map(|&target| self.moved_to(target)).collect();
        Rewritten { graph: self.builder.finish(), targets }
    }
}

/// The nodes that read each node.
fn readers(graph: &Graph) -> Vec<Vec<NodeId>> {
    let mut readers = vec![Vec::new(); graph.nodes().len()];
    for (index, node) in graph.nodes().iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.index()].push(NodeId(index)));
    }
    readers
}
