//! What stands between the picture and the first layer of a network none of whose layers can be used.

use graph::{Graph, Op};

use crate::ImportError;

/// The first node on the picture's way that cannot be computed, or that reads one which cannot.
pub(crate) fn first_obstacle(graph: &Graph, way_out: &str) -> Option<ImportError> {
    let mut reached = vec![false; graph.nodes().len()];
    for (place, node) in graph.nodes().iter().enumerate() {
        let from_picture = node.inputs.iter().any(|input| reached[input.index()]);
        reached[place] = from_picture || matches!(node.op, Op::Input { .. });
        let read = node.inputs.iter().map(|&input| graph.node(input));
        for node in std::iter::once(node).chain(read).filter(|_| from_picture) {
            if let Op::Unsupported { kind } = &node.op {
                let problem = format!(
                    "no layer works without it, and it cannot be computed: {kind}. {way_out}"
                );
                return Some(ImportError::Layer { layer: node.name.clone(), problem });
            }
        }
    }
    None
}
