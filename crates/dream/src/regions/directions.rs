//! The direction of a step: each region's gradient, transformed by itself, times its map.

use graph::{Size, Tensor};
use kernels::Threads;

use super::masks::{Mask, Masks, Reach};
use crate::ascent::{GradientTransform, Shift, StepScale, Wobbler};
use crate::image::{black, rows};
use crate::objective::GradientEvaluator;
use crate::random::Random;
use crate::{DreamError, Observer, Plan};

/// Finds the directions of the steps on pictures of one size.
pub(crate) struct Directions<'p> {
    plan: &'p Plan,
    evaluator: GradientEvaluator<'p>,
    wobbler: Wobbler<'p>,
    /// The regions that reach some of the picture.
    regions: Vec<Part<'p>>,
    /// One region's gradient, where there are masks or several regions.
    gradient: Option<Tensor>,
}

/// A region that reaches some of the picture.
struct Part<'p> {
    transform: GradientTransform<'p>,
    /// `None` for everywhere.
    mask: Option<&'p Mask>,
    /// The factors of the terms, 0 for those of other regions.
    weights: Vec<f32>,
    /// How much of a step it takes.
    share: f32,
    name: Option<&'p str>,
}

impl<'p> Directions<'p> {
    pub(crate) fn new(
        plan: &'p Plan,
        masks: &'p Masks<'p>,
        size: Size,
    ) -> Result<Self, DreamError> {
        let (recipe, ascent, threads) = (plan.recipe(), plan.ascent(), plan.threads());
        let mut regions = Vec::new();
        for (name, reach) in &masks.regions {
            let mask = match reach {
                Reach::Nowhere => continue,
                Reach::Everywhere => None,
                Reach::Within(mask) => Some(mask),
            };
            let transform = GradientTransform::new(ascent, plan.context(), size, mask);
            let share = plan.share_of(*name);
            regions.push(Part { transform, mask, weights: Vec::new(), share, name: *name });
        }
        let plain = masks.regions.len() == 1 && matches!(&regions[..], [Part { mask: None, .. }]);
        let gradient = (!plain).then(|| black(size));
        let evaluator = GradientEvaluator::new(plan.objective(), recipe, threads, size)?;
        let wobbler = Wobbler::new(ascent, threads, size);
        Ok(Self { plan, evaluator, wobbler, regions, gradient })
    }

    /// What measures the terms.
    pub(crate) fn evaluator(&mut self) -> &mut GradientEvaluator<'p> {
        &mut self.evaluator
    }

    /// Gives the terms' values these factors.
    pub(crate) fn set_weights(&mut self, weights: &[f32]) {
        self.evaluator.set_weights(weights);
        let recipe = self.plan.recipe();
        for Part { weights: own, name, .. } in &mut self.regions {
            let is_own = recipe.objective.iter().map(|term| recipe.region_of(term) == *name);
            let all = is_own.zip(weights);
            *own = all.map(|(is_own, weight)| if is_own { *weight } else { 0.0 }).collect();
        }
    }

    /// Writes the direction of step `iteration` at `picture`, which the network sees rolled by `jitter`, to
    /// `direction`, and returns the objective and how the direction becomes a step.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn find(
        &mut self,
        (picture, iteration): (&Tensor, u32),
        jitter: Shift,
        random: &mut Random,
        observer: &mut dyn Observer,
        direction: &mut Tensor,
    ) -> Result<(f64, StepScale), DreamError> {
        let Self { plan, evaluator, wobbler, regions, gradient } = self;
        let mut evaluate = |weights: Option<&[f32]>, random: &mut Random, gradient: &mut Tensor| {
            if let Some(weights) = weights {
                evaluator.set_weights(weights);
            }
            wobbler.gradient(picture, random, gradient, |seen, random, gradient| {
                evaluator.value_and_gradient(seen, jitter, random, gradient)
            })
        };
        let Some(gradient) = gradient else {
            let value = evaluate(None, random, direction)?;
            observer.evaluated();
            return Ok((value, regions[0].transform.apply(direction, iteration)));
        };
        direction.data.fill(0.0);
        // Where nothing is to go anywhere, nothing has vanished.
        let nowhere = regions.is_empty();
        let mut climbs = if nowhere { StepScale::Times(1.0) } else { StepScale::Vanished };
        let mut sum = 0.0;
        for Part { transform, mask, weights, share, .. } in regions {
            sum += evaluate(Some(weights), random, gradient)?;
            match transform.apply(gradient, iteration) {
                StepScale::Times(scale) => {
                    let map = mask.map(|mask| &mask.map);
                    add(plan.threads(), direction, gradient, (scale * *share, map));
                    climbs = StepScale::Times(1.0);
                }
                StepScale::Vanished => {}
                StepScale::NotFinite => return Ok((sum, StepScale::NotFinite)),
            }
        }
        observer.evaluated();
        Ok((sum, climbs))
    }

    /// Writes the objective's gradient at `picture`, each region's times its map and nothing else done to it, to
    /// `sum`, and returns the objective.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn untransformed(
        &mut self,
        picture: &Tensor,
        random: &mut Random,
        sum: &mut Tensor,
    ) -> Result<f64, DreamError> {
        let Self { plan, evaluator, regions, gradient, .. } = self;
        let still = Shift::default();
        let Some(gradient) = gradient else {
            return Ok(evaluator.value_and_gradient(picture, still, random, sum)?);
        };
        sum.data.fill(0.0);
        let mut value = 0.0;
        for Part { mask, weights, .. } in regions {
            evaluator.set_weights(weights);
            value += evaluator.value_and_gradient(picture, still, random, gradient)?;
            add(plan.threads(), sum, gradient, (1.0, mask.map(|mask| &mask.map)));
        }
        Ok(value)
    }

    /// The error of a gradient that was not finite at `picture`, rolled by `jitter`.
    pub(crate) fn not_finite(self, picture: &Tensor, jitter: Shift) -> DreamError {
        let Self { plan, evaluator, wobbler, regions, gradient } = self;
        let shown = evaluator.shown(wobbler.seen(picture), jitter, plan.threads());
        // The search for the layer needs their memory.
        drop((evaluator, wobbler, regions, gradient));
        plan.not_finite(&shown)
    }
}

/// Adds `scale · map · gradient` to `direction`.
fn add(
    threads: &Threads,
    direction: &mut Tensor,
    gradient: &Tensor,
    (scale, map): (f32, Option<&Tensor>),
) {
    rows::for_each(threads, direction, |c, y, row| {
        let gradient = rows::row(gradient, c, y);
        match map {
            None => row.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += scale * g),
            Some(map) => {
                let places = gradient.iter().zip(rows::row(map, 0, y));
                for (sum, (g, map)) in row.iter_mut().zip(places) {
                    *sum += scale * (map * g);
                }
            }
        }
    });
}
