//! Pixels that are weighted sums of pixels elsewhere, by rows and columns: padding, cropping, resizing.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapRef, Vec16};

/// What each position along one axis of an output is the sum of: positions of the input with their weights.
#[derive(Clone, Copy)]
pub struct Taps<'a> {
    starts: &'a [usize],
    taps: &'a [(usize, f32)],
}

impl<'a> Taps<'a> {
    /// Position `i` has the taps from `starts[i]` up to `starts[i + 1]`.
    ///
    /// # Panics
    /// If the starts do not ascend from 0 to the number of taps.
    #[track_caller]
    pub fn new(starts: &'a [usize], taps: &'a [(usize, f32)]) -> Self {
        let ends = (starts.first(), starts.last());
        assert!(ends == (Some(&0), Some(&taps.len())) && starts.is_sorted(), "no list of taps");
        Self { starts, taps }
    }

    fn positions(&self) -> usize {
        self.starts.len() - 1
    }

    fn at(&self, position: usize) -> &'a [(usize, f32)] {
        &self.taps[self.starts[position]..self.starts[position + 1]]
    }
}

/// Each pixel of `y` = the sum of the pixels of `x` at its row's and its column's taps, by the products of
/// their weights; `fill`, a vector for each block, where one of them has none. The gradient is the same with
/// the taps the other way round.
///
/// # Panics
/// If there are not as many positions as `y` has rows and columns, taps are not on `x`, or the maps differ in
/// channels.
pub fn resample(
    cx: &Context,
    [rows, columns]: [Taps<'_>; 2],
    fill: &[Vec16],
    x: MapRef<'_>,
    y: Destination<'_>,
) {
    let (from, to) = (*x.map(), *y.map());
    assert_eq!(from.blocks(), to.blocks(), "the maps differ in channels");
    assert_eq!(fill.len(), to.blocks(), "one vector for each block");
    let positions = [rows.positions(), columns.positions()];
    assert_eq!(positions, [to.height(), to.width()], "one list of taps for each row and column");
    let on = |taps: &Taps<'_>, extent| taps.taps.iter().all(|&(index, _)| index < extent);
    assert!(on(&rows, from.height()) && on(&columns, from.width()), "taps beside the map");
    let products = rows.taps.len().div_ceil(to.height().max(1)).max(1);
    let kernel = Resample { rows, columns, fill, x: Source::new(x), y: Sink::new(y) };
    let row_bytes = products.saturating_mul(kernel.x.row_bytes() + kernel.y.row_bytes());
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, to.blocks(), to.height(), row_bytes, &kernel) }
}

struct Resample<'a> {
    rows: Taps<'a>,
    columns: Taps<'a>,
    fill: &'a [Vec16],
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for Resample<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows, columns and taps lie in the maps, and there is a vector for each block.
        unsafe {
            let fill = S::load(self.fill[block].0.as_ptr());
            for row in rows.clone() {
                let (to, rows) = (self.y.row(block, row), self.rows.at(row));
                for column in 0..self.y.map.width() {
                    let columns = self.columns.at(column);
                    if rows.is_empty() || columns.is_empty() {
                        to.put::<S>(column, fill);
                        continue;
                    }
                    let mut sum = S::zero();
                    for &(row, by_row) in rows {
                        let from = self.x.row(block, row);
                        for &(column, by_column) in columns {
                            let weight = S::splat(by_row * by_column);
                            sum = S::fma(S::load(from.add(column * 16)), weight, sum);
                        }
                    }
                    to.put::<S>(column, sum);
                }
            }
            self.y.close(block, rows);
        }
    }
}
