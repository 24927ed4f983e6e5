//! Local response normalisation and the max pooling after it at once, as AlexNet and GoogLeNet have them:
//! what lies between is as large as the largest maps and read only once, so it exists only row by row,
//! in a thread's own cache.

use std::ops::Range;

use crate::argmax::HalfByte;
use crate::geometry::{Axis, ConvGeometry};
use crate::lrn::{self, Lrn, Values, Windows};
use crate::pool::{MaxGradient, MaxWindow};
use crate::quantised::QuantisedRef;
use crate::rows::{LEAST_TASK_BYTES, RowKernel, Sink, Source, run_some_rows};
use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16, WriteMode, window};

/// The fewest rows of the output that a task makes: the windows of its first row share rows with another task's,
/// which both normalise.
const ROWS: usize = 4;

/// [`lrn::forward`], then [`pool::max_forward`](crate::pool::max_forward) of the result.
///
/// # Panics
/// As they do, and if the window has more than [`pool::FEW_ELEMENTS`](crate::pool::FEW_ELEMENTS).
pub fn forward(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    x: MapRef<'_>,
    y: MapMut<'_>,
    argmax: &mut [u8],
) {
    let rows = 0..y.map().height();
    forward_rows(cx, lrn, geometry, x, (y, argmax), rows);
}

/// As [`forward`], of some `rows` of the output alone.
///
/// # Panics
/// As [`forward`], and if there are no such rows.
pub fn forward_rows(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    x: MapRef<'_>,
    (y, argmax): (MapMut<'_>, &mut [u8]),
    rows: Range<usize>,
) {
    let map = *x.map();
    assert!(rows.end <= y.map().height(), "the output has no such rows");
    let axes = geometry.axes(&map, y.map());
    let reach = (axes[0].kernel - 1) * axes[0].dilation + 1;
    let kernel = Forward {
        lrn: Windows::new(lrn, &map),
        axes,
        x: Source::new(x),
        between: some_rows(&map, reach.next_power_of_two()),
        max: MaxWindow::new(&(*geometry).into(), y.map(), argmax),
        y: Sink::overwrite(y),
    };
    // SAFETY: each row, with all its blocks, is made from the input alone.
    unsafe { run_some_rows(cx, 1, rows, LEAST_TASK_BYTES / ROWS, &kernel) }
}

/// Bytes of memory that each thread works in, at the most, for an input like `x`.
pub fn scratch_bytes(geometry: &ConvGeometry, x: &BlockedMap) -> u64 {
    let reach = (geometry.kernel()[0] - 1) * geometry.dilation()[0] + 1;
    let ring = BlockedMap::new(x.blocks(), reach.next_power_of_two(), x.width(), 0);
    ring.map_or(u64::MAX, |ring| (ring.vectors() * size_of::<Vec16>()) as u64)
}

/// Some rows of all blocks of a map, without a halo.
fn some_rows(map: &BlockedMap, height: usize) -> BlockedMap {
    BlockedMap::new(map.blocks(), height, map.width(), 0).expect("a window that fits the memory")
}

struct Forward<'a> {
    lrn: Windows,
    axes: [Axis; 2],
    x: Source<'a>,
    /// The ring of rows that are normalised and not yet pooled.
    between: BlockedMap,
    max: MaxWindow<HalfByte>,
    y: Sink<'a>,
}

impl RowKernel for Forward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let mut scratch = Scratch::new(self.between.vectors());
        let vectors = SharedPtr::of_pointer(scratch.as_mut_ptr());
        let normalise =
            lrn::Forward { lrn: self.lrn, x: self.x, y: Sink::ring(&self.between, vectors) };
        let pool = window::Forward {
            op: self.max,
            axes: self.axes,
            x: Source::ring(&self.between, vectors),
            y: self.y,
        };
        let down = &self.axes[0];
        let mut next = 0;
        for row in rows {
            if let Some(last) = down.on_picture(row).last() {
                let first = (row * down.stride).saturating_sub(down.padding).max(next);
                next = down.input_of(row, last) + 1;
                // SAFETY: the rows lie on the picture, and the ring holds a window's rows.
                unsafe { normalise.rows::<S>(0, first..next) };
            }
            for block in 0..self.y.map.blocks() {
                // SAFETY: the row is the caller's, and what it is made from is in the ring.
                unsafe { pool.rows::<S>(block, row..row + 1) };
            }
        }
    }
}

