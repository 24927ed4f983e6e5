//! The exponential function and what is made of it, for whole vectors.
//!
//! Errors are absolute where the function's values lie between −1 and 1, and a few units in the last place
//! for [`exp`]. The functions want a processor that has the level; values are any numbers.

use crate::simd::Simd;

/// No exponent is larger: neither the power nor one over it leaves what `f32` holds in full.
pub(crate) const MOST: f32 = 87.0;

/// The least and largest of `x`, brought within `-most..=most`.
#[inline(always)]
pub(crate) unsafe fn within<S: Simd>(x: S::V, most: f32) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::min(S::max(x, S::splat(-most)), S::splat(most)) }
}

/// A polynomial of `x`, the coefficient of its highest power first.
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(x: S::V, coefficients: [f32; N]) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sum = S::splat(coefficients[0]);
        for i in 1..N {
            sum = S::fma(sum, x, S::splat(coefficients[i]));
        }
        sum
    }
}

/// e to the power of `x`, which is brought within ±[`MOST`]: 2ⁿ · exp(r) with |r| ≤ ½ ln 2, and the polynomial
/// of Cephes for exp(r).
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with so few bits that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    // SAFETY: the caller's promise.
    unsafe {
        let x = within::<S>(x, MOST);
        let round = S::splat(ROUND);
        let n = S::sub(S::fma(x, S::splat(std::f32::consts::LOG2_E), round), round);
        let r = S::fma(n, S::splat(-LN_2[0]), x);
        let r = S::fma(n, S::splat(-LN_2[1]), r);
        let rest = S::fma(polynomial::<S, 6>(r, POLYNOMIAL), S::mul(r, r), r);
        S::times_power_of_two(S::add(rest, S::splat(1.0)), n)
    }
}

/// `1 / (1 + exp(−x))`
#[inline(always)]
pub(crate) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::recip(S::add(S::splat(1.0), exp::<S>(S::sub(S::zero(), x)))) }
}

/// `ln(1 + x)` for `x` from 0 to 1: twice the inverse hyperbolic tangent of x / (x + 2), by its series.
#[inline(always)]
pub(crate) unsafe fn ln_1p<S: Simd>(x: S::V) -> S::V {
    const SERIES: [f32; 8] = [2. / 15., 2. / 13., 2. / 11., 2. / 9., 2. / 7., 2. / 5., 2. / 3., 2.];
    // SAFETY: the caller's promise.
    unsafe {
        let z = S::div(x, S::add(x, S::splat(2.0)));
        S::mul(z, polynomial::<S, 8>(S::mul(z, z), SERIES))
    }
}

/// How far from 0 the normal distribution's tail is told from 0.
const TAIL: f32 = 13.0;

/// The normal distribution at `x`: the share that lies below it, and its density there times √(2π).
///
/// The share above z > 0 is exp(−z²/2) · P(t), t = 1 / (1 + 0.24 · z) (the form of Abramowitz and Stegun
/// 7.1.26), with a polynomial P fitted to 3e-10.
#[inline(always)]
pub(crate) unsafe fn normal<S: Simd>(x: S::V) -> (S::V, S::V) {
    const RATE: f32 = 0.24;
    const POLYNOMIAL: [f32; 7] = [
        -0.125_086_45,
        0.554_577_5,
        -0.646_078_2,
        0.625_598_7,
        -0.154_054_1,
        0.155_515_34,
        0.089_527_2,
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let one = S::splat(1.0);
        let z = S::min(S::max(x, S::sub(S::zero(), x)), S::splat(TAIL));
        let density = exp::<S>(S::mul(S::mul(z, z), S::splat(-0.5)));
        let t = S::recip(S::fma(z, S::splat(RATE), one));
        let above = S::mul(S::mul(density, t), polynomial::<S, 7>(t, POLYNOMIAL));
        (S::select_greater(x, S::zero(), S::sub(one, above), above), density)
    }
}
