//! Max pooling of windows side by side where its input lies: the maps that Inception's blocks pool are among the
//! largest of all, and nobody needs them afterwards.
//!
//! Rows are copied into a thread's own memory just before their place is written, as many as a window reaches.
//! Where blocks are too few for the threads, each is cut into bands of rows; what bands read of each other is
//! kept aside before any begins.

use std::ops::Range;

use super::{Max, MaxGradient, MaxWindow};
use crate::argmax::{HalfByte, has_few};
use crate::geometry::{Axis, ConvGeometry};
use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::threads::part;
use crate::{BlockedMap, Context, Destination, MapMut, Vec16, WriteMode, window};

/// Tasks for each thread, at the least, that even out threads that are slowed down.
const TASKS_PER_THREAD: usize = 4;

/// The most rows that a window reaches over: each thread copies as many.
const MOST_REACH: usize = 16;

/// A pool for maps of one extent whose output can lie where its input does.
#[derive(Clone, Copy, Debug)]
pub struct InPlace {
    map: BlockedMap,
    padding: usize,
    /// Rows of the input that a window reaches over.
    reach: usize,
    /// Rows of one block that are copied before they are overwritten.
    ring: BlockedMap,
}

impl InPlace {
    /// The pool from `x` to `y`; `None` if one cannot lie where the other does: if the window moves by more than a
    /// pixel or is large, or the maps are not alike or have halos.
    pub fn new(geometry: &ConvGeometry, x: &BlockedMap, y: &BlockedMap) -> Option<Self> {
        let reach = (geometry.kernel()[0] - 1).checked_mul(geometry.dilation()[0])? + 1;
        let padding = geometry.padding()[0];
        let fits = geometry.stride() == [1, 1]
            && has_few(geometry)
            && padding < reach
            && reach <= x.height().min(MOST_REACH)
            && x == y
            && x.halo() == 0
            && x.kept() == x.height();
        let ring = BlockedMap::new(1, reach.checked_next_power_of_two()?, x.width(), 0)?;
        fits.then_some(Self { map: *x, padding, reach, ring })
    }

    /// Bytes of memory that each thread works in, and that the thread that calls takes beside that.
    pub fn scratch_bytes(&self, threads: usize) -> [u64; 2] {
        let bytes = |vectors: usize| (vectors * size_of::<Vec16>()) as u64;
        [bytes(self.ring.vectors()), bytes(self.edges(self.bands(threads)))]
    }

    /// Into how many bands each block is cut for so many threads.
    fn bands(&self, threads: usize) -> usize {
        let wanted = threads.saturating_mul(TASKS_PER_THREAD).div_ceil(self.map.blocks().max(1));
        wanted.clamp(1, self.map.height() / self.reach)
    }

    /// Vectors of the rows that bands read of each other.
    fn edges(&self, bands: usize) -> usize {
        self.map.blocks() * (bands - 1) * (self.reach - 1) * self.map.width()
    }
}

/// As [`max_forward`](super::max_forward), with `x` where the output is to be.
///
/// # Panics
/// If the pool cannot be [in place](InPlace::new), or the argmax is not the output's.
pub fn max_forward_in_place(cx: &Context, max: &Max, x: MapMut<'_>, argmax: &mut [u8]) {
    let map = *x.map();
    let pool = InPlace::new(&max.geometry, &map, &map).expect("a pool that can be in place");
    let kernel = Forward {
        max: MaxWindow::new(max, &map, argmax),
        axes: max.geometry.axes(&map, &map),
        y: Sink::overwrite(x),
    };
    run(cx, &pool, pool.padding, &kernel);
}

/// As [`max_backward`](super::max_backward), with `dy` where the gradient is to be.
///
/// # Panics
/// If the pool cannot be [in place](InPlace::new), the argmax is not the output's, or the gradient is to be added to
/// what is there.
pub fn max_backward_in_place(
    cx: &Context,
    geometry: &ConvGeometry,
    argmax: &[u8],
    dy: Destination<'_>,
) {
    assert_eq!(dy.mode, WriteMode::Overwrite, "the gradient takes the place of the output's");
    let dx = Sink::new(dy);
    let map = dx.map;
    let pool = InPlace::new(geometry, &map, &map).expect("a pool that can be in place");
    let argmax = MaxGradient::new(geometry, &map, argmax);
    let kernel = Backward { argmax, axes: geometry.axes(&map, &map), dx };
    // What a window reads below its own row is read, on the way back, by the rows below.
    run(cx, &pool, pool.reach - 1 - pool.padding, &kernel);
}

/// What makes a row of a block out of a ring that holds the rows it needs.
trait Row: Sync {
    /// The map that is read and written.
    fn sink(&self) -> &Sink<'_>;

    /// Makes a row.
    ///
    /// # Safety
    /// Block and row lie in the map, nobody else touches the row, `ring` holds what its window reads, and the
    /// processor has the level.
    unsafe fn row<S: Simd>(&self, block: usize, ring: Source<'_>, row: usize);
}

struct Forward<'a> {
    max: MaxWindow<HalfByte>,
    axes: [Axis; 2],
    y: Sink<'a>,
}

