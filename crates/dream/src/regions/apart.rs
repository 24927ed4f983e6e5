//! Keeps pictures that are dreamt together apart: to each one's direction it adds the one in which the pictures
//! grow less alike, transformed by itself, so that a share of it means the same on every layer.

use graph::{Size, Tensor};

use super::directions::At;
use super::masks::Masks;
use crate::ascent::{GradientTransform, StepScale, Wobbler};
use crate::image::{black_in, rows};
use crate::objective::{Diversity, GradientEvaluator};
use crate::random::Random;
use crate::{DreamError, Plan};

/// What keeps pictures of one size apart.
pub(super) struct Apart<'p> {
    plan: &'p Plan,
    diversity: Diversity,
    transform: GradientTransform<'p>,
    gradient: Tensor,
    /// How much each pixel counts; `None` for all of them wholly.
    reach: Option<&'p Tensor>,
    share: f32,
}

impl<'p> Apart<'p> {
    /// What the plan asks for; `None` if that is nothing.
    pub(super) fn new(
        plan: &'p Plan,
        evaluator: &mut GradientEvaluator<'_>,
        masks: &'p Masks<'p>,
        size: Size,
    ) -> Option<Self> {
        let share = plan.diversity()?;
        let channels = evaluator.keep_first()?;
        Some(Self {
            plan,
            diversity: Diversity::new(plan.recipe().pictures as usize, channels),
            transform: GradientTransform::new(plan, size, masks.mask()),
            gradient: black_in(plan.storage(), size),
            reach: masks.reach(),
            share,
        })
    }

    /// Takes what the network has just seen in a picture.
    pub(super) fn note(&mut self, picture: usize, evaluator: &GradientEvaluator<'_>) {
        if let Some(values) = evaluator.first() {
            self.diversity.note(self.plan.threads(), picture, values);
        }
    }

    /// Puts what was taken of all pictures together.
    pub(super) fn gather(&mut self) {
        self.diversity.gather(self.plan.threads());
    }

    /// Adds to `scale` times `direction` what leads away from the other pictures; returns how the sum becomes a
    /// step. `random` is as it was before the direction was found.
    pub(super) fn turn(
        &mut self,
        at: At<'_>,
        evaluator: &mut GradientEvaluator<'_>,
        (wobbler, random): (&mut Wobbler<'_>, &mut Random),
        scale: f32,
        direction: &mut Tensor,
    ) -> Result<StepScale, DreamError> {
        let Self { plan, diversity, transform, gradient, reach, share } = self;
        let reach = *reach;
        let threads = plan.threads();
        wobbler.gradient(at.picture, random, gradient, |seen, _, gradient| {
            let seed = |values: &Tensor, seed: &mut Tensor| {
                diversity.gradient(threads, at.number, values, seed);
            };
            evaluator.gradient_from_first(seen, at.jitter, seed, gradient).map(|()| 0.0)
        })?;
        let away = match transform.apply(gradient, at.iteration) {
            StepScale::Times(away) => *share * away,
            // Pictures that are alike in all the layer sees have no way apart.
            StepScale::Vanished => return Ok(StepScale::Times(scale)),
            StepScale::NotFinite => return Ok(StepScale::NotFinite),
        };
        rows::for_each(threads, direction, |c, y, row| {
            let gradient = rows::row(gradient, c, y);
            match reach {
                None => {
                    for (x, g) in row.iter_mut().zip(gradient) {
                        *x = scale * *x + away * g;
                    }
                }
                Some(map) => {
                    let places = gradient.iter().zip(rows::row(map, 0, y));
                    for (x, (g, map)) in row.iter_mut().zip(places) {
                        *x = scale * *x + away * (map * g);
                    }
                }
            }
        });
        Ok(StepScale::Times(1.0))
    }
}
