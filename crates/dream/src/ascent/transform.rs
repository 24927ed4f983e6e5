//! What becomes of a gradient before it is a step: it is smoothed, its colours are drawn together or
//! apart, and it is divided by its own strength, so that a step goes equally far on every picture, layer and network.

use graph::{Shape, Size, Tensor};
use kernels::{Context, Threads};

use super::chroma;
use super::laplacian::Pyramid;
use crate::image::gaussian::Smoothing;
use crate::image::{black_in, rows};
use crate::regions::Mask;
use crate::{Ascent, Normalisation, Parametrisation, Plan};

/// An ascent's transform of gradients of one size. Where they count within a mask, so does their strength, or
/// a dream in a small region would be stronger than one on the whole picture.
pub(crate) struct GradientTransform<'p> {
    ascent: &'p Ascent,
    cx: &'p Context,
    /// Where the gradient counts; `None` for everywhere.
    mask: Option<&'p Mask>,
    smoothing: Smoothing,
    /// Memory for a smoothed gradient, if there is to be one.
    smoothed: Option<Tensor>,
    pyramid: Option<Pyramid>,
    partial_one: Vec<[f64; 1]>,
    partial_two: Vec<[f64; 2]>,
}

impl<'p> GradientTransform<'p> {
    pub(crate) fn new(plan: &'p Plan, size: Size, mask: Option<&'p Mask>) -> Self {
        let (ascent, cx, storage) = (plan.ascent(), plan.context(), plan.storage());
        let is_smoothed = smoothing(ascent, ascent.iterations) > 0.0;
        let smoothed = is_smoothed.then(|| black_in(storage, size));
        let pyramid = match ascent.normalisation {
            Normalisation::Laplacian { levels } => {
                Some(Pyramid::new((storage, Shape::new(3, size.height, size.width)), levels, mask))
            }
            _ => None,
        };
        Self {
            ascent,
            cx,
            mask,
            smoothing: Smoothing::default(),
            smoothed,
            pyramid,
            partial_one: Vec::new(),
            partial_two: Vec::new(),
        }
    }

    /// Transforms `gradient`, of step `iteration` from 0, and returns how it becomes a step.
    pub(crate) fn apply(&mut self, gradient: &mut Tensor, iteration: u32) -> StepScale {
        let threads = self.cx.threads();
        let sigma = smoothing(self.ascent, iteration);
        let mut absolute = None;
        if let Some(smoothed) = &mut self.smoothed
            && sigma > 0.0
        {
            absolute = Some(self.smoothing.apply(self.cx, gradient, sigma, smoothed));
            std::mem::swap(gradient, smoothed);
        }
        // A spectrum has the chroma in its colours.
        if self.ascent.chroma != 1.0 && self.ascent.parametrisation == Parametrisation::Pixels {
            chroma::apply(self.cx, gradient, self.ascent.chroma);
            absolute = None;
        }
        let strength = match self.ascent.normalisation {
            Normalisation::MeanAbs if self.mask.is_some() => {
                self.mean_within(gradient, |g| g.abs())
            }
            Normalisation::Std if self.mask.is_some() => {
                let mean = self.mean_within(gradient, |g| g);
                let squares = self.mean_within(gradient, |g| g * g);
                (squares - mean * mean).clamp(0.0, f64::INFINITY).sqrt()
            }
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
                let strength = self
                    .pyramid
                    .as_mut()
                    .map_or(0.0, |pyramid| pyramid.normalise(threads, gradient));
                return match StepScale::of(self.ascent.step, strength) {
                    StepScale::Times(_) => StepScale::Times(1.0),
                    scale => scale,
                };
            }
        };
        StepScale::of(self.ascent.step, strength)
    }

    /// The mean of what `of` makes of each value, each counting as much as the mask says.
    fn mean_within(&mut self, gradient: &Tensor, of: impl Fn(f64) -> f64 + Send + Sync) -> f64 {
        let Some(mask) = self.mask else { return f64::NAN };
        let (threads, partial) = (self.cx.threads(), &mut self.partial_one);
        let [sum] = rows::weighted_sums(threads, gradient, &mask.map, partial, |g, weight| {
            [f64::from(weight) * of(f64::from(g))]
        });
        sum / (gradient.shape.channels as f64 * mask.sum)
    }
}

/// How a transformed gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StepScale {
    /// It is multiplied with this, and then is as strong as one of strength 1.
    Times(f32),
    /// Not at all: it is zero, or too small to divide by.
    Vanished,
    /// Not at all: some of it is not finite.
    NotFinite,
}

impl StepScale {
    /// For a step of length `step` along a gradient of this strength.
    fn of(step: f32, strength: f64) -> Self {
        match step * reciprocal(strength) {
            _ if !strength.is_finite() => StepScale::NotFinite,
            _ if reciprocal(strength) == 0.0 => StepScale::Vanished,
            length if length.is_finite() => StepScale::Times(reciprocal(strength)),
            _ => StepScale::Vanished,
        }
    }
}

/// The blur's width at step `iteration`.
fn smoothing(ascent: &Ascent, iteration: u32) -> f32 {
    let Ascent { smoothing, smoothing_growth, iterations, .. } = *ascent;
    smoothing + smoothing_growth * iteration as f32 / iterations as f32
}

/// The standard deviation of `values`, NaN if some are not finite. `partial` is memory to work in.
pub(crate) fn deviation(threads: &Threads, values: &[f32], partial: &mut Vec<[f64; 2]>) -> f64 {
    let count = values.len() as f64;
    let [sum, squares] = rows::sums(threads, values, partial, |x| {
        let x = f64::from(x);
        [x, x * x]
    });
    (squares / count - (sum / count).powi(2)).clamp(0.0, f64::INFINITY).sqrt()
}

/// 1 / `strength`, or 0 where there is nothing to divide: no gradient, no step.
pub(crate) fn reciprocal(strength: f64) -> f32 {
    let reciprocal = (1.0 / strength) as f32;
    if reciprocal.is_finite() { reciprocal } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::threads;

    #[test]
    fn a_step_has_a_length_only_where_the_gradient_is_a_number() {
        assert_eq!(StepScale::of(1.5, 0.5), StepScale::Times(2.0));
        assert_eq!(StepScale::of(0.0, 0.5), StepScale::Times(2.0));
        for strength in [0.0, 1e-40, 1e-300] {
            assert_eq!(StepScale::of(1.5, strength), StepScale::Vanished, "{strength}");
        }
        assert_eq!(StepScale::of(1000.0, 1e-37), StepScale::Vanished);
        for strength in [f64::NAN, f64::INFINITY] {
            assert_eq!(StepScale::of(1.5, strength), StepScale::NotFinite, "{strength}");
        }
    }

    #[test]
    fn a_deviation_of_what_is_no_number_is_none() {
        let deviation = |values: &[f32]| deviation(&threads(), values, &mut Vec::new());
        assert_eq!(deviation(&[1.0, 3.0]), 1.0);
        assert_eq!(deviation(&[2.0; 100]), 0.0);
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(deviation(&[1.0, wrong, 3.0]).is_nan(), "{wrong}");
        }
    }
}
