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
    let index = index.rem_euclid(2 * side);
    index.min(2 * side - 1 - index) as usize
}

/// Writes `source`, blurred along rows and columns, to `target` of the same shape.
pub(crate) fn blur(threads: &Threads, source: &Tensor, sigma: f32, target: &mut Tensor) {
    let weights = kernel(sigma);
    let radius = weights.len() / 2;
    let (height, width) = (source.shape.height, source.shape.width);
    rows::for_each_with(threads, target, width + 2 * radius, |c, y, row, sums| {
        let (edge, inner) = (radius, radius + width);
        sums[edge..inner].fill(0.0);
        for (k, weight) in weights.iter().enumerate() {
            let from = mirrored(y as i64 + k as i64 - radius as i64, height);
            for (sum, x) in sums[edge..inner].iter_mut().zip(rows::row(source, c, from)) {
                *sum += weight * x;
            }
        }
        for x in 0..radius {
            sums[x] = sums[edge + mirrored(x as i64 - radius as i64, width)];
            sums[inner + x] = sums[edge + mirrored((width + x) as i64, width)];
        }
        row.fill(0.0);
        for (k, weight) in weights.iter().enumerate() {
            for (out, sum) in row.iter_mut().zip(&sums[k..]) {
                *out += weight * sum;
            }
        }
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
