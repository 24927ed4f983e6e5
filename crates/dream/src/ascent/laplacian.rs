//! Laplacian pyramid normalisation: a gradient's coarse and fine parts are brought to one strength, so
//! that a dream grows in all sizes at once and no single one becomes noise.
//!
//! As TensorFlow's DeepDream notebook does it: the kernel is the outer product of [1, 4, 6, 4, 1] with
//! itself / 256, halving is its convolution with stride 2 and `SAME` padding of zeros, and doubling is
//! four times that convolution's transpose.

use graph::{Shape, Storage, Tensor};
use kernels::Threads;

use crate::image::{area, rows};
use crate::regions::Mask;

/// The kernel along one axis.
const KERNEL: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// The RMS below which a level counts as empty and is not made stronger.
const LEAST_RMS: f64 = 1e-10;

/// The RMS of all levels below which no step shows, since none of them is made stronger.
const LEAST_SEEN: f64 = 1e-4 * LEAST_RMS;

/// The coarser levels of a picture's pyramid; the finest stands in the picture itself.
pub(crate) struct Pyramid {
    levels: Vec<Tensor>,
    /// Where each level counts, finest first, where that is not everywhere.
    masks: Vec<Mask>,
    /// What each level is multiplied with, finest first.
    scales: Vec<f32>,
    partial: Vec<[f64; 1]>,
}

impl Pyramid {
    /// Memory for pictures of `shape`, halved `levels` times, that count within a mask if there is one.
    pub(crate) fn new(
        (storage, shape): (&Storage, Shape),
        levels: u32,
        mask: Option<&Mask>,
    ) -> Self {
        let half = |shape: &Shape| {
            Shape::new(shape.channels, shape.height.div_ceil(2), shape.width.div_ceil(2))
        };
        let shapes = std::iter::successors(Some(half(&shape)), |shape| Some(half(shape)));
        let levels: Vec<Tensor> =
            shapes.take(levels as usize).map(|shape| Tensor::zeros_in(storage, shape)).collect();
        let smaller = |mask: &Mask| {
            let sizes = levels.iter().map(|level| level.shape.size());
            let halved = sizes.map(|size| Mask::new(area::averaged(&mask.map, size)));
            std::iter::once(mask.clone()).chain(halved).collect()
        };
        let masks = mask.map(smaller).unwrap_or_default();
        Self { levels, masks, scales: Vec::new(), partial: Vec::new() }
    }

    /// Divides each level of the pyramid of `picture` by its root mean square. Returns the largest of
    /// these: 0 if it is too small for any level to be seen, NaN if some of them are not finite.
    pub(crate) fn normalise(&mut self, threads: &Threads, picture: &mut Tensor) -> f64 {
        self.split(threads, picture);
        let (mut largest, mut finite) = (0.0f64, true);
        let mut scale = |(index, level): (usize, &Tensor)| {
            let square = |x: f32| f64::from(x) * f64::from(x);
            let mean = match self.masks.get(index) {
                None => {
                    let partial = &mut self.partial;
                    let [sum] = rows::sums(threads, &level.data, partial, |x| [square(x)]);
                    sum / level.data.len() as f64
                }
                Some(Mask { map, sum: weight }) => {
                    let of = |x: f32, weight: f32| [f64::from(weight) * square(x)];
                    let [sum] = rows::weighted_sums(threads, level, map, &mut self.partial, of);
                    sum / (level.shape.channels as f64 * weight)
                }
            };
            let rms = mean.sqrt();
            (largest, finite) = (largest.max(rms), finite && rms.is_finite());
            (1.0 / rms.max(LEAST_RMS)) as f32
        };
        let mut scales = std::mem::take(&mut self.scales);
        scales.clear();
        let all = std::iter::once(&*picture).chain(&self.levels);
        scales.extend(all.enumerate().map(&mut scale));
        self.merge(threads, picture, &scales);
        self.scales = scales;
        match largest {
            _ if !finite => f64::NAN,
            small if small < LEAST_SEEN => 0.0,
            seen => seen,
        }
    }

