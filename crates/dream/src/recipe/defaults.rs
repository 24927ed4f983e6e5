//! The layers that each network dreams its figures of by default, chosen by eye.

use graph::Graph;

use super::{Term, default_objective};

/// Layers that have the clearest figures, beside the default ones that they stand for: SqueezeNet's, under
/// Caffe's and torchvision's names. Its last layer only adds eyes and cloth to them.
const FIGURES: [([&str; 3], [&str; 2]); 3] = [
    (["fire5/concat", "fire8/concat", "fire9/concat"], ["fire8/concat", "fire7/concat"]),
    (["features.7", "features.10", "features.12"], ["features.10", "features.9"]),
    (["features.7", "features.11", "features.12"], ["features.11", "features.10"]),
];

/// The layers that figures are dreamt of on the network that `graph` is, known by its layers, not its name;
/// of most networks the default ones.
pub(super) fn figures(graph: &Graph) -> Vec<Term> {
    let usual = default_objective(graph);
    let names = || usual.iter().map(|term| term.layer.as_str());
    match FIGURES.iter().find(|(layers, _)| names().eq(layers.iter().copied())) {
        Some((_, [face, fur])) => vec![Term::layer(*fur), Term::layer(*face).weighing(2.0)],
        None => usual,
    }
}
