//! What becomes of a gradient before it is a step: it is smoothed, and divided by its own strength, so
//! that a step goes equally far on every picture, layer and network.

use graph::{Size, Tensor};
use kernels::{Context, Threads};

use super::laplacian::Pyramid;
use crate::image::gaussian::Smoothing;
use crate::image::{black, rows};
use crate::{Ascent, Normalisation, Recipe};

/// A recipe's transform of gradients of one size.
pub(crate) struct GradientTransform<'p> {
    recipe: &'p Recipe,
    cx: &'p Context,
    smoothing: Smoothing,
    /// Memory for a smoothed gradient, if there is to be one.
    smoothed: Option<Tensor>,
    pyramid: Option<Pyramid>,
    partial_one: Vec<[f64; 1]>,
    partial_two: Vec<[f64; 2]>,
}

impl<'p> GradientTransform<'p> {
    pub(crate) fn new(recipe: &'p Recipe, cx: &'p Context, size: Size) -> Self {
        let smoothed = (smoothing(recipe, recipe.ascent.iterations) > 0.0).then(|| black(size));
        let pyramid = match recipe.ascent.normalisation {
            Normalisation::Laplacian { levels } => Some(Pyramid::new(black(size).shape, levels)),
            _ => None,
        };
        Self {
            recipe,
            cx,
            smoothing: Smoothing::default(),
            smoothed,
            pyramid,
            partial_one: Vec::new(),
            partial_two: Vec::new(),
        }
    }

    /// Transforms `gradient`, of step `iteration` from 0, and returns what it is to be multiplied with to
    /// be a step.
    pub(crate) fn apply(&mut self, gradient: &mut Tensor, iteration: u32) -> f32 {
        let threads = self.cx.threads();
        let sigma = smoothing(self.recipe, iteration);
        let mut absolute = None;
        if let Some(smoothed) = &mut self.smoothed
            && sigma > 0.0
        {
            absolute = Some(self.smoothing.apply(self.cx, gradient, sigma, smoothed));
            std::mem::swap(gradient, smoothed);
        }
        let strength = match self.recipe.ascent.normalisation {
            Normalisation::MeanAbs => {
                let absolute = absolute.unwrap_or_else(|| {
                    let partial = &mut self.partial_one;
                    let [sum] =
                        rows::sums(threads, &gradient.data, partial, |x| [f64::from(x.abs())]);
                    sum
                });
                absolute / gradient.data.len() as f64
            }
            Normalisation::Std => deviation(threads, &gradient.data, &mut self.partial_two),
            Normalisation::Laplacian { .. } => {
                if let Some(pyramid) = &mut self.pyramid {
                    pyramid.normalise(threads, gradient);
                }
                1.0
            }
        };
        self.recipe.ascent.step * reciprocal(strength)
    }
}

/// The blur's width at step `iteration`.
fn smoothing(recipe: &Recipe, iteration: u32) -> f32 {
    let Ascent { smoothing, smoothing_growth, iterations, .. } = recipe.ascent;
    smoothing + smoothing_growth * iteration as f32 / iterations as f32
}

/// The standard deviation of `values`. `partial` is memory to work in.
pub(crate) fn deviation(threads: &Threads, values: &[f32], partial: &mut Vec<[f64; 2]>) -> f64 {
    let count = values.len() as f64;
    let [sum, squares] = rows::sums(threads, values, partial, |x| {
        let x = f64::from(x);
        [x, x * x]
    });
    (squares / count - (sum / count).powi(2)).max(0.0).sqrt()
}

/// 1 / `strength`, or 0 where there is nothing to divide: no gradient, no step.
pub(crate) fn reciprocal(strength: f64) -> f32 {
    let reciprocal = (1.0 / strength) as f32;
    if reciprocal.is_finite() { reciprocal } else { 0.0 }
}