/// The gradient of [`forward`] at `x`.
///
/// # Panics
/// As [`lrn::backward`] and [`pool::max_backward`](crate::pool::max_backward) do, and if the window has more
/// than [`pool::FEW_ELEMENTS`](crate::pool::FEW_ELEMENTS).
pub fn backward(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    x: MapRef<'_>,
    dy: MapRef<'_>,
    argmax: &[u8],
    dx: Destination<'_>,
) {
    x.map().assert_same_extent(dx.map());
    let (x, rows) = (Source::new(x), 0..dx.map().height());
    run_backward(cx, lrn, geometry, x, (dy, argmax), Sink::new(dx), rows);
}

/// As [`backward`], with `x` where the gradient is to be.
///
/// # Panics
/// As [`backward`], and if the gradient is to be added to what is there.
pub fn backward_in_place(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    dy: MapRef<'_>,
    argmax: &[u8],
    x: Destination<'_>,
) {
    assert_eq!(x.mode, WriteMode::Overwrite, "the gradient takes the place of the values");
    let (rows, dx) = (0..x.map().height(), Sink::new(x));
    run_backward(cx, lrn, geometry, Source::under(&dx), (dy, argmax), dx, rows);
}

/// As [`backward`], of some `rows` of the input alone, which was [kept](crate::quantised) for it.
///
/// # Panics
/// As [`backward`], and if there are no such rows.
pub fn backward_rows(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    x: QuantisedRef<'_>,
    (dy, argmax): (MapRef<'_>, &[u8]),
    dx: Destination<'_>,
    rows: Range<usize>,
) {
    x.map.assert_same_extent(dx.map());
    assert!(rows.end <= dx.map().height(), "the input has no such rows");
    run_backward(cx, lrn, geometry, x, (dy, argmax), Sink::new(dx), rows);
}

fn run_backward<X: Values>(
    cx: &Context,
    lrn: &Lrn,
    geometry: &ConvGeometry,
    x: X,
    (dy, argmax): (MapRef<'_>, &[u8]),
    dx: Sink<'_>,
    rows: Range<usize>,
) {
    let map = dx.map;
    let kernel = Backward {
        lrn: Windows::new(lrn, &map),
        axes: geometry.axes(&map, dy.map()),
        x,
        between: some_rows(&map, 1),
        argmax: MaxGradient::new(geometry, dy.map(), argmax),
        dy: Source::new(dy),
        dx,
    };
    let row_bytes = 3 * map.blocks() * dx.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the gradient and the same row of the values alone.
    unsafe { run_some_rows(cx, 1, rows, row_bytes, &kernel) }
}

struct Backward<'a, X> {
    lrn: Windows,
    axes: [Axis; 2],
    x: X,
    /// The one row of the gradient between the two.
    between: BlockedMap,
    argmax: MaxGradient<'a, HalfByte>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl<X: Values> RowKernel for Backward<'_, X> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let mut scratch = Scratch::new(self.between.vectors());
        let vectors = SharedPtr::of_pointer(scratch.as_mut_ptr());
        let pool = window::Backward::new(
            self.argmax,
            self.axes,
            self.dy,
            Sink::ring(&self.between, vectors),
        );
        let normalise = lrn::Backward {
            lrn: self.lrn,
            x: &self.x,
            dy: Source::ring(&self.between, vectors),
            dx: self.dx,
        };
        for row in rows {
            // SAFETY: the row is the caller's; the ring holds it.
            unsafe {
                for block in 0..self.between.blocks() {
                    pool.rows::<S>(block, row..row + 1);
                }
                normalise.rows::<S>(0, row..row + 1);
            }
        }
    }
}
