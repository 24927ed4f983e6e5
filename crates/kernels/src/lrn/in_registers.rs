//! The usual windows over channels, pixel by pixel in registers: a block's vector shifted against its neighbours, in
//! the order in which the sums over rows in memory are made.

use std::ops::Range;

use super::values::{RowOfBlocks, Values};
use super::{Backward, Forward, Kind};
use crate::simd::Simd;

/// The sums of the windows around the sixteen channels of the second of three blocks in a row.
#[inline(always)]
unsafe fn sum<S: Simd, K: Kind>([before, own, after]: [S::V; 3]) -> S::V {
    macro_rules! pairs {
        ($sum:ident, $($above:literal $below:literal)*) => {
            $($sum = S::add(
                $sum,
                S::add(S::shifted::<$below>(before, own), S::shifted::<$above>(own, after)),
            );)*
        };
    }
    // SAFETY: the caller promises the level.
    unsafe {
        let mut sum = own;
        if K::HALF == Some(5) {
            pairs!(sum, 5 11 4 12 3 13);
        }
        pairs!(sum, 2 14 1 15);
        sum
    }
}

impl Forward<'_> {
    #[inline(always)]
    pub(super) unsafe fn in_registers<S: Simd, K: Kind>(&self, rows: Range<usize>) {
        let (lrn, width) = (&self.lrn, self.x.map.width());
        // SAFETY: rows, columns and blocks lie in the maps.
        unsafe {
            for row in rows.clone() {
                let (x, to) = (Values::row(&self.x, row), self.y.row_of_blocks(row));
                for column in 0..width {
                    let mut value = x.fetch::<S>(0, column);
                    let (mut before, mut own) = (S::zero(), S::mul(value, value));
                    for block in 0..lrn.blocks {
                        let next = x.fetch_or_zero::<S>(block + 1, column, lrn.blocks);
                        let after = S::mul(next, next);
                        let (power, _) = lrn.powers::<S, K>(sum::<S, K>([before, own, after]));
                        let (y, live) = (S::mul(value, power), lrn.live(block));
                        let y = if live == u16::MAX { y } else { S::keep(y, live) };
                        to.put::<S>(block, column, y);
                        (value, before, own) = (next, own, after);
                    }
                }
            }
            (0..lrn.blocks).for_each(|block| self.y.close(block, rows.clone()));
        }
    }
}

impl<X: Values> Backward<'_, X> {
    #[inline(always)]
    pub(super) unsafe fn in_registers<S: Simd, K: Kind>(&self, rows: Range<usize>) {
        let (lrn, width) = (&self.lrn, self.dx.map.width());
        // SAFETY: rows, columns and blocks lie in the maps.
        unsafe {
            let factor = S::splat(-2.0 * lrn.lrn.alpha * lrn.lrn.beta);
            for row in rows.clone() {
                let (x, dy) = (self.x.row(row), Values::row(&self.dy, row));
                let to = self.dx.row_of_blocks(row);
                for column in 0..width {
                    let mut value = x.fetch::<S>(0, column);
                    let mut squares = [S::zero(), S::zero(), S::mul(value, value)];
                    // `dy · x · s^(−β−1)`, and of the block before: `dy · s^−β` and `x`
                    let mut shared = [S::zero(); 3];
                    let (mut own, mut last) = (S::zero(), S::zero());
                    for block in 0..=lrn.blocks {
                        let next = x.fetch_or_zero::<S>(block + 1, column, lrn.blocks);
                        squares = [squares[1], squares[2], S::mul(next, next)];
                        let (mut product, mut power) = (S::zero(), S::zero());
                        if block < lrn.blocks {
                            let live = lrn.live(block);
                            let (p, mut steeper) = lrn.powers::<S, K>(sum::<S, K>(squares));
                            power = p;
                            if live != u16::MAX {
                                (power, steeper) = (S::keep(power, live), S::keep(steeper, live));
                            }
                            let dy = dy.fetch::<S>(block, column);
                            product = S::mul(S::mul(dy, value), steeper);
                            power = S::mul(dy, power);
                        }
                        shared = [shared[1], shared[2], product];
                        if block > 0 {
                            let sum = sum::<S, K>(shared);
                            let dx = S::fma(S::mul(last, factor), sum, own);
                            to.put::<S>(block - 1, column, dx);
                        }
                        (own, last, value) = (power, value, next);
                    }
                }
            }
            (0..lrn.blocks).for_each(|block| self.dx.close(block, rows.clone()));
        }
    }
}
