//! Channels become pixels and pixels channels: what sub-pixel convolutions and the heads of detectors do.

use std::ops::Range;

use crate::channels::moves;
use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapRef};

/// Each pixel of `x` becomes a rectangle of `block` pixels of `y`: slot `i` of the pixel at `row`, `column` of
/// the rectangle = slot `sources[(row · block[1] + column) · slots + i]` of `x`, or 0 where that is
/// `usize::MAX`; `slots` are those of `y`. Rows and columns of `y` beyond the last rectangle become 0.
///
/// # Panics
/// If a slice does not have its length, a slot is not in `x`, or `y` has no room for all rectangles.
pub fn depth_to_space(
    cx: &Context,
    block: [usize; 2],
    sources: &[usize],
    x: MapRef<'_>,
    y: Destination<'_>,
) {
    let (from, to) = (*x.map(), *y.map());
    let slots = block[0].saturating_mul(block[1]).saturating_mul(to.blocks() * 16);
    assert_eq!(sources.len(), slots, "one source for each slot");
    check(block, sources, from.blocks() * 16, [from.height(), from.width()], &to);
    let kernel = DepthToSpace { block, sources, x: Source::new(x), y: Sink::new(y) };
    let row_bytes = 2 * kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, to.blocks(), to.height(), row_bytes, &kernel) }
}

/// Each rectangle of `block` pixels of `x` becomes one pixel of `y`: slot `i` of it = slot
/// `sources[i] % slots` of the rectangle's pixel number `sources[i] / slots`, counted row by row, or 0 where
/// that is `usize::MAX`; `slots` are those of `x`. What is left of `x` beside the last rectangle is not read.
///
/// # Panics
/// If a slice does not have its length, a slot is not in `x`, or `x` has fewer rectangles than `y` pixels.
pub fn space_to_depth(
    cx: &Context,
    block: [usize; 2],
    sources: &[usize],
    x: MapRef<'_>,
    y: Destination<'_>,
) {
    let (from, to) = (*x.map(), *y.map());
    assert_eq!(sources.len(), to.blocks() * 16, "one source for each slot");
    let slots = block[0].saturating_mul(block[1]).saturating_mul(from.blocks() * 16);
    check(block, sources, slots, [to.height(), to.width()], &from);
    let kernel = SpaceToDepth { block, sources, x: Source::new(x), y: Sink::new(y) };
    let row_bytes = 2 * kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, to.blocks(), to.height(), row_bytes, &kernel) }
}

/// Asserts that there are rectangles, that sources are slots, and that `wide` holds a rectangle for each pixel
/// of a `small` map.
#[track_caller]
fn check(
    block: [usize; 2],
    sources: &[usize],
    slots: usize,
    small: [usize; 2],
    wide: &crate::BlockedMap,
) {
    assert!(block[0] > 0 && block[1] > 0, "an empty rectangle");
    let known = |&slot: &usize| slot < slots || slot == usize::MAX;
    assert!(sources.iter().all(known), "no such slot");
    let fits = |axis: usize, extent: usize| small[axis] <= extent / block[axis];
    assert!(fits(0, wide.height()) && fits(1, wide.width()), "the maps do not fit each other");
}

struct DepthToSpace<'a> {
    block: [usize; 2],
    sources: &'a [usize],
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for DepthToSpace<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let ([high, wide], from, to) = (self.block, &self.x.map, &self.y.map);
        // SAFETY: rows and columns lie in the maps, and the sources in `x`; what lies before or after
        // them is not read.
        unsafe {
            for row in rows.clone() {
                let (y, inside) = (self.y.row(block, row), row / high < from.height());
                let full = if inside { from.width() * wide } else { 0 };
                for place in 0..if inside { wide } else { 0 } {
                    let pixel = row % high * wide + place;
                    let sources = &self.sources[(pixel * to.blocks() + block) * 16..][..16];
                    let (moves, count) = moves(sources);
                    let x = moves.map(|m| self.x.row(m.block, row / high).wrapping_offset(-m.by));
                    for column in 0..from.width() {
                        let mut sum = S::zero();
                        for (x, m) in x[..count].iter().zip(&moves) {
                            sum = S::add(sum, S::load_kept(x.wrapping_add(column * 16), m.slots));
                        }
                        y.put::<S>(column * wide + place, sum);
                    }
                }
                (full..to.width()).for_each(|column| y.put::<S>(column, S::zero()));
            }
            self.y.close(block, rows);
        }
    }
}

struct SpaceToDepth<'a> {
    block: [usize; 2],
    sources: &'a [usize],
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for SpaceToDepth<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let ([high, wide], blocks) = (self.block, self.x.map.blocks());
        let (moves, count) = moves(&self.sources[block * 16..][..16]);
        // SAFETY: rows and columns lie in the maps, and the sources in `x`; what lies before or after
        // them is not read.
        unsafe {
            for row in rows.clone() {
                let y = self.y.row(block, row);
                let x = moves.map(|m| {
                    let pixel = m.block / blocks;
                    let from = self.x.row(m.block % blocks, row * high + pixel / wide);
                    from.wrapping_add(16 * (pixel % wide)).wrapping_offset(-m.by)
                });
                for column in 0..self.y.map.width() {
                    let mut sum = S::zero();
                    for (x, m) in x[..count].iter().zip(&moves) {
                        let part = S::load_kept(x.wrapping_add(column * wide * 16), m.slots);
                        sum = S::add(sum, part);
                    }
                    y.put::<S>(column, sum);
                }
            }
            self.y.close(block, rows);
        }
    }
}
