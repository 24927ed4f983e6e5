//! The two ways of a window over a map, once for pooling and depthwise convolution: forward, folding
//! each window into one pixel; backward, gathering for each pixel from all windows that saw it.
//!
//! Gathering makes every row of the input's gradient by itself: rows are shared among threads without
//! a clearing pass, and nothing is ever added to a halo.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, SinkRow, Source, run_rows};
use crate::simd::Simd;
use crate::slide::{Axis, Slide};
use crate::{Context, Lane};

/// How a window becomes one pixel.
///
/// # Safety
/// All functions want a processor that has the level, a block of the maps, and an element of the window.
pub(crate) trait Fold: Sync {
    /// What is known of a window so far.
    type State<S: Simd>: Copy;
    /// What an element of the window brings along: its weight or its number.
    type Tap<S: Simd>: Copy;
    /// What the place of a window decides: by how much a mean is divided.
    type Share: Copy;

    /// The element's tap.
    unsafe fn tap<S: Simd>(&self, block: usize, element: usize) -> Self::Tap<S>;
    /// The state before the first element, which is given (and taken afterwards as all others are)
    /// unless the window lies beside the picture.
    unsafe fn start<S: Simd>(
        &self,
        block: usize,
        first: Option<(Self::Tap<S>, S::V)>,
    ) -> Self::State<S>;
    /// The state with one more element, whose value is `x`.
    unsafe fn take<S: Simd>(state: Self::State<S>, tap: Self::Tap<S>, x: S::V) -> Self::State<S>;
    /// The share of the window at a position.
    fn share(&self, row: usize, column: usize) -> Self::Share;
    /// The output's pixel; `pixel` is its number in a mask.
    unsafe fn finish<S: Simd>(
        &self,
        state: Self::State<S>,
        share: Self::Share,
        pixel: usize,
    ) -> S::V;
}

/// Folds every window of `x` into a pixel of `y`.
pub(crate) fn fold<F: Fold>(cx: &Context, slide: &Slide, x: Source<'_>, y: Sink<'_>, fold: F) {
    let axes = slide.axes(&x.map, &y.map);
    let row_bytes = axes[0].stride * x.row_bytes() + y.row_bytes();
    let (blocks, height) = (y.map.blocks, y.map.height);
    // SAFETY: each row of the output is made from the input alone.
    unsafe { run_rows(cx, blocks, height, row_bytes, &Forward { fold, axes, x, y }) }
}

struct Forward<'a, F> {
    fold: F,
    axes: [Axis; 2],
    x: Source<'a>,
    y: Sink<'a>,
}

/// A row of windows.
struct Windows {
    block: usize,
    row: usize,
    /// The elements' rows that lie on the picture.
    rows: Range<usize>,
    to: SinkRow,
}

impl<F: Fold> RowKernel for Forward<'_, F> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let whole = self.axes[1].whole();
        // SAFETY: rows and columns lie in the output, and all elements that are read on the picture.
        unsafe {
            for row in rows.clone() {
                let to = self.y.row(block, row);
                let line = Windows { block, row, rows: self.axes[0].on_picture(row), to };
                for column in (0..whole.start).chain(whole.end..self.y.map.width) {
                    let share = self.fold.share(row, column);
                    let elements = self.axes[1].on_picture(column);
                    self.windows::<S, 1>(&line, column, elements, share);
                }
                if S::HELD >= 32 {
                    self.whole_windows::<S, 4>(&line, whole.clone());
                } else {
                    self.whole_windows::<S, 2>(&line, whole.clone());
                }
            }
            self.y.close(block, rows);
        }
    }
}

impl<F: Fold> Forward<'_, F> {
    /// The windows of a row that lie on the picture with all their columns.
    #[inline(always)]
    unsafe fn whole_windows<S: Simd, const N: usize>(&self, line: &Windows, columns: Range<usize>) {
        if columns.is_empty() {
            return;
        }
        let share = self.fold.share(line.row, columns.start);
        let elements = 0..self.axes[1].kernel;
        let mut column = columns.start;
        // SAFETY: as in `rows`.
        unsafe {
            while column + N <= columns.end {
                self.windows::<S, N>(line, column, elements.clone(), share);
                column += N;
            }
            while column < columns.end {
                self.windows::<S, 1>(line, column, elements.clone(), share);
                column += 1;
            }
        }
    }

    /// `N` windows side by side, from `column` on.
    #[inline(always)]
    unsafe fn windows<S: Simd, const N: usize>(
        &self,
        line: &Windows,
        column: usize,
        columns: Range<usize>,
        share: F::Share,
    ) {
        let (fold, [down, across]) = (&self.fold, &self.axes);
        let step = across.stride * 16;
        // SAFETY: as in `rows`.
        unsafe {
            let at = |ky: usize, kx: usize| {
                let row = self.x.row(line.block, down.input_of(line.row, ky));
                row.add(across.input_of(column, kx) * 16)
            };
            let mut states = [fold.start::<S>(line.block, None); N];
            if !line.rows.is_empty() && !columns.is_empty() {
                let (ky, kx) = (line.rows.start, columns.start);
                let tap = fold.tap::<S>(line.block, ky * across.kernel + kx);
                for n in 0..N {
                    let first = Some((tap, S::load(at(ky, kx).add(n * step))));
                    states[n] = fold.start::<S>(line.block, first);
                }
                for ky in line.rows.clone() {
                    let mut from = at(ky, kx);
                    for kx in columns.clone() {
                        let tap = fold.tap::<S>(line.block, ky * across.kernel + kx);
                        for n in 0..N {
                            states[n] = F::take::<S>(states[n], tap, S::load(from.add(n * step)));
                        }
                        from = from.wrapping_add(across.dilation * 16);
                    }
                }
            }
            for n in 0..N {
                let pixel = self.y.map.pixel(line.block, line.row, column + n);
                line.to.put::<S>(column + n, fold.finish::<S>(states[n], share, pixel));
            }
        }
    }
}

