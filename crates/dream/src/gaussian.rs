//! Gaussian blur of pictures and gradients, as SciPy's `gaussian_filter` has it: cut off at four
//! standard deviations, mirrored at the borders so that the border value itself is repeated.

use kernels::Threads;
use net::Tensor;

use crate::rows;

/// The widths Hvass' notebook adds up, as multiples of the first.
const WIDTHS: [f32; 3] = [1.0, 2.0, 0.5];

/// The weights from −radius to radius; their sum is 1. `sigma` in pixels, above 0.
fn kernel(sigma: f32) -> Vec<f32> {
    let sigma = f64::from(sigma);
    let radius = (4.0 * sigma + 0.5) as i64;
    let weights: Vec<f64> =
        (-radius..=radius).map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// Where position `index` of an axis of `side` values lies once mirrored into it.
fn mirrored(index: i64, side: usize) -> usize {
    let side = side as i64;
    if (0..side).contains(&index) {
        return index as usize;
    }
    let index = index.rem_euclid(2 * side);
    index.min(2 * side - 1 - index) as usize
}

/// `out[x] = Σ weights[k] · row(k)[x]`; several rows in one pass, so that `out` is seldom read again.
fn weigh<'a>(weights: &[f32], row: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
    const ROWS: usize = 8;
    let width = out.len();
    out.fill(0.0);
    let (groups, rest) = weights.as_chunks::<ROWS>();
    for (group, weights) in groups.iter().enumerate() {
        let rows: [&[f32]; ROWS] = std::array::from_fn(|k| &row(ROWS * group + k)[..width]);
        for (x, out) in out.iter_mut().enumerate() {
            let mut sum = 0.0;
            for k in 0..ROWS {
                sum += weights[k] * rows[k][x];
            }
            *out += sum;
        }
    }
    for (k, weight) in rest.iter().enumerate() {
        for (out, x) in out.iter_mut().zip(row(ROWS * groups.len() + k)) {
            *out += weight * x;
        }
    }
}

/// Writes `source`, blurred along rows and columns, to `target` of the same shape.
pub(crate) fn blur(threads: &Threads, source: &Tensor, sigma: f32, target: &mut Tensor) {
    let weights = kernel(sigma);
    let radius = weights.len() / 2;
    let (height, width) = (source.shape.height, source.shape.width);
    rows::for_each_with(threads, target, width + 2 * radius, |c, y, row, padded| {
        let (edge, inner) = (radius, radius + width);
        let above = |k| {
            let from = mirrored(y as i64 + k as i64 - radius as i64, height);
            rows::row(source, c, from)
        };
        weigh(&weights, above, &mut padded[edge..inner]);
        for x in 0..radius {
            padded[x] = padded[edge + mirrored(x as i64 - radius as i64, width)];
            padded[inner + x] = padded[edge + mirrored((width + x) as i64, width)];
        }
        weigh(&weights, |k| &padded[k..], row);
    });
}

/// The same blur across three channels: how much of each channel another gets.
fn across_channels(sigma: f32) -> [[f32; 3]; 3] {
    let weights = kernel(sigma);
    let radius = (weights.len() / 2) as i64;
    let mut mix = [[0.0; 3]; 3];
    for (to, row) in mix.iter_mut().enumerate() {
        for (k, weight) in weights.iter().enumerate() {
            row[mirrored(to as i64 + k as i64 - radius, 3)] += weight;
        }
    }
    mix
}

/// Hvass' smoothing: writes the sum of `gradient` blurred over columns, rows and colours by `sigma`,
/// twice and half of it to `sum`, which draws the gradient to grey. `blurred` is memory to work in.
pub(crate) fn smooth(
    threads: &Threads,
    gradient: &Tensor,
    sigma: f32,
    blurred: &mut Tensor,
    sum: &mut Tensor,
) {
    for (pass, width) in WIDTHS.into_iter().enumerate() {
        blur(threads, gradient, width * sigma, blurred);
        let mix = across_channels(width * sigma);
        let blurred = &*blurred;
        rows::for_each(threads, sum, |c, y, row| {
            if pass == 0 {
                row.fill(0.0);
            }
            let [red, green, blue] = [0, 1, 2].map(|from| rows::row(blurred, from, y));
            for (x, out) in row.iter_mut().enumerate() {
                *out += mix[c][0] * red[x] + mix[c][1] * green[x] + mix[c][2] * blue[x];
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pattern, threads};

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
    fn borders_are_mirrored_with_the_border_repeated() {
        let seen: Vec<usize> = (-5..7).map(|index| mirrored(index, 3)).collect();
        assert_eq!(seen, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
    }

    #[test]
    fn blur_is_the_weighted_sum_of_the_neighbours() {
        let picture = pattern(9, 7);
        let mut blurred = Tensor::zeros(picture.shape);
        for sigma in [0.5, 1.3, 3.0] {
            blur(&threads(), &picture, sigma, &mut blurred);
            let weights = kernel(sigma);
            let radius = (weights.len() / 2) as i64;
            for y in 0..9 {
                for x in 0..7 {
                    let mut sum = 0.0;
                    for (i, across) in weights.iter().enumerate() {
                        for (j, along) in weights.iter().enumerate() {
                            let row = mirrored(y as i64 + i as i64 - radius, 9);
                            let column = mirrored(x as i64 + j as i64 - radius, 7);
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
        for sigma in [0.5, 4.0, 8.0] {
            for row in across_channels(sigma) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            }
        }
        for row in across_channels(8.0) {
            assert!(row.iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-3));
        }
        assert!(across_channels(0.25)[1][1] > 0.99);
    }
}
