//! The two ways of a window over a map, once for pooling and depthwise convolution: forward, reducing
//! each window into one pixel; backward, gathering for each pixel from all windows that saw it.
//!
//! Gathering makes every row of the input's gradient by itself: rows are shared among threads without
//! a clearing pass, and nothing is ever added to a halo.

use std::ops::Range;

use crate::Context;
use crate::geometry::{Axis, ConvGeometry, Taps};
use crate::rows::{RowKernel, Sink, SinkRow, Source, run_some_rows};
use crate::simd::Simd;

/// How a window becomes one pixel.
///
/// # Safety
/// All functions want a processor that has the level, a block of the maps, and an element of the window.
pub(crate) trait Reduce: Sync {
    /// What is known of a window so far.
    type State<S: Simd>: Copy;
    /// What an element of the window brings along: its weight or its number.
    type Tap<S: Simd>: Copy;
    /// What the place of a window decides: by how much a mean is divided.
    type Scale: Copy;

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
    /// The scale of the window at a position.
    fn scale(&self, row: usize, column: usize) -> Self::Scale;
    /// The output's pixel; `pixel` is its number in a mask.
    unsafe fn finish<S: Simd>(
        &self,
        state: Self::State<S>,
        scale: Self::Scale,
        pixel: usize,
    ) -> S::V;
}

/// Reduces every window of `x` into a pixel of `y`, in `rows` of `y`.
pub(crate) fn reduce<F: Reduce>(
    cx: &Context,
    geometry: &ConvGeometry,
    x: Source<'_>,
    y: Sink<'_>,
    rows: Range<usize>,
    op: F,
) {
    let axes = geometry.axes(&x.map, &y.map);
    let row_bytes = axes[0].stride * x.row_bytes() + y.row_bytes();
    assert!(rows.end <= y.map.height(), "the output has no such rows");
    let blocks = y.map.blocks();
    // SAFETY: each row of the output is made from the input alone.
    unsafe { run_some_rows(cx, blocks, rows, row_bytes, &Forward { op, axes, x, y }) }
}

/// The kernel of [`reduce`].
pub(crate) struct Forward<'a, F> {
    pub(crate) op: F,
    pub(crate) axes: [Axis; 2],
    pub(crate) x: Source<'a>,
    pub(crate) y: Sink<'a>,
}

/// A row of windows.
struct Windows {
    block: usize,
    row: usize,
    /// The elements' rows that lie on the picture.
    rows: Range<usize>,
    to: SinkRow,
}

