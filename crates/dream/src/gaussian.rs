//! Gaussian blur of pictures and gradients, as SciPy's `gaussian_filter` has it: cut off at four
//! standard deviations, mirrored at the borders so that the border value itself is repeated.

use kernels::Context;
use kernels::blur::{Blur, mirrored};
use net::{Shape, Tensor};

/// The widths Hvass' notebook adds up, as multiples of the first.
const WIDTHS: [f32; 3] = [1.0, 2.0, 0.5];

/// Makes `weights` those from −radius to radius; their sum is 1. `sigma` in pixels, above 0.
fn kernel(sigma: f32, weights: &mut Vec<f32>) {
    let sigma = f64::from(sigma);
    let radius = (4.0 * sigma + 0.5) as i64;
    let exact = || (-radius..=radius).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp());
    let sum: f64 = exact().sum();
    weights.clear();
    weights.extend(exact().map(|weight| (weight / sum) as f32));
}

/// Writes `source`, blurred along rows and columns, to `target` of the same shape.
pub(crate) fn blur(cx: &Context, source: &Tensor, sigma: f32, target: &mut Tensor) {
    let mut weights = Vec::new();
    kernel(sigma, &mut weights);
    let channels = source.shape.channels;
    let own = |at: usize| f32::from(u8::from(at / channels == at % channels));
    let mix: Vec<f32> = (0..channels * channels).map(own).collect();
    sum(cx, &[Blur { weights: &weights, mix: &mix }], source, target);
}

fn sum(cx: &Context, blurs: &[Blur<'_>], source: &Tensor, target: &mut Tensor) {
    assert_eq!(source.shape, target.shape, "blurring keeps the shape");
    let Shape { channels, height, width } = source.shape;
    kernels::blur::blur(cx, blurs, [channels, height, width], &source.data, &mut target.data);
}

/// The same blur across three channels: how much each gets of each, `[to][from]`.
fn across_channels(weights: &[f32]) -> [f32; 9] {
    let radius = (weights.len() / 2) as isize;
    let mut mix = [0.0; 9];
    for to in 0..3 {
        for (k, weight) in weights.iter().enumerate() {
            mix[3 * to + mirrored(to as isize + k as isize - radius, 3)] += weight;
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
}

impl Smoothing {
    /// Writes `gradient`, blurred by `sigma`, twice and half of it, to `smoothed`.
    pub(crate) fn apply(
        &mut self,
        cx: &Context,
        gradient: &Tensor,
        sigma: f32,
        smoothed: &mut Tensor,
    ) {
        if self.sigma != sigma {
            self.sigma = sigma;
            for (width, (weights, mix)) in WIDTHS.into_iter().zip(&mut self.blurs) {
                kernel(width * sigma, weights);
                *mix = across_channels(weights);
            }
        }
        let blurs = self.blurs.each_ref().map(|(weights, mix)| Blur { weights, mix });
        sum(cx, &blurs, gradient, smoothed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;
    use crate::testing::{context, pattern};

    fn kernel(sigma: f32) -> Vec<f32> {
        let mut weights = Vec::new();
        super::kernel(sigma, &mut weights);
        weights
    }

    #[test]
    fn kernels_are_normalised_symmetric_and_as_wide_as_asked() {
        for sigma in [0.25, 0.5, 1.0, 4.1, 8.2] {
            let weights = kernel(sigma);
            let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            assert!((sum - 1.0).abs() < 1e-6);
            assert!(weights.iter().eq(weights.iter().rev()));
            let radius = (weights.len() / 2) as f64;
            let variance: f64 = weights
                .iter()
                .enumerate()
                .map(|(k, weight)| f64::from(*weight) * (k as f64 - radius).powi(2))
                .sum();
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
            let radius = (weights.len() / 2) as isize;
            for y in 0..9 {
                for x in 0..7 {
                    let mut sum = 0.0;
                    for (i, across) in weights.iter().enumerate() {
                        for (j, along) in weights.iter().enumerate() {
                            let row = mirrored(y as isize + i as isize - radius, 9);
                            let column = mirrored(x as isize + j as isize - radius, 7);
                            sum += across * along * rows::row(&picture, 2, row)[column];
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
