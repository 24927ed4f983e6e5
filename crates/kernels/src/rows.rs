//! How the memory-bound kernels run: rows of a map handed out to the threads, each run compiled for the
//! CPU level, and what they all do at their ends (where values come from, how results are written).

use std::marker::PhantomData;
use std::ops::Range;

use crate::map::clear_halo;
use crate::shared_ptr::SharedPtr;
use crate::simd::{Simd, for_level};
use crate::threads::{even_tasks, part};
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16, WriteMode};

/// Memory that one task touches, about: enough to hide what handing it out costs.
pub(crate) const TASK_BYTES: usize = 192 << 10;

/// The least that a task touches, where larger tasks would be too few for all threads to end together.
pub(crate) const LEAST_TASK_BYTES: usize = TASK_BYTES / 4;

/// A kernel that makes any rows of its output from its input alone.
pub(crate) trait RowKernel: Sync {
    /// Makes `rows` of `block`.
    ///
    /// # Safety
    /// The processor has the level's instructions; block and rows lie in the output; nobody else makes
    /// these rows.
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>);
}

struct Run<'a, K> {
    kernel: &'a K,
    block: usize,
    rows: Range<usize>,
}

#[inline(always)]
unsafe fn run<S: Simd, K: RowKernel>(run: &Run<'_, K>) {
    // SAFETY: the caller's promise is the same.
    unsafe { run.kernel.rows::<S>(run.block, run.rows.clone()) }
}

for_level! {
    unsafe fn run_for_level<K: RowKernel>(Run<'_, K>) = run
}

/// Runs `kernel` over every row of `blocks` blocks of `height` rows. One row touches about `row_bytes`
/// of memory.
///
/// # Safety
/// The kernel may make all these rows, different ones at the same time.
pub(crate) unsafe fn run_rows<K: RowKernel>(
    cx: &Context,
    blocks: usize,
    height: usize,
    row_bytes: usize,
    kernel: &K,
) {
    // SAFETY: the caller's promise.
    unsafe { run_some_rows(cx, blocks, 0..height, row_bytes, kernel) }
}

/// As [`run_rows`], of some `rows` of each block.
///
/// # Safety
/// The kernel may make all these rows, different ones at the same time.
pub(crate) unsafe fn run_some_rows<K: RowKernel>(
    cx: &Context,
    blocks: usize,
    rows: Range<usize>,
    row_bytes: usize,
    kernel: &K,
) {
    let (first, height) = (rows.start, rows.len());
    let total = blocks * height;
    let bytes = total.saturating_mul(row_bytes);
    let tasks = even_tasks(cx.threads().count()).min(bytes.div_ceil(LEAST_TASK_BYTES));
    let tasks = bytes.div_ceil(TASK_BYTES).max(tasks).clamp(1, total.max(1));
    cx.threads().for_each(tasks, |task| {
        let Range { start: mut row, end } = part(task, tasks, total);
        while row < end {
            let block = row / height;
            let stop = end.min((block + 1) * height);
            let rows = first + row - block * height..first + stop - block * height;
            // SAFETY: the level is the context's, which the processor has; tasks do not overlap.
            unsafe { run_for_level(cx.level(), &Run { kernel, block, rows }) };
            row = stop;
        }
    });
}

/// A block's vector of a slice.
///
/// # Safety
/// There is one, and the processor has the level.
#[inline(always)]
pub(crate) unsafe fn of_block<S: Simd>(vectors: &[Vec16], block: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::load(vectors.as_ptr().add(block).cast()) }
}

/// A map that is read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) map: BlockedMap,
    vectors: SharedPtr<Vec16>,
    ring: usize,
    borrowed: PhantomData<&'a [Vec16]>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(x: MapRef<'a>) -> Self {
        let vectors = SharedPtr::reading(x.vectors());
        Self { map: *x.map(), vectors, ring: usize::MAX, borrowed: PhantomData }
    }

    /// A ring as [`Sink::ring`] makes it.
    pub(crate) fn ring(map: &BlockedMap, vectors: SharedPtr<Vec16>) -> Self {
        Self { map: *map, vectors, ring: ring(map), borrowed: PhantomData }
    }

    /// What lies where `sink` writes, to be read before it is overwritten.
    pub(crate) fn under(sink: &Sink<'a>) -> Self {
        Self { map: sink.map, vectors: sink.vectors, ring: sink.ring, borrowed: PhantomData }
    }

    /// Memory one row takes.
    pub(crate) fn row_bytes(&self) -> usize {
        row_bytes(&self.map)
    }

    /// The first pixel of a row.
    ///
    /// # Safety
    /// The row lies in the map.
    #[inline(always)]
    pub(crate) unsafe fn row(&self, block: usize, row: usize) -> *const f32 {
        // SAFETY: the slice is as long as the map.
        unsafe { self.vectors.get().add(self.map.at(block, (row & self.ring) as isize, 0)).cast() }
    }
}

