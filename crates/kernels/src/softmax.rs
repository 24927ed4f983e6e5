//! Softmax across channels, at each pixel.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, MapRef, Vec16};

/// `y_c` = exp(`x_c`) / Σ exp(`x_k`), over the channels of each pixel. The first `channels` slots of
/// the blocks are channels; the others become 0.
///
/// # Panics
/// If the maps differ in more than their halos, or there are more channels than slots.
pub fn softmax_forward(cx: &Context, channels: usize, x: MapRef<'_>, y: MapMut<'_>) {
    let map = *x.map();
    map.assert_same_extent(y.map());
    assert!(channels <= map.blocks() * 16, "more channels than slots");
    let kernel = Forward { channels, x: Source::new(x), y: Sink::overwrite(y) };
    // Exponentials cost more than their memory.
    let row_bytes = 8 * map.blocks() * kernel.x.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the input alone.
    unsafe { run_rows(cx, 1, map.height(), row_bytes, &kernel) }
}

struct Forward<'a> {
    channels: usize,
    x: Source<'a>,
    y: Sink<'a>,
}

impl Forward<'_> {
    /// The channels of one block, at one pixel.
    ///
    /// # Safety
    /// They lie in the map.
    #[inline(always)]
    unsafe fn values(&self, block: usize, row: usize, column: usize) -> &[f32] {
        let channels = (self.channels - block * 16).min(16);
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.x.row(block, row).add(16 * column), channels) }
    }
}

impl RowKernel for Forward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let (map, used) = (&self.x.map, self.channels.div_ceil(16));
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                for column in 0..map.width() {
                    let mut largest = f32::NEG_INFINITY;
                    for block in 0..used {
                        let values = self.values(block, row, column);
                        largest = values.iter().fold(largest, |a, &b| if b > a { b } else { a });
                    }
                    let mut sum = 0.0;
                    for block in 0..used {
                        let mut exps = Vec16::default();
                        let values = self.values(block, row, column);
                        for (exp, value) in exps.0.iter_mut().zip(values) {
                            *exp = (value - largest).exp();
                        }
                        sum += exps.0.iter().sum::<f32>();
                        let exps = S::load(exps.0.as_ptr());
                        self.y.row(block, row).put::<S>(column, exps);
                    }
                    let share = S::splat(1.0 / sum);
                    for block in 0..used {
                        let to = self.y.row(block, row);
                        to.put::<S>(column, S::mul(to.get::<S>(column), share));
                    }
                    for block in used..map.blocks() {
                        self.y.row(block, row).put::<S>(column, S::zero());
                    }
                }
            }
            (0..map.blocks()).for_each(|block| self.y.close(block, rows.clone()));
        }
    }
}

/// The gradient of [`softmax_forward`], from its output: `y_c` · (`dy_c` − Σ `y_k` · `dy_k`).
///
/// # Panics
/// If the maps differ in more than their halos.
pub fn softmax_backward(cx: &Context, y: MapRef<'_>, dy: MapRef<'_>, dx: Destination<'_>) {
    let map = *y.map();
    map.assert_same_extent(dy.map());
    map.assert_same_extent(dx.map());
    let kernel = Backward { y: Source::new(y), dy: Source::new(dy), dx: Sink::new(dx) };
    let row_bytes = 3 * map.blocks() * kernel.y.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the inputs alone.
    unsafe { run_rows(cx, 1, map.height(), row_bytes, &kernel) }
}

struct Backward<'a> {
    y: Source<'a>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl RowKernel for Backward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let map = &self.y.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                for column in 0..map.width() {
                    let load = |source: &Source, block: usize| {
                        S::load(source.row(block, row).add(column * 16))
                    };
                    let mut products = S::zero();
                    for block in 0..map.blocks() {
                        let (y, dy) = (load(&self.y, block), load(&self.dy, block));
                        products = S::fma(y, dy, products);
                    }
                    let mut values = [0.0; 16];
                    S::store(values.as_mut_ptr(), products);
                    let mean = S::splat(values.iter().sum());
                    for block in 0..map.blocks() {
                        let (y, dy) = (load(&self.y, block), load(&self.dy, block));
                        let to = self.dx.row(block, row);
                        to.put::<S>(column, S::mul(y, S::sub(dy, mean)));
                    }
                }
            }
            (0..map.blocks()).for_each(|block| self.dx.close(block, rows.clone()));
        }
    }
}
