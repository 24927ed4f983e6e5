//! Maps kept for a backward pass in sixteen bits a value, a little more than half of their memory.
//!
//! Values are whole numbers times a scale that a channel has for 32 pixels of a row: none differs from what it stands
//! for by more than 1/65534 of the largest among them. Pixels of all blocks lie together, as what goes over
//! all channels of a pixel reads them.

use std::ops::Range;

use crate::rows::{RowKernel, Source, run_some_rows};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::{BlockedMap, Context, MapRef, Vec16};

/// Pixels of a row that share their scales.
const PIXELS: usize = 32;

/// Vectors of such pixels of one block: the scales, and two pixels in each.
const GROUP: usize = 1 + PIXELS / 2;

/// The largest number, which stands for the largest value.
const LARGEST: f32 = 32767.0;

/// What scales are made of at the least: the quotient of the numbers and it is finite.
const SMALLEST: f32 = 1e-30;

/// The extent of a map in this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantisedMap {
    blocks: usize,
    height: usize,
    width: usize,
}

impl QuantisedMap {
    /// That of `map`, of which all rows are kept.
    pub fn of(map: &BlockedMap) -> Self {
        Self { blocks: map.blocks(), height: map.height(), width: map.width() }
    }

    /// Vectors in all.
    pub fn vectors(&self) -> usize {
        self.height.saturating_mul(self.row())
    }

    /// Vectors of a row.
    fn row(&self) -> usize {
        self.width.div_ceil(PIXELS).saturating_mul(self.blocks).saturating_mul(GROUP)
    }

    /// # Panics
    /// If the other map has other blocks, rows or columns.
    #[track_caller]
    pub(crate) fn assert_same_extent(&self, map: &BlockedMap) {
        assert_eq!(*self, Self::of(map), "the maps differ in extent");
    }
}

/// A map in this form that is read.
#[derive(Clone, Copy)]
pub struct QuantisedRef<'a> {
    pub(crate) map: QuantisedMap,
    vectors: &'a [Vec16],
}

impl<'a> QuantisedRef<'a> {
    /// The map that `vectors` hold.
    ///
    /// # Panics
    /// If there are not as many vectors as the map has.
    #[track_caller]
    pub fn new(map: QuantisedMap, vectors: &'a [Vec16]) -> Self {
        assert_eq!(vectors.len(), map.vectors(), "the slice is not the map's");
        Self { map, vectors }
    }

    /// All blocks of a row.
    ///
    /// # Safety
    /// The row lies in the map.
    #[inline(always)]
    pub(crate) unsafe fn row(&self, row: usize) -> QuantisedRow {
        // SAFETY: the slice is as long as the map.
        let first = unsafe { self.vectors.as_ptr().add(row * self.map.row()) };
        QuantisedRow { first, blocks: self.map.blocks }
    }
}

/// All blocks of a row.
pub(crate) struct QuantisedRow {
    first: *const Vec16,
    blocks: usize,
}

impl QuantisedRow {
    /// A pixel of a block.
    ///
    /// # Safety
    /// There are such a block and column, and the processor has the level.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let group = self.first.add((column / PIXELS * self.blocks + block) * GROUP);
            let numbers = group.add(1).cast::<[i16; 16]>().add(column % PIXELS);
            S::mul(S::load_words(numbers.cast()), S::load(group.cast()))
        }
    }

    /// As [`Self::load`], and asks for the same of the next pixels.
    ///
    /// # Safety
    /// As for [`Self::load`].
    #[inline(always)]
    pub(crate) unsafe fn fetch<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise; what is asked for may lie anywhere.
        unsafe {
            let next = ((column / PIXELS + 1) * self.blocks + block) * GROUP;
            S::prefetch(self.first.wrapping_add(next + column % PIXELS / 2 + 1).cast());
            self.load::<S>(block, column)
        }
    }
}

/// Keeps `rows` of `x` in `to`, which is like it.
///
/// # Panics
/// If there are no such rows, or not as many vectors as the map has.
pub fn quantise(
    cx: &Context,
    x: MapRef<'_>,
    (map, to): (QuantisedMap, &mut [Vec16]),
    rows: Range<usize>,
) {
    assert!(rows.end <= map.height, "the map has no such rows");
    let kernel = Quantise::new(Source::new(x), map, to);
    let row_bytes = 2 * map.blocks * kernel.x.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the same row of the input alone.
    unsafe { run_some_rows(cx, 1, rows, row_bytes, &kernel) }
}

/// The kernel of [`quantise`]. Rows have all their blocks.
pub(crate) struct Quantise<'a> {
    x: Source<'a>,
    map: QuantisedMap,
    to: SharedPtr<Vec16>,
}

impl<'a> Quantise<'a> {
    /// # Panics
    /// If the maps differ in extent, or there are not as many vectors as the map has.
    #[track_caller]
    pub(crate) fn new(x: Source<'a>, map: QuantisedMap, to: &'a mut [Vec16]) -> Self {
        map.assert_same_extent(&x.map);
        assert_eq!(to.len(), map.vectors(), "the slice is not the map's");
        Self { x, map, to: SharedPtr::of(to) }
    }
}

impl RowKernel for Quantise<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        let QuantisedMap { blocks, width, .. } = self.map;
        // SAFETY: rows, columns and blocks lie in both maps.
        unsafe {
            let [largest, smallest] = [LARGEST, SMALLEST].map(|value| S::splat(value));
            for row in rows {
                for start in (0..width).step_by(PIXELS) {
                    let pixels = PIXELS.min(width - start);
                    for block in 0..blocks {
                        let from = self.x.row(block, row).add(start * 16);
                        let mut most = smallest;
                        for p in 0..pixels {
                            let x = S::load(from.add(p * 16));
                            most = S::max(most, S::max(x, S::sub(S::zero(), x)));
                        }
                        let place =
                            row * self.map.row() + (start / PIXELS * blocks + block) * GROUP;
                        let group = self.to.get().add(place);
                        S::store(group.cast(), S::mul(most, S::splat(1.0 / LARGEST)));
                        let (factor, numbers) =
                            (S::div(largest, most), group.add(1).cast::<[i16; 16]>());
                        for p in 0..pixels {
                            let x = S::mul(S::load(from.add(p * 16)), factor);
                            S::store_words(numbers.add(p).cast(), x);
                        }
                    }
                }
            }
        }
    }
}
