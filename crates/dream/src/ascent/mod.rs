//! Gradient ascent: the shift before each evaluation, what becomes of the gradient, and the step on
//! pixels or on a spectrum.

mod chroma;
mod climb;
mod climbing;
mod depth;
mod jitter;
mod laplacian;
mod optimiser;
mod penalty;
mod spectrum;
mod transform;
mod wobble;

pub(crate) use climb::{Climb, ClimbState, transforms};
pub(crate) use climbing::Climbing;
pub(crate) use depth::step_share;
pub(crate) use jitter::{Shift, roll};
pub(crate) use spectrum::{Fft2, noise};
pub(crate) use transform::{GradientTransform, StepScale, deviation, reciprocal};
pub(crate) use wobble::Wobbler;

use crate::Recipe;

/// How many pictures' worth of memory the steps of an octave take, beside the picture, its gradient and what
/// that goes through.
pub(crate) fn pictures(recipe: &Recipe) -> u64 {
    let wobbling = if recipe.ascent.wobble.is_any() { 2 } else { 0 };
    climb::pictures(&recipe.ascent) + wobbling
}

/// How many bytes each thread takes to take steps on pictures so many pixels `wide`, beside that.
pub(crate) fn scratch(recipe: &Recipe, wide: u64) -> u64 {
    penalty::scratch(&recipe.penalty, wide)
}
