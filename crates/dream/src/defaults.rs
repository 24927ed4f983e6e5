//! What each network dreams of when nothing is asked for: layers and settings chosen by looking.

use net::{Graph, Op};

use crate::{LayerWeight, Recipe};

/// The settings for the network that `graph` is; a network is known by its layers, not its name.
pub(crate) fn recipe(graph: &Graph) -> Recipe {
    let known = KNOWN
        .iter()
        .find(|known| known.layers.iter().all(|(name, _)| graph.find_target(name).is_ok()));
    let mut recipe = Recipe::default();
    match known {
        Some(known) => {
            recipe.layers = known
                .layers
                .iter()
                .map(|&(name, weight)| LayerWeight { name: name.to_owned(), weight })
                .collect();
        }
        None => {
            let name = deep_layer(graph);
            recipe.layers =
                name.into_iter().map(|name| LayerWeight { name, weight: 1.0 }).collect();
        }
    }
    recipe
}

/// A network's default dream.
struct Known {
    layers: &'static [(&'static str, f32)],
}

const KNOWN: [Known; 3] = [
    // BVLC GoogLeNet.
    Known { layers: &[("inception_4c/output", 1.0)] },
    // Inception5h.
    Known { layers: &[("mixed4c", 1.0)] },
    // SqueezeNet.
    Known { layers: &[("fire6/concat", 1.0)] },
];

/// The first layer at three fifths of the network's depth or deeper, where most networks have whole
/// patterns but not yet whole things: best one that joins branches, or else one that has cut off what
/// is below 0.
fn deep_layer(graph: &Graph) -> Option<String> {
    let layers: Vec<_> = graph
        .layers()
        .into_iter()
        .filter(|layer| graph.find_target(&layer.name).is_ok_and(|id| is_spatial(graph, id)))
        .collect();
    let deepest = layers.iter().map(|layer| layer.depth).max()?;
    let deep = || layers.iter().filter(|layer| layer.depth * 5 >= deepest * 3);
    let is = |layer: &net::Layer, wanted: fn(&Op) -> bool| {
        graph.find(&layer.name).is_ok_and(|id| wanted(&graph.node(id).op))
    };
    deep()
        .find(|layer| is(layer, |op| matches!(op, Op::Concat | Op::Add)))
        .or_else(|| deep().find(|layer| is(layer, |op| matches!(op, Op::Relu))))
        .or_else(|| deep().next())
        .map(|layer| layer.name.clone())
}

/// Whether nothing on the way to the layer has done away with positions.
fn is_spatial(graph: &Graph, id: net::NodeId) -> bool {
    graph
        .ancestors(&[id])
        .iter()
        .all(|&id| !matches!(graph.node(id).op, Op::Dense(_) | Op::GlobalAveragePool | Op::Softmax))
}
