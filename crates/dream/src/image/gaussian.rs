//! Gaussian blur of pictures and gradients, as SciPy's `gaussian_filter` has it: cut off at four
//! standard deviations, mirrored at the borders so that the border value itself is repeated.

use graph::{Shape, Tensor};
use kernels::Context;
use kernels::blur::{Blur, mirrored};

/// The widths Hvass' notebook adds up, as multiples of the first.
const WIDTHS: [f32; 3] = [1.0, 2.0, 0.5];

/// Makes `weights` those from the middle to the radius; with those to the other side their sum is 1.
/// `sigma` in pixels, above 0.
pub(crate) fn kernel(sigma: f32, weights: &mut Vec<f32>) {
    let sigma = f64::from(sigma);
    let radius = (4.0 * sigma + 0.5) as u64;
    let exact = || (0..=radius).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp());
    let sum = 2.0 * exact().sum::<f64>() - 1.0;
    weights.clear();
    weights.extend(exact().map(|weight| (weight / sum) as f32));
}

/// Writes `source`, blurred along rows and columns, to `target` of the same shape.
pub(crate) fn blur(cx: &Context, source: &Tensor, sigma: f32, target: &mut Tensor) {
    let channels = source.shape.channels;
    let own = |at: usize| f32::from(u8::from(at / channels == at % channels));
    let mix: Vec<_> = (0..channels * channels).map(own).collect();
    let mut weights = Vec::new();
    kernel(sigma, &mut weights);
    let blur = Blur { weights: &weights, mix: &mix };
    sum(cx, &[blur], source, target, &mut Vec::new());
}

fn sum(
    cx: &Context,
    blurs: &[Blur<'_>],
    source: &Tensor,
    target: &mut Tensor,
    strengths: &mut Vec<f64>,
) -> f64 {
    assert_eq!(source.shape, target.shape, "blurring keeps the shape");
    let Shape { channels, height, width } = source.shape;
    let storage = target.storage().clone();
    let row = size_of::<f32>() * width;
    let touched = |rows: usize| storage.touched_apart(2 * channels * rows, row);
    let (extent, from, to) = ([channels, height, width], &source.data, &mut target.data);
    kernels::blur::blur(cx, blurs, extent, from, to, strengths, &touched)
}

/// The same blur across three channels: how much each gets of each, `[to][from]`.
fn across_channels(weights: &[f32]) -> [f32; 9] {
    let radius = weights.len() as isize - 1;
    let mut mix = [0.0; 9];
    for to in 0..3 {
        for k in -radius..=radius {
            mix[3 * to + mirrored(to as isize + k, 3)] += weights[k.unsigned_abs()];
        }
    }
    mix
}

/// Hvass' smoothing of a gradient of three channels: the sum of three blurs over columns, rows and
/// colours, which draw it to grey.
#[derive(Default)]
pub(crate) struct Smoothing {
    sigma: f32,
    blurs: [(Vec<f32>, [f32; 9]); 3],
    /// Memory to work in.
    strengths: Vec<f64>,
}

impl Smoothing {
    /// Writes `gradient`, blurred by `sigma`, twice and half of it, to `smoothed`, and returns the sum of
    /// its absolute values.
    pub(crate) fn apply(
        &mut self,
        cx: &Context,
        gradient: &Tensor,
        sigma: f32,
        smoothed: &mut Tensor,
    ) -> f64 {
        if self.sigma != sigma {
            self.sigma = sigma;
            for (width, (weights, mix)) in WIDTHS.into_iter().zip(&mut self.blurs) {
                kernel(width * sigma, weights);
                *mix = across_channels(weights);
            }
        }
        let blurs = self.blurs.each_ref().map(|(weights, mix)| Blur { weights, mix });
        sum(cx, &blurs, gradient, smoothed, &mut self.strengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::rows;
    use crate::testing::{context, pattern};

    fn kernel(sigma: f32) -> Vec<f32> {
        let mut weights = Vec::new();
        super::kernel(sigma, &mut weights);
        weights
    }

    #[test]
    fn kernels_are_normalised_and_as_wide_as_asked() {
        for sigma in [0.25, 0.5, 1.0, 4.1, 8.2] {
            let weights = kernel(sigma);
            let moment = |power: i32| -> f64 {
                let side = weights.iter().enumerate().skip(1);
                2.0 * side
                    .map(|(k, weight)| f64::from(*weight) * (k as f64).powi(power))
                    .sum::<f64>()
            };
            assert!((f64::from(weights[0]) + moment(0) - 1.0).abs() < 1e-6);
            let variance = moment(2);
            if sigma >= 1.0 {
                assert!((variance.sqrt() - f64::from(sigma)).abs() < 0.01 * f64::from(sigma));
            }
        }
    }

    #[test]
    fn blur_is_the_weighted_sum_of_the_neighbours() {
        let picture = pattern(9, 7);
        let mut blurred = Tensor::zeros(picture.shape);
        for sigma in [0.5, 1.3, 3.0] {
            blur(&context(), &picture, sigma, &mut blurred);
            let weights = kernel(sigma);
            let radius = weights.len() as isize - 1;
            let weight = |k: isize| weights[k.unsigned_abs()];
            for y in 0..9 {
                for x in 0..7 {
                    let mut sum = 0.0;
                    for i in -radius..=radius {
                        for j in -radius..=radius {
                            let row = mirrored(y as isize + i, 9);
                            let column = mirrored(x as isize + j, 7);
                            sum += weight(i) * weight(j) * rows::row(&picture, 2, row)[column];
                        }
                    }
                    assert!((rows::row(&blurred, 2, y)[x] - sum).abs() < 1e-3);
                }
            }
        }
    }

    /// A wide blur over colours leaves grey.
    #[test]
    fn smoothing_draws_colours_together() {
        let shares = |sigma| across_channels(&kernel(sigma));
        for sigma in [0.5, 4.0, 8.0] {
            for row in shares(sigma).chunks(3) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            }
        }
        assert!(shares(8.0).iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-3));
        assert!(shares(0.25)[4] > 0.99);
    }
}