    /// Leaves in `picture` and in each level but the last what the next coarser one does not have.
    fn split(&mut self, threads: &Threads, picture: &mut Tensor) {
        let mut fine = picture;
        for coarse in &mut self.levels {
            halve(threads, fine, coarse);
            add_doubled(threads, coarse, fine, (1.0, -1.0));
            fine = coarse;
        }
    }

    /// Adds everything up again, each level times its scale, finest first.
    fn merge(&mut self, threads: &Threads, picture: &mut Tensor, scales: &[f32]) {
        let mut coarse_scale = scales[self.levels.len()];
        for level in (0..self.levels.len()).rev() {
            let (finer, coarser) = self.levels.split_at_mut(level);
            let fine = finer.last_mut().unwrap_or(&mut *picture);
            add_doubled(threads, &coarser[0], fine, (scales[level], coarse_scale));
            coarse_scale = 1.0;
        }
    }
}

/// Padding before the first value when an axis of `side` values is halved.
fn before(side: usize) -> usize {
    if side.is_multiple_of(2) { 1 } else { 2 }
}

/// Writes the sum of `weight · row` over the rows of channel `c` to the inner part of `sum`, between
/// two zeros before it and three after it.
fn weigh_rows(
    taps: impl Iterator<Item = (f32, usize)>,
    (tensor, c): (&Tensor, usize),
    sum: &mut [f32],
) {
    sum.fill(0.0);
    for (weight, y) in taps {
        for (sum, x) in sum[2..].iter_mut().zip(rows::row(tensor, c, y)) {
            *sum += weight * x;
        }
    }
}

/// Zeros around a row that [`weigh_rows`] writes.
const AROUND: usize = 5;

fn halve(threads: &Threads, fine: &Tensor, coarse: &mut Tensor) {
    let (height, width) = (fine.shape.height, fine.shape.width);
    rows::for_each_with(threads, coarse, width + AROUND, |c, y, row, sum| {
        let taps = KERNEL.iter().enumerate().filter_map(|(k, &weight)| {
            let from = (2 * y + k).checked_sub(before(height))?;
            (from < height).then_some((weight, from))
        });
        weigh_rows(taps, (fine, c), sum);
        for (x, out) in row.iter_mut().enumerate() {
            let seen = &sum[2 * x + 2 - before(width)..][..KERNEL.len()];
            *out = KERNEL.iter().zip(seen).map(|(weight, x)| weight * x).sum();
        }
    });
}

