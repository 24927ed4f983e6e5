//! The value and the gradient of an objective at a picture, without a dream: for tests and measurements.

use graph::Tensor;

use crate::ascent::Shift;
use crate::dreamer::fitted;
use crate::image::black;
use crate::random::Random;
use crate::regions::{Directions, Masks};
use crate::{DreamError, Plan};

/// A plan's objective at a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// `Σ weight · value` over the terms.
    pub value: f64,
    /// Its gradient with respect to the picture: 3 × height × width, RGB, of values 0–255. That of a region is
    /// multiplied by the region's mask.
    pub gradient: Tensor,
    /// The factor of each term's value: its weight or, where weights are shares, the factor that gives the term
    /// its share.
    pub weights: Vec<f32>,
}

/// Evaluates the objective of `plan` at `picture` (3 × height × width, RGB, 0–255) in the plan's size, as a
/// dream's first step on its last octave would without jitter.
///
/// # Errors
/// The network cannot be run, or it computes values that are not finite.
///
/// # Panics
/// With a picture that has not three channels or no pixels.
pub fn evaluate(plan: &Plan, picture: &Tensor) -> Result<Evaluated, DreamError> {
    if plan.recipe().needs_picture() {
        let mut plan = plan.clone();
        plan.choose_channels(picture)?;
        return evaluate(&plan, picture);
    }
    plan.ask_for_memory()?;
    let (recipe, threads) = (plan.recipe(), plan.threads());
    let picture = fitted(plan, picture.clone());
    let mut gradient = black(plan.size());
    threads.install(|| {
        let masks = Masks::new(plan, plan.size());
        let mut directions = Directions::new(plan, &masks, plan.size())?;
        let evaluator = directions.evaluator();
        evaluator.balance(recipe, &picture, &mut gradient)?;
        let weights = evaluator.weights().to_vec();
        directions.set_weights(&weights);
        let mut random = Random::new(recipe.seed);
        let value = directions.untransformed(&picture, &mut random, &mut gradient)?;
        if !value.is_finite() || gradient.data.iter().any(|value| !value.is_finite()) {
            let shown = directions.evaluator().shown(&picture, Shift::default(), threads);
            drop(directions);
            return Err(plan.not_finite(&shown));
        }
        Ok(Evaluated { value, gradient, weights })
    })
}