/// A map that is written: overwritten or added to, under an optional mask.
#[derive(Clone, Copy)]
pub(crate) struct Sink<'a> {
    pub(crate) map: BlockedMap,
    vectors: SharedPtr<Vec16>,
    ring: usize,
    mode: WriteMode,
    mask: Option<&'a [u16]>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(y: Destination<'a>) -> Self {
        let Destination { y, mode, mask } = y;
        let map = *y.map();
        Self { map, vectors: SharedPtr::of(y.into_vectors()), ring: usize::MAX, mode, mask }
    }

    /// The memory of the last few rows of a map that is never whole: rows lie in `map` at their number
    /// modulo its height, a power of two. It has no halo, and `vectors` are as many as the map's.
    pub(crate) fn ring(map: &BlockedMap, vectors: SharedPtr<Vec16>) -> Self {
        Self { map: *map, vectors, ring: ring(map), mode: WriteMode::Overwrite, mask: None }
    }

    /// A map that is overwritten.
    pub(crate) fn overwrite(y: MapMut<'a>) -> Self {
        Self::new(Destination::overwrite(y))
    }

    /// Memory one row takes.
    pub(crate) fn row_bytes(&self) -> usize {
        row_bytes(&self.map)
    }

    /// A row's output.
    ///
    /// # Safety
    /// The row lies in the map.
    #[inline(always)]
    pub(crate) unsafe fn row(&self, block: usize, row: usize) -> SinkRow {
        // SAFETY: the slice is as long as the map, the mask as its pixels.
        unsafe {
            SinkRow {
                to: self
                    .vectors
                    .get()
                    .add(self.map.at(block, (row & self.ring) as isize, 0))
                    .cast(),
                add: self.mode == WriteMode::Accumulate,
                mask: self.mask.map(|mask| mask.as_ptr().add(self.map.pixel(block, row, 0))),
            }
        }
    }

    /// One block of a map, as a map of its own.
    ///
    /// # Safety
    /// There is such a block.
    #[inline(always)]
    pub(crate) unsafe fn of_block(&self, block: usize) -> Self {
        // SAFETY: the caller's promise; the mask is as long as the map's pixels.
        let first = unsafe { self.vectors.get().add(block * self.map.block()) };
        let mask = self.mask.map(|mask| &mask[self.map.pixel(block, 0, 0)..]);
        let map = self.map.first_block();
        Self { map, vectors: SharedPtr::of_pointer(first), mask, ..*self }
    }

    /// A row's output in all blocks.
    ///
    /// # Safety
    /// The row lies in the map.
    #[inline(always)]
    pub(crate) unsafe fn row_of_blocks(&self, row: usize) -> SinkRows {
        // SAFETY: the caller's promise.
        let first = unsafe { self.row(0, row) };
        let [vectors, pixels] = [self.map.block(), self.map.height() * self.map.width()];
        SinkRows { first, vectors, pixels }
    }

    /// Clears the halo of rows that were overwritten; every kernel calls it once for the rows it made.
    ///
    /// # Safety
    /// The rows lie in the map, and nobody else touches them.
    #[inline(always)]
    pub(crate) unsafe fn close(&self, block: usize, rows: Range<usize>) {
        if self.mode == WriteMode::Overwrite {
            // SAFETY: the block lies in the slice, and the rows are the caller's.
            unsafe { clear_halo(&self.map, self.vectors.get().add(block * self.map.block()), rows) }
        }
    }
}

/// Where a row's results go.
#[derive(Clone, Copy)]
pub(crate) struct SinkRow {
    to: *mut f32,
    add: bool,
    mask: Option<*const u16>,
}

impl SinkRow {
    /// Writes one pixel.
    ///
    /// # Safety
    /// The column lies in the map, the row is the caller's alone, and the processor has the level.
    #[inline(always)]
    pub(crate) unsafe fn put<S: Simd>(&self, column: usize, value: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.to.add(column * 16);
            let mut value = if self.add { S::add(S::load(to), value) } else { value };
            if let Some(mask) = self.mask {
                value = S::keep(value, *mask.add(column));
            }
            S::store(to, value);
        }
    }

    /// Writes one pixel, whatever is there.
    ///
    /// # Safety
    /// As for [`Self::put`].
    #[inline(always)]
    pub(crate) unsafe fn set<S: Simd>(&self, column: usize, value: S::V) {
        // SAFETY: the caller's promise.
        unsafe { S::store(self.to.add(column * 16), value) }
    }

    /// What was written to a pixel.
    ///
    /// # Safety
    /// As for [`Self::put`].
    #[inline(always)]
    pub(crate) unsafe fn get<S: Simd>(&self, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::load(self.to.add(column * 16)) }
    }
}

/// Where a row's results go in all blocks.
pub(crate) struct SinkRows {
    first: SinkRow,
    /// Between blocks.
    vectors: usize,
    /// Between blocks of the mask.
    pixels: usize,
}

impl SinkRows {
    /// Writes one pixel of a block.
    ///
    /// # Safety
    /// As for [`SinkRow::put`], and the block lies in the map.
    #[inline(always)]
    pub(crate) unsafe fn put<S: Simd>(&self, block: usize, column: usize, value: S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            let SinkRow { to, add, mask } = self.first;
            let to = to.add(16 * block * self.vectors);
            let mask = mask.map(|mask| mask.add(block * self.pixels));
            SinkRow { to, add, mask }.put::<S>(column, value);
        }
    }
}

/// What is left of a row's number in a ring.
fn ring(map: &BlockedMap) -> usize {
    assert!(map.height().is_power_of_two() && map.halo() == 0, "no ring");
    map.height() - 1
}

fn row_bytes(map: &BlockedMap) -> usize {
    map.width() * size_of::<Vec16>()
}
