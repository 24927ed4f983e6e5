//! Gradient ascent: the shift before each evaluation, what becomes of the gradient, and the step.

mod jitter;
mod laplacian;
mod step;
mod transform;

pub(crate) use jitter::{Shift, roll};
pub(crate) use step::Stepper;
pub(crate) use transform::{GradientTransform, StepScale, deviation, reciprocal};
