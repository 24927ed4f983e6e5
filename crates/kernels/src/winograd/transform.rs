//! Winograd's minimal filtering F(m, r) with m + r − 1 = 6, in one dimension.
//!
//! A window of r taps over six inputs gives m outputs for six products, `Aᵀ[(G g) ⊙ (Bᵀ d)]`. All such
//! (m, r) share their points and thereby `Bᵀ`. The points 0, ±5/8, ±3/2 and ∞ keep the error in `f32`
//! near a direct sum's; the textbook's 0, ±1, ±2, ∞ double it. (Winograd 1980; Lavin and Gray 2015;
//! the points' influence: Barabasz et al. 2018.)

use crate::simd::Simd;

/// Inputs to one transform, and products in one dimension.
pub(crate) const SIZE: usize = 6;

/// The finite points other than 0, each with both signs.
const A: f32 = 0.625;
const B: f32 = 1.5;

fn points() -> [f64; 5] {
    let (a, b) = (f64::from(A), f64::from(B));
    [0.0, a, -a, b, -b]
}

/// `G`: the six factors of each of `taps` weights, `[factor][weight]`.
pub(crate) fn weight_matrix(taps: usize) -> [Vec<f64>; SIZE] {
    let x = points();
    std::array::from_fn(|j| {
        if j == 5 {
            return (0..taps).map(|k| f64::from(u8::from(k + 1 == taps))).collect();
        }
        let scale: f64 = (0..5).filter(|&l| l != j).map(|l| x[j] - x[l]).product();
        (0..taps).map(|k| x[j].powi(k as i32) / scale).collect()
    })
}

/// `Bᵀ d`: six products' inputs from six inputs.
///
/// # Safety
/// The processor has the level's instructions.
#[inline(always)]
pub(crate) unsafe fn input<S: Simd>(d: [S::V; SIZE]) -> [S::V; SIZE] {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b) = (S::splat(A), S::splat(B));
        let (minus_a2, minus_b2) = (S::splat(-A * A), S::splat(-B * B));
        let (minus_sum, product) = (S::splat(-A * A - B * B), S::splat(A * A * B * B));
        let even_a = S::fma(minus_b2, d[2], d[4]);
        let odd_a = S::mul(a, S::fma(minus_b2, d[1], d[3]));
        let even_b = S::fma(minus_a2, d[2], d[4]);
        let odd_b = S::mul(b, S::fma(minus_a2, d[1], d[3]));
        [
            S::fma(product, d[0], S::fma(minus_sum, d[2], d[4])),
            S::add(even_a, odd_a),
            S::sub(even_a, odd_a),
            S::add(even_b, odd_b),
            S::sub(even_b, odd_b),
            S::fma(product, d[1], S::fma(minus_sum, d[3], d[5])),
        ]
    }
}

/// `Aᵀ m`: the first `M` outputs from six products.
///
/// # Safety
/// The processor has the level's instructions.
#[inline(always)]
pub(crate) unsafe fn output<S: Simd, const M: usize>(m: [S::V; SIZE]) -> [S::V; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let (sum_a, difference_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_b, difference_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        let mut y = [S::zero(); M];
        let (mut power_a, mut power_b) = (1.0, 1.0);
        for i in 0..M {
            let (a, b) = if i % 2 == 0 { (sum_a, sum_b) } else { (difference_a, difference_b) };
            y[i] = if i == 0 {
                S::add(m[0], S::add(a, b))
            } else {
                S::fma(S::splat(power_b), b, S::mul(S::splat(power_a), a))
            };
            power_a *= A;
            power_b *= B;
        }
        y[M - 1] = S::add(y[M - 1], m[5]);
        y
    }
}
