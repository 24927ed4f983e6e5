//! Normalisation over groups of channels and all pixels.

use std::ops::Range;

use crate::elementwise::affine_forward;
use crate::rows::{RowKernel, Sink, Source, TASK_BYTES, of_block, run_rows};
use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::threads::part;
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16};

/// What a normalisation knows of its channels.
#[derive(Clone, Copy)]
pub struct GroupNorm<'a> {
    /// Into how many groups they are divided, one after the other.
    pub groups: usize,
    /// The slot of each channel.
    pub slots: &'a [usize],
    /// For each block the factors of its channels, 0 in slots that hold none.
    pub scale: &'a [Vec16],
    /// For each block what is added to its channels, likewise.
    pub shift: &'a [Vec16],
    /// What keeps the root away from 0.
    pub epsilon: f32,
}

impl GroupNorm<'_> {
    fn check(&self, blocks: usize) {
        assert_eq!([self.scale.len(), self.shift.len()], [blocks; 2], "one vector for each block");
        let divides = self.groups > 0 && self.slots.len().is_multiple_of(self.groups);
        assert!(divides, "the groups do not divide the channels");
        assert!(self.slots.iter().all(|&slot| slot < 16 * blocks), "no such slot");
    }

    /// The slots of each group.
    fn groups(&self) -> impl Iterator<Item = &[usize]> {
        self.slots.chunks((self.slots.len() / self.groups).max(1))
    }

    /// Puts the mean of each group, over `pixels` pixels, where the sums of its channels are.
    fn means(&self, sums: &mut [Vec16], pixels: usize) {
        for group in self.groups() {
            let sum: f64 = group.iter().map(|slot| f64::from(sums[slot / 16].0[slot % 16])).sum();
            let mean = (sum / (group.len() * pixels) as f64) as f32;
            group.iter().for_each(|slot| sums[slot / 16].0[slot % 16] = mean);
        }
    }

    /// For each slot the mean of its group, and one over the standard deviation.
    fn statistics(
        &self,
        cx: &Context,
        x: MapRef<'_>,
        parts: &mut [Vec16],
        means: &mut [Vec16],
        deviations: &mut [Vec16],
    ) {
        let pixels = x.map().height() * x.map().width();
        channel_sums(cx, Source::new(x), Sum, parts, means);
        self.means(means, pixels);
        channel_sums(cx, Source::new(x), Squares { means }, parts, deviations);
        self.means(deviations, pixels);
        for deviation in deviations.iter_mut().flat_map(|vector| &mut vector.0) {
            *deviation = 1.0 / (*deviation + self.epsilon).sqrt();
        }
    }
}

/// Vectors that [`backward`] works in, which takes more of them than [`forward`].
fn scratch_vectors(map: &BlockedMap) -> usize {
    (7 + bands(map)) * map.blocks()
}

/// Bytes that the thread that calls works in, at the most.
pub fn call_bytes(map: &BlockedMap) -> u64 {
    (scratch_vectors(map) * size_of::<Vec16>()) as u64
}

/// `y` = `scale` · (`x` − mean) / √(variance + ε) + `shift`, with mean and variance over the channels of a
/// group and all pixels.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn forward(cx: &Context, norm: &GroupNorm<'_>, x: MapRef<'_>, y: MapMut<'_>) {
    let blocks = x.map().blocks();
    norm.check(blocks);
    let bands = bands(x.map());
    let mut scratch = Scratch::new((2 + bands) * blocks);
    let vectors = scratch.as_mut_slice((2 + bands) * blocks);
    let (means, rest) = vectors.split_at_mut(blocks);
    let (deviations, parts) = rest.split_at_mut(blocks);
    norm.statistics(cx, x, parts, means, deviations);
    for block in 0..blocks {
        for lane in 0..16 {
            let scale = norm.scale[block].0[lane];
            // Without an epsilon, slots that hold no channel have an infinite one over their deviation.
            let scale = if scale == 0.0 { 0.0 } else { scale * deviations[block].0[lane] };
            let shift = norm.shift[block].0[lane] - scale * means[block].0[lane];
            deviations[block].0[lane] = scale;
            means[block].0[lane] = shift;
        }
    }
    affine_forward(cx, deviations, means, x, y);
}

/// The gradient of [`forward`].
///
/// With g = scale · dy and n = the normalised value, it is (g − mean(g) − n · mean(g · n)) / deviation: for
/// each slot a sum of dy, x and 1 with factors.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn backward(
    cx: &Context,
    norm: &GroupNorm<'_>,
    x: MapRef<'_>,
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    x.map().assert_same_extent(dx.map());
    dy.map().assert_same_extent(dx.map());
    let blocks = x.map().blocks();
    norm.check(blocks);
    let count = scratch_vectors(x.map());
    let mut scratch = Scratch::new(count);
    let (factors, mut rest) = scratch.as_mut_slice(count).split_at_mut(3 * blocks);
    let [means, deviations, sums, products] = std::array::from_fn(|_| {
        let (part, others) = std::mem::take(&mut rest).split_at_mut(blocks);
        rest = others;
        part
    });
    let parts = rest;
    norm.statistics(cx, x, parts, means, deviations);
    let pixels = x.map().height() * x.map().width();
    let (x, dy) = (Source::new(x), Source::new(dy));
    channel_sums(cx, dy, Sum, parts, sums);
    channel_sums(cx, x, Products { dy, means, deviations }, parts, products);
    for vectors in [&mut *sums, &mut *products] {
        for (vector, scale) in vectors.iter_mut().zip(norm.scale) {
            vector.0.iter_mut().zip(scale.0).for_each(|(sum, scale)| *sum *= scale);
        }
        norm.means(vectors, pixels);
    }
    // The three factors of each slot, 0 in those that hold no channel.
    factors.fill(Vec16::default());
    for &slot in norm.slots {
        let (block, lane) = (slot / 16, slot % 16);
        let (mean, inverse) = (means[block].0[lane], deviations[block].0[lane]);
        let products_of = products[block].0[lane] * inverse * inverse;
        let shift = mean * products_of - sums[block].0[lane] * inverse;
        factors[3 * block].0[lane] = inverse * norm.scale[block].0[lane];
        factors[3 * block + 1].0[lane] = -products_of;
        factors[3 * block + 2].0[lane] = shift;
    }
    let (height, row_bytes) = (x.map.height(), 3 * x.row_bytes());
    let kernel = Combined { factors, x, dy, dx: Sink::new(dx) };
    // SAFETY: each row is made from the inputs alone.
    unsafe { run_rows(cx, blocks, height, row_bytes, &kernel) }
}