/// What the window at a position gives back to the elements it saw.
///
/// # Safety
/// As for [`Fold`].
pub(crate) trait Gather: Sync {
    /// What an element of the window brings along: its weight or its number.
    type Tap<S: Simd>: Copy;
    /// What the place of a window decides: by how much a mean was divided.
    type Share: Copy;

    /// The element's tap.
    unsafe fn tap<S: Simd>(&self, block: usize, element: usize) -> Self::Tap<S>;
    /// The share of the window at a position.
    fn share(&self, row: usize, column: usize) -> Self::Share;
    /// `sum` and what the element gets of the gradient `dy` of a window, whose number in a mask is
    /// `pixel`.
    unsafe fn add<S: Simd>(
        &self,
        sum: S::V,
        tap: Self::Tap<S>,
        share: Self::Share,
        pixel: usize,
        dy: S::V,
    ) -> S::V;
}

/// Gathers the gradient of every pixel of the input from the windows that saw it.
pub(crate) fn gather<G: Gather>(
    cx: &Context,
    slide: &Slide,
    dy: Source<'_>,
    dx: Sink<'_>,
    gather: G,
) {
    let axes = slide.axes(&dx.map, &dy.map);
    let row_bytes = dy.row_bytes().div_ceil(axes[0].stride) + dx.row_bytes();
    let (blocks, height) = (dx.map.blocks, dx.map.height);
    // SAFETY: each row of the input's gradient is made from the output's alone.
    unsafe { run_rows(cx, blocks, height, row_bytes, &Backward { gather, axes, dy, dx }) }
}

struct Backward<'a, G> {
    gather: G,
    axes: [Axis; 2],
    dy: Source<'a>,
    dx: Sink<'a>,
}

/// Columns whose sums are kept at hand while the windows go by.
const COLUMNS: usize = 64;

impl<G: Gather> RowKernel for Backward<'_, G> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let [down, across] = &self.axes;
        let mut sums = [Lane::default(); COLUMNS];
        // SAFETY: rows and columns lie in the input, positions in the output.
        unsafe {
            for row in rows.clone() {
                let to = self.dx.row(block, row);
                for start in (0..across.input).step_by(COLUMNS) {
                    let columns = start..(start + COLUMNS).min(across.input);
                    sums.fill(Lane::default());
                    for ky in 0..down.kernel {
                        for position in down.positions(ky, &(row..row + 1)) {
                            self.add_row::<S>(block, position, ky, &columns, &mut sums);
                        }
                    }
                    for column in columns {
                        to.put::<S>(column, S::load(sums[column - start].0.as_ptr()));
                    }
                }
            }
            self.dx.close(block, rows);
        }
    }
}

impl<G: Gather> Backward<'_, G> {
    /// Adds what the windows of row `position` give to `columns` by the elements of row `ky`.
    #[inline(always)]
    unsafe fn add_row<S: Simd>(
        &self,
        block: usize,
        position: usize,
        ky: usize,
        columns: &Range<usize>,
        sums: &mut [Lane; COLUMNS],
    ) {
        let across = &self.axes[1];
        let whole = across.whole();
        let share = self.gather.share(position, whole.start);
        // SAFETY: as in `rows`.
        unsafe {
            let dy = self.dy.row(block, position);
            let pixel = self.dy.map.pixel(block, position, 0);
            for kx in 0..across.kernel {
                let tap = self.gather.tap::<S>(block, ky * across.kernel + kx);
                let positions = across.positions(kx, columns);
                if positions.is_empty() {
                    continue;
                }
                let at = across.input_of(positions.start, kx) - columns.start;
                let mut sum: *mut f32 = sums.as_mut_ptr().add(at).cast();
                for x in positions {
                    let share =
                        if whole.contains(&x) { share } else { self.gather.share(position, x) };
                    let value = S::load(dy.add(x * 16));
                    let total = self.gather.add::<S>(S::load(sum), tap, share, pixel + x, value);
                    S::store(sum, total);
                    sum = sum.wrapping_add(across.stride * 16);
                }
            }
        }
    }
}
