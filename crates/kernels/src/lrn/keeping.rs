//! Normalisation of a map of which the backward pass has only what is [kept](crate::quantised) of it.

use std::ops::Range;

use super::{Forward, Lrn, Windows, run_backward};
use crate::quantised::{Quantise, QuantisedMap, QuantisedRef};
use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, MapRef, Vec16};

/// As [`forward`](super::forward), and keeps `x` in `kept`, row by row while it is in the cache.
///
/// # Panics
/// As [`forward`](super::forward), and if the map that is kept is not like `x`, or has not as many vectors.
pub fn forward_keeping(
    cx: &Context,
    lrn: &Lrn,
    x: MapRef<'_>,
    y: MapMut<'_>,
    (map, kept): (QuantisedMap, &mut [Vec16]),
) {
    let (windows, x) = (Windows::new(lrn, x.map()), Source::new(x));
    x.map.assert_same_extent(y.map());
    let forward = Forward { lrn: windows, x, y: Sink::overwrite(y) };
    let row_bytes = x.map.blocks() * 3 * x.row_bytes();
    let kernel = Keeping { forward, quantise: Quantise::new(x, map, kept) };
    // SAFETY: each row, with all its blocks, is made from the same row of the input alone.
    unsafe { run_rows(cx, 1, x.map.height(), row_bytes, &kernel) }
}

struct Keeping<'a> {
    forward: Forward<'a>,
    quantise: Quantise<'a>,
}

impl RowKernel for Keeping<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        for row in rows {
            // SAFETY: the caller's promise is the same.
            unsafe {
                self.forward.rows::<S>(block, row..row + 1);
                self.quantise.rows::<S>(block, row..row + 1);
            }
        }
    }
}

/// As [`backward`](super::backward), at what was kept of `x`.
///
/// # Panics
/// As [`backward`](super::backward).
pub fn backward_kept(
    cx: &Context,
    lrn: &Lrn,
    x: QuantisedRef<'_>,
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    x.map.assert_same_extent(dx.map());
    run_backward(cx, lrn, x, dy, Sink::new(dx));
}
