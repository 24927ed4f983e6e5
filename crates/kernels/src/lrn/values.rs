//! The values that a normalisation is of: a map as any other, or one that is kept for the backward pass alone.

use crate::quantised::{QuantisedRef, QuantisedRow};
use crate::rows::Source;
use crate::simd::Simd;

/// How far ahead pixels are fetched.
const AHEAD: usize = 16;

/// A map to go over row by row.
pub(crate) trait Values: Sync {
    /// All blocks of a row.
    type Row: RowOfBlocks;

    /// A row.
    ///
    /// # Safety
    /// It lies in the map.
    unsafe fn row(&self, row: usize) -> Self::Row;
}

/// All blocks of a row.
///
/// # Safety
/// Functions want a block and a column of the map, and a processor that has the level.
pub(crate) trait RowOfBlocks {
    /// A pixel of a block.
    unsafe fn load<S: Simd>(&self, block: usize, column: usize) -> S::V;

    /// A pixel that is read for the first time: those behind it are asked for.
    unsafe fn fetch<S: Simd>(&self, block: usize, column: usize) -> S::V;

    /// As [`Self::fetch`], or zeros from block number `count` on.
    #[inline(always)]
    unsafe fn fetch_or_zero<S: Simd>(&self, block: usize, column: usize, count: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { if block < count { self.fetch::<S>(block, column) } else { S::zero() } }
    }
}

impl<X: Values> Values for &X {
    type Row = X::Row;

    #[inline(always)]
    unsafe fn row(&self, row: usize) -> X::Row {
        // SAFETY: the caller's promise.
        unsafe { X::row(self, row) }
    }
}

impl Values for Source<'_> {
    type Row = Blocks;

    #[inline(always)]
    unsafe fn row(&self, row: usize) -> Blocks {
        // SAFETY: the caller's promise.
        Blocks { first: unsafe { self.row(0, row) }, apart: 16 * self.map.block() }
    }
}

/// A row of all blocks of a map.
pub(crate) struct Blocks {
    first: *const f32,
    /// Values between blocks.
    apart: usize,
}

impl Blocks {
    #[inline(always)]
    fn at(&self, block: usize, column: usize) -> *const f32 {
        self.first.wrapping_add(block * self.apart + 16 * column)
    }
}

impl RowOfBlocks for Blocks {
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::load(self.at(block, column)) }
    }

    #[inline(always)]
    unsafe fn fetch<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let from = self.at(block, column);
            S::prefetch(from.wrapping_add(16 * AHEAD));
            S::load(from)
        }
    }
}

impl Values for QuantisedRef<'_> {
    type Row = QuantisedRow;

    #[inline(always)]
    unsafe fn row(&self, row: usize) -> QuantisedRow {
        // SAFETY: the caller's promise.
        unsafe { self.row(row) }
    }
}

impl RowOfBlocks for QuantisedRow {
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { self.load::<S>(block, column) }
    }

    #[inline(always)]
    unsafe fn fetch<S: Simd>(&self, block: usize, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { self.fetch::<S>(block, column) }
    }
}