/// What is summed up for each channel.
///
/// # Safety
/// The function wants a processor that has the level, and a place of the maps.
trait Summand: Sync {
    unsafe fn of<S: Simd>(&self, block: usize, row: usize, column: usize, x: S::V) -> S::V;
}

struct Sum;

impl Summand for Sum {
    #[inline(always)]
    unsafe fn of<S: Simd>(&self, _: usize, _: usize, _: usize, x: S::V) -> S::V {
        x
    }
}

/// Squares of the distance to the mean.
struct Squares<'a> {
    means: &'a [Vec16],
}

impl Summand for Squares<'_> {
    #[inline(always)]
    unsafe fn of<S: Simd>(&self, block: usize, _: usize, _: usize, x: S::V) -> S::V {
        // SAFETY: there is a vector for each block.
        unsafe {
            let off = S::sub(x, of_block::<S>(self.means, block));
            S::mul(off, off)
        }
    }
}

/// Products of the normalised value and the gradient.
struct Products<'a> {
    dy: Source<'a>,
    means: &'a [Vec16],
    deviations: &'a [Vec16],
}

impl Summand for Products<'_> {
    #[inline(always)]
    unsafe fn of<S: Simd>(&self, block: usize, row: usize, column: usize, x: S::V) -> S::V {
        // SAFETY: there is a vector for each block, and the place lies in the maps.
        unsafe {
            let off = S::sub(x, of_block::<S>(self.means, block));
            let normal = S::mul(off, of_block::<S>(self.deviations, block));
            S::mul(normal, S::load(self.dy.row(block, row).add(16 * column)))
        }
    }
}

/// Into how many bands of rows a block is divided at the most, each of which is summed up by itself.
const MOST_BANDS: usize = 16;

/// Bands of rows that a map's sums are made of: their number depends on the map alone.
fn bands(map: &BlockedMap) -> usize {
    let bytes = map.height() * map.width() * size_of::<Vec16>();
    bytes.div_ceil(TASK_BYTES).clamp(1, MOST_BANDS).min(map.height().max(1))
}

/// The sum over each channel's pixels, a vector for each block. `parts` has [`bands`] vectors for each.
fn channel_sums<T: Summand>(
    cx: &Context,
    x: Source<'_>,
    summand: T,
    parts: &mut [Vec16],
    sums: &mut [Vec16],
) {
    let (blocks, bands) = (x.map.blocks(), bands(&x.map));
    let row_bytes = x.map.height().div_ceil(bands) * x.row_bytes();
    assert_eq!(parts.len(), bands * blocks, "a vector for each band");
    let kernel = ChannelSums { summand, x, bands, parts: SharedPtr::of(parts) };
    // SAFETY: each band's sum is made from the input alone.
    unsafe { run_rows(cx, blocks, bands, row_bytes, &kernel) }
    for (sum, parts) in sums.iter_mut().zip(parts.chunks(bands)) {
        *sum = Vec16(std::array::from_fn(|lane| parts.iter().map(|part| part.0[lane]).sum()));
    }
}

struct ChannelSums<'a, T> {
    summand: T,
    x: Source<'a>,
    bands: usize,
    parts: SharedPtr<Vec16>,
}

impl<T: Summand> RowKernel for ChannelSums<'_, T> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, bands: Range<usize>) {
        let map = &self.x.map;
        // SAFETY: rows and columns lie in the map, and the bands' sums are this task's alone.
        unsafe {
            for band in bands {
                let mut total = S::zero();
                for row in part(band, self.bands, map.height()) {
                    let from = self.x.row(block, row);
                    let mut sum = S::zero();
                    for column in 0..map.width() {
                        let x = S::load(from.add(column * 16));
                        sum = S::add(sum, self.summand.of::<S>(block, row, column, x));
                    }
                    total = S::add(total, sum);
                }
                S::store(self.parts.get().add(block * self.bands + band).cast(), total);
            }
        }
    }
}

/// A sum of `dy`, `x` and 1, with a vector of factors for each of them and every block.
struct Combined<'a> {
    factors: &'a [Vec16],
    x: Source<'a>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl RowKernel for Combined<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps, and there is a vector for each block.
        unsafe {
            let factor = |of: usize| S::load(self.factors.as_ptr().add(3 * block + of).cast());
            let (of_dy, of_x, shift) = (factor(0), factor(1), factor(2));
            for row in rows.clone() {
                let (x, dy) = (self.x.row(block, row), self.dy.row(block, row));
                let to = self.dx.row(block, row);
                for column in 0..self.x.map.width() {
                    let sum = S::fma(S::load(x.add(column * 16)), of_x, shift);
                    to.put::<S>(column, S::fma(S::load(dy.add(column * 16)), of_dy, sum));
                }
            }
            self.dx.close(block, rows);
        }
    }
}
