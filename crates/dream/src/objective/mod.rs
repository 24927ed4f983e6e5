//! What a dream climbs towards, and its gradient at a picture.

mod evaluator;
mod layers;
mod tiled;
mod tiles;

pub(crate) use evaluator::{GradientEvaluator, memory, sizes_seen};
pub(crate) use layers::Objective;
