//! Normalisation over the channels of each pixel.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, of_block, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, MapRef, Vec16};

/// What a normalisation knows of its channels.
#[derive(Clone, Copy)]
pub struct LayerNorm<'a> {
    /// How many there are.
    pub channels: usize,
    /// For each block the factors of its channels, 0 in slots that hold none.
    pub scale: &'a [Vec16],
    /// For each block what is added to its channels, likewise.
    pub shift: &'a [Vec16],
    /// For each block a bit for each slot that holds a channel.
    pub live: &'a [u16],
    /// What keeps the root away from 0.
    pub epsilon: f32,
}

impl LayerNorm<'_> {
    fn check(&self, blocks: usize) {
        let lengths = [self.scale.len(), self.shift.len(), self.live.len()];
        assert_eq!(lengths, [blocks; 3], "one vector for each block");
        assert!(self.channels > 0 && self.channels <= 16 * blocks, "more channels than slots");
    }
}

/// `y` = `scale` · (`x` − mean) / √(variance + ε) + `shift`, with mean and variance over the channels of each
/// pixel.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn forward(cx: &Context, norm: &LayerNorm<'_>, x: MapRef<'_>, y: MapMut<'_>) {
    x.map().assert_same_extent(y.map());
    norm.check(x.map().blocks());
    let kernel = Forward { norm: *norm, x: Source::new(x), y: Sink::overwrite(y) };
    let row_bytes = 2 * kernel.x.map.blocks() * kernel.x.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the input alone.
    unsafe { run_rows(cx, 1, kernel.x.map.height(), row_bytes, &kernel) }
}

/// The gradient of [`forward`].
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn backward(
    cx: &Context,
    norm: &LayerNorm<'_>,
    x: MapRef<'_>,
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    x.map().assert_same_extent(dx.map());
    dy.map().assert_same_extent(dx.map());
    norm.check(x.map().blocks());
    let (x, dy, dx) = (Source::new(x), Source::new(dy), Sink::new(dx));
    let kernel = Backward { norm: *norm, x, dy, dx };
    let row_bytes = 3 * x.map.blocks() * x.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the inputs alone.
    unsafe { run_rows(cx, 1, x.map.height(), row_bytes, &kernel) }
}

/// How many pixels are normalised side by side: their blocks then lie in memory by whole lines of cache, and
/// their sums in registers.
const PIXELS: usize = 8;

/// The mean and one over the standard deviation of `N` pixels.
///
/// # Safety
/// The pixels lie in the map, whose blocks are the normalisation's, and the processor has the level.
#[inline(always)]
unsafe fn statistics<S: Simd, const N: usize>(
    norm: &LayerNorm<'_>,
    x: &Source<'_>,
    row: usize,
    column: usize,
) -> [(S::V, S::V); N] {
    let share = 1.0 / norm.channels as f32;
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [S::zero(); N];
        for block in 0..x.map.blocks() {
            let from = x.row(block, row).add(16 * column);
            for n in 0..N {
                sums[n] = S::add(sums[n], S::load(from.add(16 * n)));
            }
        }
        let mut means = [S::zero(); N];
        for n in 0..N {
            means[n] = S::splat(S::sum(sums[n]) * share);
            sums[n] = S::zero();
        }
        for block in 0..x.map.blocks() {
            let from = x.row(block, row).add(16 * column);
            for n in 0..N {
                let off = S::keep(S::sub(S::load(from.add(16 * n)), means[n]), norm.live[block]);
                sums[n] = S::fma(off, off, sums[n]);
            }
        }
        let mut statistics = [(S::zero(), S::zero()); N];
        for n in 0..N {
            let deviation = (S::sum(sums[n]) * share + norm.epsilon).sqrt();
            statistics[n] = (means[n], S::splat(1.0 / deviation));
        }
        statistics
    }
}

struct Forward<'a> {
    norm: LayerNorm<'a>,
    x: Source<'a>,
    y: Sink<'a>,
}

