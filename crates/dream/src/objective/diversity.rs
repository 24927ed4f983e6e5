//! What keeps pictures that are dreamt together apart: how alike the layer's channels go together in each.
//!
//! With `T` a picture's values at the layer, a column for each position, `G = T Tᵀ` says which channels are on
//! at the same places, wherever those are, and `Ĝ = G / ‖G‖`. Of `B` pictures the diversity is
//! `−(1/B) Σ_{i≠j} ⟨Ĝ_i, Ĝ_j⟩`. Its gradient at a picture's values is `2 (A − ⟨A, Ĝ⟩ Ĝ) T / ‖G‖`, where
//! `A_i = −(2/B) Σ_{j≠i} Ĝ_j`. (Lucid's objective of that name; Olah et al., "Feature Visualization", 2017.)

use graph::{Shape, Tensor};
use kernels::Threads;

use crate::parallel;

/// How many products are summed side by side.
const LANES: usize = 16;

/// Rows of a matrix that are handed out at once, at the least.
const ROWS: usize = 4;

/// How channels go together in each of some pictures, and in all of them.
pub(crate) struct Diversity {
    channels: usize,
    pictures: Vec<Together>,
    /// `Σ Ĝ`.
    sum: Vec<f32>,
    /// Memory to work in.
    partial: Vec<f64>,
}

/// How channels go together in one picture.
struct Together {
    /// `Ĝ`: as many rows as there are channels, each with a value for every channel. All of it is 0 where the
    /// layer is, or what it has is no number.
    matrix: Vec<f32>,
    /// `‖G‖`.
    norm: f64,
}

impl Diversity {
    /// For so many pictures, at a layer of so many channels.
    pub(crate) fn new(pictures: usize, channels: usize) -> Self {
        let zeros = || vec![0.0; channels * channels];
        Self {
            channels,
            pictures: (0..pictures).map(|_| Together { matrix: zeros(), norm: 0.0 }).collect(),
            sum: zeros(),
            partial: Vec::with_capacity(channels),
        }
    }

    /// Bytes for so many pictures at a layer of `shape`, with its values and their gradient.
    pub(crate) fn bytes(pictures: u64, shape: Shape) -> u64 {
        let square = (shape.channels as u64).saturating_pow(2);
        let values = square.saturating_mul(pictures + 1).saturating_add(2 * shape.len() as u64);
        values.saturating_mul(size_of::<f32>() as u64)
    }

    /// Takes a picture's values at the layer.
    pub(crate) fn note(&mut self, threads: &Threads, picture: usize, values: &Tensor) {
        let Self { channels, pictures, partial, .. } = self;
        let (channels, Together { matrix, norm }) = (*channels, &mut pictures[picture]);
        threads.install(|| {
            parallel::chunks_mut(matrix, channels, ROWS, |channel, row| {
                let own = values.channel(channel);
                for (other, product) in row.iter_mut().enumerate().take(channel + 1) {
                    *product = dot(own, values.channel(other));
                }
            });
        });
        for channel in 1..channels {
            for other in 0..channel {
                matrix[other * channels + channel] = matrix[channel * channels + other];
            }
        }
        let matrix = &mut matrix[..];
        *norm = product(threads, channels, partial, matrix, matrix).sqrt();
        if !norm.is_normal() {
            matrix.fill(0.0);
            *norm = 0.0;
            return;
        }
        let scale = 1.0 / *norm;
        threads.install(|| {
            parallel::chunks_mut(matrix, channels, ROWS, |_, row| {
                row.iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
            });
        });
    }

    /// Puts what was taken of all pictures together.
    pub(crate) fn gather(&mut self, threads: &Threads) {
        let Self { channels, pictures, sum, .. } = self;
        threads.install(|| {
            parallel::chunks_mut(sum, *channels, ROWS, |channel, sum| {
                sum.fill(0.0);
                for Together { matrix, .. } in &*pictures {
                    let row = &matrix[channel * *channels..][..*channels];
                    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
                }
            });
        });
    }

