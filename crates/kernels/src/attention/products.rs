//! Products of a head's matrix with vectors that have sixteen positions in them.

use super::LANES;
use super::dense::{Dense, Matrix};
use crate::exponential::exp;
use crate::simd::Simd;

/// Writes a vector for each channel of sixteen positions of a head; those past the last are 0.
///
/// # Safety
/// The first position is one of the head's, and `to` has room.
#[inline(always)]
pub(super) unsafe fn transposed(from: Dense, head: usize, first: usize, to: *mut f32) {
    let count = LANES.min(from.positions - first);
    // SAFETY: the caller's promise.
    unsafe {
        for lane in 0..LANES {
            for channel in 0..from.heads.channels {
                let value = match lane < count {
                    true => *from.at(head, first + lane).add(channel),
                    false => 0.0,
                };
                *to.add(LANES * channel + lane) = value;
            }
        }
    }
}

/// `to` = a vector for each of `rows` rows of `matrix`: the sum of its `columns` columns times the vectors `by`.
///
/// # Safety
/// The matrix has these rows and columns, `by` a vector for each column, and `to` room for each row.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(
    matrix: Matrix,
    by: *const f32,
    columns: usize,
    to: *mut f32,
    rows: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if S::HELD >= 32 {
            multiply_by::<S, 12>(matrix, by, columns, to, rows);
        } else {
            multiply_by::<S, 4>(matrix, by, columns, to, rows);
        }
    }
}

/// # Safety
/// As [`multiply`].
#[inline(always)]
unsafe fn multiply_by<S: Simd, const N: usize>(
    matrix: Matrix,
    by: *const f32,
    columns: usize,
    to: *mut f32,
    rows: usize,
) {
    let mut row = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while row + N <= rows {
            several::<S, N>(matrix, by, columns, to, row);
            row += N;
        }
        while row < rows {
            several::<S, 1>(matrix, by, columns, to, row);
            row += 1;
        }
    }
}

/// # Safety
/// As [`multiply`], and there are `N` rows from `row` on.
#[inline(always)]
unsafe fn several<S: Simd, const N: usize>(
    Matrix { start, by_row, by_column }: Matrix,
    by: *const f32,
    columns: usize,
    to: *mut f32,
    row: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [S::zero(); N];
        let mut at = start.add(row * by_row);
        for column in 0..columns {
            let vector = S::load(by.add(LANES * column));
            for n in 0..N {
                sums[n] = S::fma(S::splat(*at.add(n * by_row)), vector, sums[n]);
            }
            at = at.wrapping_add(by_column);
        }
        for n in 0..N {
            S::store(to.add(LANES * (row + n)), sums[n]);
        }
    }
}

/// The exponential of a product's distance to the largest of its query, both before they are scaled.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
pub(super) unsafe fn weights_of<S: Simd>(scale: f32, product: S::V, largest: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { exp::<S>(S::mul(S::sub(product, largest), S::splat(scale))) }
}

/// Makes exponentials of `count` vectors of products; returns what [`weights_of`] takes for the largest, and one
/// over the sum of the exponentials.
///
/// # Safety
/// There are as many vectors, and the processor has the level.
#[inline(always)]
pub(super) unsafe fn softmax<S: Simd>(
    scale: f32,
    products: *mut f32,
    count: usize,
) -> (S::V, S::V) {
    // SAFETY: the caller's promise.
    unsafe {
        // Scaled by what is below 0, the least product counts for most.
        let mut largest = S::load(products);
        for i in 1..count {
            let product = S::load(products.add(LANES * i));
            largest = match scale < 0.0 {
                true => S::min(largest, product),
                false => S::max(largest, product),
            };
        }
        let mut sum = S::zero();
        for i in 0..count {
            let at = products.add(LANES * i);
            let weight = weights_of::<S>(scale, S::load(at), largest);
            sum = S::add(sum, weight);
            S::store(at, weight);
        }
        (largest, S::div(S::splat(1.0), sum))
    }
}
