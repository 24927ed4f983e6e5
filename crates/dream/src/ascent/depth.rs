//! Steps that suit a layer's depth.
//!
//! A shallow layer sees little patches, and all of them ask for the same few patterns at every step: the
//! picture goes far in one direction and burns out with the steps that a deep layer needs, whose figures first
//! have to agree. How fast patterns grow falls with how much of the picture a layer sees at once.

use graph::{Graph, NodeId};

/// From so many pixels on that a layer sees along a row, steps have their whole length.
const WHOLE: f32 = 64.0;

/// How long a step on these layers is, as a share of a deep layer's: that of the shallowest.
pub(crate) fn step_share(graph: &Graph, targets: &[NodeId]) -> f32 {
    let field = targets.iter().map(|target| graph.receptive_field(*target)).min();
    field.map_or(1.0, |field| (field as f32 / WHOLE).min(1.0).sqrt())
}