    /// Writes the diversity's gradient at a picture's values, which [`Self::note`] has been given and
    /// [`Self::gather`] has put together with the others', to `seed`.
    pub(crate) fn gradient(
        &mut self,
        threads: &Threads,
        picture: usize,
        values: &Tensor,
        seed: &mut Tensor,
    ) {
        let Self { channels, pictures, sum, partial } = self;
        let (channels, share) = (*channels, -2.0 / pictures.len() as f64);
        let Together { matrix, norm } = &pictures[picture];
        let own = product(threads, channels, partial, matrix, matrix);
        let along = share * (product(threads, channels, partial, sum, matrix) - own);
        let scale = if *norm == 0.0 { 0.0 } else { 2.0 / *norm };
        let (of_sum, of_own) = ((scale * share) as f32, (scale * (share + along)) as f32);
        let plane = values.shape.plane();
        threads.install(|| {
            parallel::chunks_mut(&mut seed.data, plane, ROWS, |channel, seed| {
                seed.fill(0.0);
                let [sum, own] = [&sum[..], matrix].map(|all| &all[channel * channels..]);
                for other in 0..channels {
                    let factor = of_sum * sum[other] - of_own * own[other];
                    let values = values.channel(other);
                    seed.iter_mut().zip(values).for_each(|(seed, x)| *seed += factor * x);
                }
            });
        });
    }
}

/// The sum of the products of two matrices' values; `partial` is memory to work in.
fn product(
    threads: &Threads,
    channels: usize,
    partial: &mut Vec<f64>,
    one: &[f32],
    other: &[f32],
) -> f64 {
    threads.install(|| {
        parallel::map_into(channels, partial, |channel| {
            let rows = [one, other].map(|all| &all[channel * channels..][..channels]);
            rows[0].iter().zip(rows[1]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        });
    });
    partial.iter().sum()
}

/// The dot product of two rows.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (a, b) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b);
    let rest: f32 = rest.sum();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::threads;

    /// Values of a layer that are on here and there.
    fn values(number: usize, shape: Shape) -> Tensor {
        let value = |at: usize| ((at * (7 + number)) as f32 * 0.37 + number as f32).sin().max(0.0);
        Tensor { data: (0..shape.len()).map(value).collect(), shape }
    }

    fn of(layers: &[Tensor]) -> Diversity {
        let mut diversity = Diversity::new(layers.len(), layers[0].shape.channels);
        for (picture, values) in layers.iter().enumerate() {
            diversity.note(&threads(), picture, values);
        }
        diversity.gather(&threads());
        diversity
    }

    /// The diversity by its definition.
    fn by_definition(layers: &[Tensor]) -> f64 {
        let matrix = |values: &Tensor| {
            let channels = values.shape.channels;
            let product = |c: usize, d: usize| -> f64 {
                let pairs = values.channel(c).iter().zip(values.channel(d));
                pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let pairs = (0..channels).flat_map(|c| (0..channels).map(move |d| (c, d)));
            let all: Vec<f64> = pairs.map(|(c, d)| product(c, d)).collect();
            let norm = all.iter().map(|x| x * x).sum::<f64>().sqrt();
            all.into_iter().map(|x| x / norm).collect::<Vec<f64>>()
        };
        let all: Vec<Vec<f64>> = layers.iter().map(matrix).collect();
        let mut sum = 0.0;
        for (i, one) in all.iter().enumerate() {
            for other in all.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| other) {
                sum += one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            }
        }
        -sum / layers.len() as f64
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_diversity() {
        let shape = Shape::new(5, 3, 7);
        let mut layers: Vec<Tensor> = (0..4).map(|number| values(number, shape)).collect();
        let mut diversity = of(&layers);
        for picture in 0..layers.len() {
            let mut seed = Tensor::zeros(shape);
            diversity.gradient(&threads(), picture, &layers[picture], &mut seed);
            for at in [0, 20, 33, 104] {
                let (value, step) = (layers[picture].data[at], 1e-2);
                let mut at_value = |x: f32| {
                    layers[picture].data[at] = x;
                    by_definition(&layers)
                };
                let slope =
                    (at_value(value + step) - at_value(value - step)) / f64::from(2.0 * step);
                at_value(value);
                let found = f64::from(seed.data[at]);
                assert!((found - slope).abs() < 1e-4 * (0.1 + slope.abs()), "{found} for {slope}");
            }
        }
    }

    #[test]
    fn what_is_nothing_or_the_same_everywhere_has_nowhere_to_go() {
        let shape = Shape::new(3, 4, 4);
        let mut seed = values(1, shape);
        let black = Tensor::zeros(shape);
        of(&[black.clone(), values(2, shape)]).gradient(&threads(), 0, &black, &mut seed);
        assert!(seed.data.iter().all(|x| *x == 0.0));
        // Pictures that are alike are as alike as can be: no direction makes them less so at first.
        let same = values(2, shape);
        of(&[same.clone(), same.clone()]).gradient(&threads(), 1, &same, &mut seed);
        assert!(seed.data.iter().all(|x| x.abs() < 1e-6));
    }
}