impl Forward<'_> {
    /// # Safety
    /// As for [`statistics`].
    #[inline(always)]
    unsafe fn pixels<S: Simd, const N: usize>(&self, row: usize, column: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let statistics = statistics::<S, N>(&self.norm, &self.x, row, column);
            for block in 0..self.x.map.blocks() {
                let scale = of_block::<S>(self.norm.scale, block);
                let shift = of_block::<S>(self.norm.shift, block);
                let from = self.x.row(block, row).add(16 * column);
                let to = self.y.row(block, row);
                for n in 0..N {
                    let (mean, share) = statistics[n];
                    let normal = S::mul(S::sub(S::load(from.add(16 * n)), mean), share);
                    to.put::<S>(column + n, S::fma(normal, scale, shift));
                }
            }
        }
    }
}

impl RowKernel for Forward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let (blocks, width) = (self.x.map.blocks(), self.x.map.width());
        let whole = width - width % PIXELS;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                for column in (0..whole).step_by(PIXELS) {
                    self.pixels::<S, PIXELS>(row, column);
                }
                (whole..width).for_each(|column| self.pixels::<S, 1>(row, column));
            }
            (0..blocks).for_each(|block| self.y.close(block, rows.clone()));
        }
    }
}

struct Backward<'a> {
    norm: LayerNorm<'a>,
    x: Source<'a>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl Backward<'_> {
    /// With g = scale · dy and n = the normalised value: (g − mean(g) − n · mean(g · n)) / deviation.
    ///
    /// # Safety
    /// As for [`statistics`].
    #[inline(always)]
    unsafe fn pixels<S: Simd, const N: usize>(&self, row: usize, column: usize) {
        let share = 1.0 / self.norm.channels as f32;
        let blocks = self.x.map.blocks();
        // SAFETY: the caller's promise.
        unsafe {
            let statistics = statistics::<S, N>(&self.norm, &self.x, row, column);
            let (mut sums, mut products) = ([S::zero(); N], [S::zero(); N]);
            for block in 0..blocks {
                let scale = of_block::<S>(self.norm.scale, block);
                let x = self.x.row(block, row).add(16 * column);
                let dy = self.dy.row(block, row).add(16 * column);
                for n in 0..N {
                    let g = S::mul(S::load(dy.add(16 * n)), scale);
                    let off = S::sub(S::load(x.add(16 * n)), statistics[n].0);
                    sums[n] = S::add(sums[n], g);
                    products[n] = S::fma(g, off, products[n]);
                }
            }
            for n in 0..N {
                // By `off` instead of the normalised value: the deviation comes in here, twice.
                let inverse = statistics[n].1;
                let products_of = S::splat(S::sum(products[n]) * share);
                products[n] = S::mul(S::mul(products_of, inverse), inverse);
                sums[n] = S::splat(S::sum(sums[n]) * share);
            }
            for block in 0..blocks {
                let scale = of_block::<S>(self.norm.scale, block);
                let x = self.x.row(block, row).add(16 * column);
                let dy = self.dy.row(block, row).add(16 * column);
                let to = self.dx.row(block, row);
                for n in 0..N {
                    let g = S::sub(S::mul(S::load(dy.add(16 * n)), scale), sums[n]);
                    let off = S::sub(S::load(x.add(16 * n)), statistics[n].0);
                    let rest = S::sub(g, S::mul(off, products[n]));
                    let dx = S::keep(S::mul(rest, statistics[n].1), self.norm.live[block]);
                    to.put::<S>(column + n, dx);
                }
            }
        }
    }
}

impl RowKernel for Backward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let (blocks, width) = (self.x.map.blocks(), self.x.map.width());
        let whole = width - width % PIXELS;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                for column in (0..whole).step_by(PIXELS) {
                    self.pixels::<S, PIXELS>(row, column);
                }
                (whole..width).for_each(|column| self.pixels::<S, 1>(row, column));
            }
            (0..blocks).for_each(|block| self.dx.close(block, rows.clone()));
        }
    }
}