impl<F: Reduce> RowKernel for Forward<'_, F> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let whole = self.axes[1].whole();
        // SAFETY: rows and columns lie in the output, and all elements that are read on the picture.
        unsafe {
            for row in rows.clone() {
                let to = self.y.row(block, row);
                let line = Windows { block, row, rows: self.axes[0].on_picture(row), to };
                for column in (0..whole.start).chain(whole.end..self.y.map.width()) {
                    let scale = self.op.scale(row, column);
                    let elements = self.axes[1].on_picture(column);
                    self.windows::<S, 1>(&line, column, elements, scale);
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

impl<F: Reduce> Forward<'_, F> {
    /// The windows of a row that lie on the picture with all their columns.
    #[inline(always)]
    unsafe fn whole_windows<S: Simd, const N: usize>(&self, line: &Windows, columns: Range<usize>) {
        if columns.is_empty() {
            return;
        }
        let scale = self.op.scale(line.row, columns.start);
        let elements = 0..self.axes[1].kernel;
        let mut column = columns.start;
        // SAFETY: as in `rows`.
        unsafe {
            while column + N <= columns.end {
                self.windows::<S, N>(line, column, elements.clone(), scale);
                column += N;
            }
            while column < columns.end {
                self.windows::<S, 1>(line, column, elements.clone(), scale);
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
        scale: F::Scale,
    ) {
        let (op, [down, across]) = (&self.op, &self.axes);
        let step = across.stride * 16;
        // SAFETY: as in `rows`.
        unsafe {
            let at = |ky: usize, kx: usize| {
                let row = self.x.row(line.block, down.input_of(line.row, ky));
                row.add(across.input_of(column, kx) * 16)
            };
            let mut states = [op.start::<S>(line.block, None); N];
            if !line.rows.is_empty() && !columns.is_empty() {
                let (ky, kx) = (line.rows.start, columns.start);
                let tap = op.tap::<S>(line.block, ky * across.kernel + kx);
                for n in 0..N {
                    let first = Some((tap, S::load(at(ky, kx).add(n * step))));
                    states[n] = op.start::<S>(line.block, first);
                }
                for ky in line.rows.clone() {
                    let mut from = at(ky, kx);
                    for kx in columns.clone() {
                        let tap = op.tap::<S>(line.block, ky * across.kernel + kx);
                        for n in 0..N {
                            states[n] = F::take::<S>(states[n], tap, S::load(from.add(n * step)));
                        }
                        from = from.wrapping_add(across.dilation * 16);
                    }
                }
            }
            for n in 0..N {
                let pixel = self.y.map.pixel(line.block, line.row, column + n);
                line.to.put::<S>(column + n, op.finish::<S>(states[n], scale, pixel));
            }
        }
    }
}

/// What the window at a position gives back to the elements it saw.
///
/// # Safety
/// As for [`Reduce`].
pub(crate) trait Gather: Sync {
    /// What an element of the window brings along: its weight or its number.
    type Tap<S: Simd>: Copy;
    /// What the place of a window decides: by how much a mean was divided.
    type Scale: Copy;

    /// The element's tap.
    unsafe fn tap<S: Simd>(&self, block: usize, element: usize) -> Self::Tap<S>;
    /// The scale of the window at a position.
    fn scale(&self, row: usize, column: usize) -> Self::Scale;
    /// `sum` and what the element gets of the gradient `dy` of a window, whose number in a mask is
    /// `pixel`.
    unsafe fn add<S: Simd>(
        &self,
        sum: S::V,
        tap: Self::Tap<S>,
        scale: Self::Scale,
        pixel: usize,
        dy: S::V,
    ) -> S::V;
}

/// Gathers the gradient of every pixel of the input, in `rows` of it, from the windows that saw it.
pub(crate) fn gather<G: Gather>(
    cx: &Context,
    geometry: &ConvGeometry,
    dy: Source<'_>,
    dx: Sink<'_>,
    rows: Range<usize>,
    gather: G,
) {
    let axes = geometry.axes(&dx.map, &dy.map);
    let row_bytes = dy.row_bytes().div_ceil(axes[0].stride) + dx.row_bytes();
    assert!(rows.end <= dx.map.height(), "the input has no such rows");
    let blocks = dx.map.blocks();
    let kernel = Backward::new(gather, axes, dy, dx);
    // SAFETY: each row of the input's gradient is made from the output's alone.
    unsafe { run_some_rows(cx, blocks, rows, row_bytes, &kernel) }
}

/// The kernel of [`gather`].
pub(crate) struct Backward<'a, G> {
    gather: G,
    axes: [Axis; 2],
    /// The columns of windows that lie on the picture with all their columns.
    whole: Range<usize>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl<'a, G> Backward<'a, G> {
    pub(crate) fn new(gather: G, axes: [Axis; 2], dy: Source<'a>, dx: Sink<'a>) -> Self {
        Self { gather, axes, whole: axes[1].whole(), dy, dx }
    }
}

/// Every `stride`-th pixel of a row, for which the same elements of the window count.
struct Pixels {
    block: usize,
    /// The elements' rows and the rows of windows that exist.
    rows: Taps,
    existing: Range<usize>,
    /// The columns of the elements.
    columns: Taps,
    /// The first of the pixels.
    start: usize,
    to: SinkRow,
}

impl<G: Gather> RowKernel for Backward<'_, G> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let [down, across] = &self.axes;
        // SAFETY: rows and columns lie in the input, positions in the output.
        unsafe {
            for row in rows.clone() {
                let (to, taps) = (self.dx.row(block, row), down.taps(row));
                let existing = taps.existing(0, down.output);
                for start in 0..across.stride.min(across.input) {
                    let (rows, existing) = (taps, existing.clone());
                    let columns = across.taps(start);
                    let pixels = Pixels { block, rows, existing, columns, start, to };
                    self.pixels::<S, 4>(&pixels);
                }
            }
            self.dx.close(block, rows);
        }
    }
}

impl<G: Gather> Backward<'_, G> {
    /// All the pixels, `N` at a time where all their windows exist.
    #[inline(always)]
    unsafe fn pixels<S: Simd, const N: usize>(&self, pixels: &Pixels) {
        let across = &self.axes[1];
        let (count, taps) = ((across.input - pixels.start).div_ceil(across.stride), pixels.columns);
        // Where the last tap's window and the first one's exist.
        let last = taps.position - (taps.count as isize - 1) * taps.back;
        let from = last.min(0).unsigned_abs().min(count);
        let end = (across.output as isize - taps.position).max(0) as usize;
        let end = end.clamp(from, count);
        // SAFETY: as in `rows`.
        unsafe {
            let mut on = 0;
            while on < count {
                if on >= from && on + N <= end {
                    self.some::<S, N>(pixels, on, 0..taps.count);
                    on += N;
                } else {
                    self.some::<S, 1>(pixels, on, taps.existing(on, across.output));
                    on += 1;
                }
            }
        }
    }

    /// `N` of the pixels, from number `on`, with the taps of their columns.
    #[inline(always)]
    unsafe fn some<S: Simd, const N: usize>(&self, pixels: &Pixels, on: usize, taps: Range<usize>) {
        let (gather, across) = (&self.gather, &self.axes[1]);
        let whole = &self.whole;
        // SAFETY: as in `rows`.
        unsafe {
            let mut sums = [S::zero(); N];
            for tap in pixels.existing.clone() {
                let (ky, row) = pixels.rows.at(tap, 0);
                let scale = gather.scale(row, whole.start);
                let dy = self.dy.row(pixels.block, row);
                let number = self.dy.map.pixel(pixels.block, row, 0);
                for tap in taps.clone() {
                    let (kx, column) = pixels.columns.at(tap, on);
                    let tap = gather.tap::<S>(pixels.block, ky * across.kernel + kx);
                    for n in 0..N {
                        let column = column + n;
                        let scale =
                            if whole.contains(&column) { scale } else { gather.scale(row, column) };
                        let value = S::load(dy.add(column * 16));
                        sums[n] = gather.add::<S>(sums[n], tap, scale, number + column, value);
                    }
                }
            }
            for n in 0..N {
                pixels.to.put::<S>(pixels.start + (on + n) * across.stride, sums[n]);
            }
        }
    }
}
