//! The direction of a step: each region's gradient, transformed by itself, times its map.

use graph::{Backwards, GraphError, Size, Tensor};
use kernels::Threads;

use super::apart::Apart;
use super::masks::{Mask, Masks, Reach};
use crate::ascent::{GradientTransform, Shift, StepScale, Wobbler};
use crate::image::{black_in, rows};
use crate::objective::{GradientEvaluator, Seen};
use crate::random::Random;
use crate::{DreamError, Observer, Plan};

/// Where a step is to be taken.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) picture: &'a Tensor,
    /// The picture's place among those that are dreamt together, from 0.
    pub(crate) number: usize,
    /// The step, from 0.
    pub(crate) iteration: u32,
    /// How far the network sees the picture rolled.
    pub(crate) jitter: Shift,
}

/// Finds the directions of the steps on pictures of one size.
pub(crate) struct Directions<'p> {
    plan: &'p Plan,
    evaluator: GradientEvaluator<'p>,
    wobbler: Wobbler<'p>,
    /// The regions that reach some of the picture.
    regions: Vec<Part<'p>>,
    /// One region's gradient, where there are masks or several regions.
    gradient: Option<Tensor>,
    /// What keeps pictures apart that are dreamt together.
    apart: Option<Apart<'p>>,
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
            let transform = GradientTransform::new(plan, size, mask);
            let share = plan.share_of(*name);
            regions.push(Part { transform, mask, weights: Vec::new(), share, name: *name });
        }
        let plain = masks.regions.len() == 1 && matches!(&regions[..], [Part { mask: None, .. }]);
        let storage = plan.storage();
        let gradient = (!plain).then(|| black_in(storage, size));
        let backwards = if regions.len() > 1 { plan.backwards() } else { Backwards::One };
        let mut evaluator = GradientEvaluator::new(
            plan.objective(),
            recipe,
            (threads, storage),
            (size, backwards),
        )?;
        let wobbler = Wobbler::new(ascent, plan.context(), (storage, size));
        let apart = match regions.is_empty() {
            true => None,
            false => Apart::new(plan, &mut evaluator, masks, size),
        };
        Ok(Self { plan, evaluator, wobbler, regions, gradient, apart })
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
            own.clear();
            own.extend(all.map(|(is_own, weight)| if is_own { *weight } else { 0.0 }));
        }
    }

    /// Writes the direction of a step to `direction`, and returns the objective and how the direction becomes a
    /// step.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn find(
        &mut self,
        at: At<'_>,
        random: &mut Random,
        observer: &mut dyn Observer,
        direction: &mut Tensor,
    ) -> Result<(f64, StepScale), DreamError> {
        let At { picture, iteration, jitter, .. } = at;
        let Self { plan, evaluator, wobbler, regions, gradient, apart } = self;
        let mut unseen = apart.as_mut();
        let mut evaluate = |weights: Option<&[f32]>, seen: Seen, gradient: &mut Tensor| {
            if let Some(weights) = weights {
                evaluator.set_weights(weights);
            }
            let value =
                wobbler.gradient(picture, random, gradient, |shown, random, gradient| {
                    evaluator.value_and_gradient((shown, seen), jitter, random, gradient)
                })?;
            if let Some(apart) = unseen.take() {
                apart.note(at.number, evaluator);
            }
            Ok::<_, GraphError>(value)
        };
        let Some(gradient) = gradient else {
            let value = evaluate(None, Seen::Never, direction)?;
            observer.evaluated();
            return Ok((value, regions[0].transform.apply(direction, iteration)));
        };
        direction.data.fill(0.0);
        // Where nothing is to go anywhere, nothing has vanished.
        let nowhere = regions.is_empty();
        let mut climbs = if nowhere { StepScale::Times(1.0) } else { StepScale::Vanished };
        let mut sum = 0.0;
        let mut seen = Seen::Never;
        for Part { transform, mask, weights, share, .. } in regions {
            sum += evaluate(Some(weights), seen, gradient)?;
            seen = Seen::Already;
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

    /// Puts together what was seen of pictures that are dreamt together, once [`Self::find`] has been at each of
    /// them.
    pub(crate) fn gather(&mut self) {
        self.apart.iter_mut().for_each(Apart::gather);
    }

    /// Turns `scale` times the `direction` that was found at a picture away from the others that are dreamt
    /// together with it, if they are to keep apart; returns how it becomes a step. `random` is as it was before
    /// the direction was found.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn turn(
        &mut self,
        at: At<'_>,
        random: &mut Random,
        scale: f32,
        direction: &mut Tensor,
    ) -> Result<StepScale, DreamError> {
        let Self { evaluator, wobbler, apart, .. } = self;
        match apart {
            Some(apart) => apart.turn(at, evaluator, (wobbler, random), scale, direction),
            None => Ok(StepScale::Times(scale)),
        }
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
            let at = (picture, Seen::Never);
            return Ok(evaluator.value_and_gradient(at, still, random, sum)?);
        };
        sum.data.fill(0.0);
        let (mut value, mut seen) = (0.0, Seen::Never);
        for Part { mask, weights, .. } in regions {
            evaluator.set_weights(weights);
            value += evaluator.value_and_gradient((picture, seen), still, random, gradient)?;
            seen = Seen::Already;
            add(plan.threads(), sum, gradient, (1.0, mask.map(|mask| &mask.map)));
        }
        Ok(value)
    }

    /// The error of a gradient that was not finite at `picture`, rolled by `jitter`.
    pub(crate) fn not_finite(self, picture: &Tensor, jitter: Shift) -> DreamError {
        let Self { plan, evaluator, wobbler, regions, gradient, apart, .. } = self;
        let shown = evaluator.shown(wobbler.seen(picture), jitter, plan.threads());
        // The search for the layer needs their memory.
        drop((evaluator, wobbler, regions, gradient, apart));
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
