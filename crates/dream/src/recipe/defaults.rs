//! What each network dreams of by default: layers and settings chosen by eye.

use graph::{Graph, Op};

use super::{Ascent, Octaves, Recipe, Term};

/// The settings for the network that `graph` is; a network is known by its layers, not its name.
///
/// More and shorter steps than Google's notebook takes, over one octave more, and a little blur of the
/// gradient: whole figures have the time to form, and no grain grows between them.
pub(super) fn recipe(graph: &Graph) -> Recipe {
    Recipe {
        objective: default_objective(graph),
        octaves: Octaves { count: 5, ..Octaves::default() },
        ascent: Ascent { iterations: 15, step: 1.1, smoothing: 0.4, ..Ascent::default() },
        ..Recipe::default()
    }
}

/// The layers chosen for a network; of one that is not known, one at a depth that is usually worth
/// it. Empty where there is none, and where the network can be used in part only: what depth is worth it is
/// then not known.
pub(crate) fn default_objective(graph: &Graph) -> Vec<Term> {
    let known =
        KNOWN.iter().find(|layers| layers.iter().all(|(name, _)| graph.find_target(name).is_ok()));
    match known {
        Some(layers) => {
            layers.iter().map(|&(name, weight)| Term::layer(name).weighing(weight)).collect()
        }
        None if graph.first_unsupported_of_maps().is_some() => Vec::new(),
        None => deep_layer(graph).map(Term::layer).into_iter().collect(),
    }
}

/// Layers to dream on, with their weights, of the networks that are known.
const KNOWN: [&[(&str, f32)]; 3] = [
    // BVLC GoogLeNet: animals, buildings and landscapes.
    &[("inception_4c/output", 1.0)],
    // Inception5h: the same.
    &[("mixed4c", 1.0)],
    // SqueezeNet: a deep layer for faces and birds, one before it for what holds them together, and
    // a little of the swirls and eyes that fill the space between.
    &[("fire5/concat", 0.5), ("fire8/concat", 1.0), ("fire9/concat", 4.0)],
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
    let is = |layer: &graph::Layer, wanted: fn(&Op) -> bool| {
        graph.find(&layer.name).is_ok_and(|id| wanted(&graph.node(id).op))
    };
    deep()
        .find(|layer| is(layer, |op| matches!(op, Op::Concat | Op::Add)))
        .or_else(|| deep().find(|layer| is(layer, |op| matches!(op, Op::Relu))))
        .or_else(|| deep().next())
        .map(|layer| layer.name.clone())
}

/// Whether nothing on the way to the layer has done away with positions.
fn is_spatial(graph: &Graph, id: graph::NodeId) -> bool {
    graph
        .ancestors(&[id])
        .iter()
        .all(|&id| !matches!(graph.node(id).op, Op::Dense(_) | Op::GlobalAveragePool | Op::Softmax))
}