/// `fine = own · fine + added · doubled(coarse)`.
fn add_doubled(threads: &Threads, coarse: &Tensor, fine: &mut Tensor, (own, added): (f32, f32)) {
    let (height, width) = (fine.shape.height, fine.shape.width);
    rows::for_each_with(threads, fine, coarse.shape.width + AROUND, |c, y, row, sum| {
        let taps = KERNEL.iter().enumerate().filter_map(|(k, &weight)| {
            let twice = (y + before(height)).checked_sub(k)?;
            let from = twice / 2;
            let exists = twice.is_multiple_of(2) && from < coarse.shape.height;
            exists.then_some((2.0 * weight, from))
        });
        weigh_rows(taps, (coarse, c), sum);
        // Of each pair of columns, one lies on a coarse column and one between two.
        let on = |[a, b, c]: [f32; 3]| 2.0 * (KERNEL[0] * (a + c) + KERNEL[2] * b);
        let between = |a, b| 2.0 * KERNEL[1] * (a + b);
        for (pair, near) in row.chunks_mut(2).zip(sum[1..].array_windows::<3>()) {
            let [a, b, c] = *near;
            let doubled = if before(width) == 1 {
                [between(a, b), on(*near)]
            } else {
                [on(*near), between(b, c)]
            };
            for (out, doubled) in pair.iter_mut().zip(doubled) {
                *out = own * *out + added * doubled;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pattern, threads};

    #[test]
    fn splitting_and_merging_gives_the_picture_back() {
        for (height, width, levels) in [(32, 48, 4), (37, 29, 4), (5, 1, 3), (1, 1, 2)] {
            let picture = pattern(height, width);
            let mut copy = picture.clone();
            let mut pyramid = Pyramid::new((picture.storage(), picture.shape), levels, None);
            pyramid.split(&threads(), &mut copy);
            pyramid.merge(&threads(), &mut copy, &vec![1.0; levels as usize + 1]);
            for (x, y) in copy.data.iter().zip(&picture.data) {
                assert!((x - y).abs() < 1e-3, "{height}×{width}: {x} for {y}");
            }
        }
    }

    #[test]
    fn halving_is_the_strided_convolution() {
        for (height, width) in [(6, 8), (7, 5)] {
            let picture = pattern(height, width);
            let mut half =
                Pyramid::new((picture.storage(), picture.shape), 1, None).levels.remove(0);
            halve(&threads(), &picture, &mut half);
            for y in 0..half.shape.height {
                for x in 0..half.shape.width {
                    let mut sum = 0.0;
                    for i in 0..5 {
                        for j in 0..5 {
                            let row = (2 * y + i).wrapping_sub(before(height));
                            let column = (2 * x + j).wrapping_sub(before(width));
                            if row < height && column < width {
                                sum += KERNEL[i] * KERNEL[j] * rows::row(&picture, 1, row)[column];
                            }
                        }
                    }
                    assert!((rows::row(&half, 1, y)[x] - sum).abs() < 1e-3);
                }
            }
        }
    }

    /// ⟨halve(a), b⟩ = ⟨a, doubled(b)⟩ / 4: doubling is four times the transpose.
    #[test]
    fn doubling_is_four_times_the_transpose_of_halving() {
        let dot = |a: &Tensor, b: &Tensor| -> f64 {
            a.data.iter().zip(&b.data).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        for (height, width) in [(16, 10), (9, 13)] {
            let a = pattern(height, width);
            let b = pattern(height.div_ceil(2), width.div_ceil(2));
            let mut halved = Tensor::zeros(b.shape);
            halve(&threads(), &a, &mut halved);
            let mut doubled = Tensor::zeros(a.shape);
            add_doubled(&threads(), &b, &mut doubled, (0.0, 1.0));
            let (left, right) = (4.0 * dot(&halved, &b), dot(&a, &doubled));
            assert!((left - right).abs() < 1e-5 * right.abs(), "{left} and {right}");
        }
    }

    #[test]
    fn each_level_is_divided_by_its_rms() {
        let picture = pattern(40, 56);
        let mut parts = picture.clone();
        let mut pyramid = Pyramid::new((picture.storage(), picture.shape), 2, None);
        pyramid.split(&threads(), &mut parts);
        // What the pyramid of three parts, each of RMS 1, adds up to.
        let scaled = |level: &Tensor| {
            let squares: f64 = level.data.iter().map(|x| f64::from(*x).powi(2)).sum();
            let rms = (squares / level.data.len() as f64).sqrt();
            let data = level.data.iter().map(|x| (f64::from(*x) / rms) as f32).collect();
            Tensor { shape: level.shape, data }
        };
        let [fine, middle, coarse] = [&parts, &pyramid.levels[0], &pyramid.levels[1]].map(scaled);
        let mut sum = middle;
        add_doubled(&threads(), &coarse, &mut sum, (1.0, 1.0));
        let mut expected = fine;
        add_doubled(&threads(), &sum, &mut expected, (1.0, 1.0));

        let mut normalised = picture.clone();
        pyramid.normalise(&threads(), &mut normalised);
        for (x, y) in normalised.data.iter().zip(&expected.data) {
            assert!((x - y).abs() < 1e-4, "{x} for {y}");
        }
    }
}
