//! Leaves out what no target needs: heads for training, layers behind the last target.

use super::{Rewriter, Rewritten};
use crate::{Graph, NodeId};

/// The graph of the `targets` and all they are computed from, in the same order.
pub fn prune(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let mut rewriter = Rewriter::new(graph);
    for id in graph.ancestors(targets) {
        if !rewriter.has(id) {
            let node = graph.node(id);
            rewriter.replace(&[id], &node.name, node.op.clone(), &node.inputs);
        }
    }
    rewriter.finish(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GraphBuilder, Op};

    #[test]
    fn only_what_targets_need_is_left() {
        let mut builder = GraphBuilder::new("image", 3);
        let head = builder.add("head", Op::Relu, &[builder.input()]);
        let a = builder.add("a", Op::Softmax, &[builder.input()]);
        builder.add("behind", Op::Relu, &[head]);
        let b = builder.add("b", Op::Add, &[a, a]);
        let Rewritten { graph, targets } = prune(&builder.finish(), &[b, a]);
        let names: Vec<&str> = graph.nodes().iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["image", "a", "b"]);
        assert_eq!(targets, [graph.find("b").unwrap(), graph.find("a").unwrap()]);
        assert_eq!(graph.node(targets[0]).inputs, [targets[1]; 2]);
    }
}
