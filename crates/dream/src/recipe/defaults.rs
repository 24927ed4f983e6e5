//! The settings that each network dreams with by default, chosen by eye.

use graph::Graph;

use super::{Ascent, Octaves, Recipe, default_objective};

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
