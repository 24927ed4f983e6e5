//! The pixels of a map in one row, with others before them.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16};

/// `y` = in one row the pixels `before` and then those of `x`, row by row. `before` are \[block]\[pixel].
///
/// # Panics
/// If `y` does not have one row of as many pixels, or the maps differ in blocks.
pub fn forward(cx: &Context, before: &[Vec16], x: MapRef<'_>, y: MapMut<'_>) {
    let (blocks, count) = (y.map().blocks(), before.len() / y.map().blocks().max(1));
    assert_eq!(count * blocks, before.len(), "as many pixels for each block");
    let kernel = Forward { before, count, x: Source::new(x), y: Sink::overwrite(y) };
    check(&kernel.x.map, count, &kernel.y.map);
    let row_bytes = 2 * kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, blocks, 1, row_bytes, &kernel) }
}

/// The gradient of [`forward`] with `count` pixels before the others.
///
/// # Panics
/// As [`forward`].
pub fn backward(cx: &Context, count: usize, dy: MapRef<'_>, dx: Destination<'_>) {
    let kernel = Backward { count, dy: Source::new(dy), dx: Sink::new(dx) };
    let map = kernel.dx.map;
    check(&map, count, &kernel.dy.map);
    let row_bytes = 2 * kernel.dx.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, map.blocks(), map.height(), row_bytes, &kernel) }
}

fn check(map: &BlockedMap, count: usize, row: &BlockedMap) {
    assert_eq!(map.blocks(), row.blocks(), "the maps differ in blocks");
    let pixels = count + map.height() * map.width();
    assert_eq!([row.height(), row.width()], [1, pixels], "one row of all pixels");
}

struct Forward<'a> {
    before: &'a [Vec16],
    count: usize,
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for Forward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let map = &self.x.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let to = self.y.row(block, 0);
            for (column, pixel) in
                self.before[block * self.count..][..self.count].iter().enumerate()
            {
                to.put::<S>(column, S::load(pixel.0.as_ptr()));
            }
            for row in 0..map.height() {
                let (from, start) = (self.x.row(block, row), self.count + row * map.width());
                for column in 0..map.width() {
                    to.put::<S>(start + column, S::load(from.add(16 * column)));
                }
            }
            self.y.close(block, rows);
        }
    }
}

struct Backward<'a> {
    count: usize,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl RowKernel for Backward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let width = self.dx.map.width();
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                let from = self.dy.row(block, 0).add(16 * (self.count + row * width));
                let to = self.dx.row(block, row);
                for column in 0..width {
                    to.put::<S>(column, S::load(from.add(16 * column)));
                }
            }
            self.dx.close(block, rows);
        }
    }
}