impl Row for Forward<'_> {
    fn sink(&self) -> &Sink<'_> {
        &self.y
    }

    #[inline(always)]
    unsafe fn row<S: Simd>(&self, block: usize, ring: Source<'_>, row: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let op = self.max.of_block(block, &self.y.map);
            let pool = window::Forward { op, axes: self.axes, x: ring, y: self.y.of_block(block) };
            pool.rows::<S>(0, row..row + 1);
        }
    }
}

struct Backward<'a> {
    argmax: MaxGradient<'a, HalfByte>,
    axes: [Axis; 2],
    dx: Sink<'a>,
}

impl Row for Backward<'_> {
    fn sink(&self) -> &Sink<'_> {
        &self.dx
    }

    #[inline(always)]
    unsafe fn row<S: Simd>(&self, block: usize, ring: Source<'_>, row: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let argmax = self.argmax.of_block(block, &self.dx.map);
            let pool = window::Backward::new(argmax, self.axes, ring, self.dx.of_block(block));
            pool.rows::<S>(0, row..row + 1);
        }
    }
}

/// Runs `row` over all rows, of which each reads `before` rows above it.
fn run<R: Row>(cx: &Context, pool: &InPlace, before: usize, row: &R) {
    let (map, bands) = (&pool.map, pool.bands(cx.threads().count()));
    let after = pool.reach - 1 - before;
    let vectors = Source::under(row.sink());
    let mut edges = Scratch::new(pool.edges(bands));
    let edges = SharedPtr::of_pointer(edges.as_mut_ptr());
    let bands = Bands { map, vectors, edges, count: bands, before, after };
    let kernel = InBands { ring: pool.ring, bands: &bands, row };
    let tasks = map.blocks() * bands.count;
    let row_bytes = map.height() / bands.count * row.sink().row_bytes();
    // SAFETY: bands do not overlap; each keeps what others read of it before any is written.
    unsafe {
        if bands.count > 1 {
            run_rows(cx, tasks, 1, row_bytes, &bands);
        }
        run_rows(cx, tasks, 1, row_bytes, &kernel);
    }
}

/// The bands of all blocks, and what they read of each other. As a kernel, it keeps that.
struct Bands<'a> {
    map: &'a BlockedMap,
    vectors: Source<'a>,
    /// The rows about the end of each band of a block but its last.
    edges: SharedPtr<Vec16>,
    /// Bands of a block.
    count: usize,
    /// Rows that a row reads above and below it.
    before: usize,
    after: usize,
}

impl Bands<'_> {
    /// A task's block, the band's number in it and its rows.
    fn of(&self, task: usize) -> (usize, usize, Range<usize>) {
        let (block, band) = (task / self.count, task % self.count);
        (block, band, part(band, self.count, self.map.height()))
    }

    /// Where a row lies that was kept aside about the end of a band.
    ///
    /// # Safety
    /// The band is not the last, and the row is one of those.
    unsafe fn edge(&self, block: usize, band: usize, row: usize) -> *mut Vec16 {
        let first = part(band, self.count, self.map.height()).end - self.before;
        let number = block * (self.count - 1) + band;
        let rows = number * (self.before + self.after) + (row - first);
        // SAFETY: the caller's promise.
        unsafe { self.edges.get().add(rows * self.map.width()) }
    }
}

impl RowKernel for Bands<'_> {
    unsafe fn rows<S: Simd>(&self, task: usize, _rows: Range<usize>) {
        let (block, band, rows) = self.of(task);
        if band + 1 == self.count {
            return;
        }
        for row in rows.end - self.before..rows.end + self.after {
            // SAFETY: bands have at least as many rows as a window reaches over.
            unsafe {
                let from = self.vectors.row(block, row).cast::<Vec16>();
                self.edge(block, band, row).copy_from_nonoverlapping(from, self.map.width());
            }
        }
    }
}

struct InBands<'a, R> {
    ring: BlockedMap,
    bands: &'a Bands<'a>,
    row: &'a R,
}

impl<R: Row> RowKernel for InBands<'_, R> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, task: usize, _rows: Range<usize>) {
        let Self { ring, bands, row: kernel } = *self;
        let (block, band, rows) = bands.of(task);
        let mut scratch = Scratch::new(ring.vectors());
        let copies = SharedPtr::of_pointer(scratch.as_mut_ptr());
        let (own, ring) = (rows.clone(), Source::ring(&ring, copies));
        // SAFETY: a row is copied before its place is written, from aside where it is another band's; the ring has
        // room for all that one row reads.
        unsafe {
            let copy = |row: usize| {
                let from = if row < own.start {
                    bands.edge(block, band - 1, row)
                } else if row < own.end {
                    bands.vectors.row(block, row).cast()
                } else {
                    bands.edge(block, band, row)
                };
                let to = ring.row(0, row).cast::<Vec16>().cast_mut();
                to.copy_from_nonoverlapping(from, bands.map.width());
            };
            let end = (rows.end + bands.after).min(bands.map.height());
            let first = rows.start.saturating_sub(bands.before);
            (first..(rows.start + bands.after).min(end)).for_each(copy);
            for row in rows {
                if row + bands.after < end {
                    copy(row + bands.after);
                }
                kernel.row::<S>(block, ring, row);
            }
        }
    }
}
