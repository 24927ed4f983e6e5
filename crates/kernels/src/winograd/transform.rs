//! Winograd's minimal filtering F(m, r) with m + r − 1 = N, in one dimension, for N of six and eight.
//!
//! A window of r taps over N inputs gives m outputs for N products, `Aᵀ[(G g) ⊙ (Bᵀ d)]`. All (m, r) of
//! one N share their points and thereby `Bᵀ`. The points are 0, pairs ±p, and ∞; with six, ±5/8 and ±3/2
//! keep the error in `f32` near a direct sum's, where the textbook's ±1 and ±2 double it; with eight,
//! ±1/2, ±1 and ±2 are the best of the small fractions. (Winograd 1980; Lavin and Gray 2015; the points'
//! influence: Barabasz et al. 2018.)

use crate::Vec16;
use crate::simd::Simd;

/// The finite points other than 0 for transforms of `N` inputs; each stands for itself and its negative.
const fn points(size: usize) -> &'static [f32] {
    if size == 6 { &[0.625, 1.5] } else { &[0.5, 1.0, 2.0] }
}

/// `G`: the `size` factors of each of `taps` weights, `[factor][weight]`.
pub(super) fn weight_matrix(size: usize, taps: usize) -> Vec<Vec<f64>> {
    let pairs = points(size).iter().flat_map(|&p| [f64::from(p), -f64::from(p)]);
    let x: Vec<f64> = std::iter::once(0.0).chain(pairs).collect();
    let finite = (0..x.len()).map(|j| {
        let others = (0..x.len()).filter(|&l| l != j);
        let scale: f64 = others.map(|l| x[j] - x[l]).product();
        (0..taps).map(|k| x[j].powi(k as i32) / scale).collect()
    });
    let infinite = (0..taps).map(|k| f64::from(u8::from(k + 1 == taps))).collect();
    finite.chain(std::iter::once(infinite)).collect()
}

/// `G g Gᵀ` in `f64`, products and sums apart, so that every level gives the same: the square kernel `g`, a vector for
/// each tap, into a vector for each plane.
#[inline(always)]
pub(super) fn weights(matrix: &[Vec<f64>], g: &[Vec16], u: &mut [Vec16]) {
    match matrix[0].len() {
        2 => weights_of::<2>(matrix, g, u),
        3 => weights_of::<3>(matrix, g, u),
        4 => weights_of::<4>(matrix, g, u),
        _ => weights_of::<5>(matrix, g, u),
    }
}

/// As [`weights`], of `K` × `K` taps. Loops go over whole vectors, which the compiler turns into instructions on
/// several lanes.
#[inline(always)]
fn weights_of<const K: usize>(matrix: &[Vec<f64>], g: &[Vec16], u: &mut [Vec16]) {
    let mut taps = [[[0.0f64; 16]; K]; K];
    for (tap, g) in taps.as_flattened_mut().iter_mut().zip(g) {
        for lane in 0..16 {
            tap[lane] = g.0[lane].into();
        }
    }
    for (factors, u) in matrix.iter().zip(u.chunks_exact_mut(matrix.len())) {
        let mut row = [[0.0; 16]; K];
        for (&factor, taps) in factors.iter().zip(&taps) {
            for k in 0..K {
                add_product(&mut row[k], factor, &taps[k]);
            }
        }
        for (factors, u) in matrix.iter().zip(u) {
            let mut sum = [0.0; 16];
            for (&factor, values) in factors.iter().zip(&row) {
                add_product(&mut sum, factor, values);
            }
            for lane in 0..16 {
                u.0[lane] = sum[lane] as f32;
            }
        }
    }
}

#[inline(always)]
fn add_product(sum: &mut [f64; 16], factor: f64, values: &[f64; 16]) {
    for lane in 0..16 {
        sum[lane] += factor * values[lane];
    }
}

/// Coefficients, lowest first, of the product of `x − p²` over `points` without number `left_out`.
#[inline(always)]
fn product(points: &[f32], left_out: usize) -> [f32; 4] {
    let mut product = [1.0, 0.0, 0.0, 0.0];
    for (index, p) in points.iter().enumerate() {
        if index != left_out {
            for k in (0..4).rev() {
                let below = if k > 0 { product[k - 1] } else { 0.0 };
                product[k] = below - p * p * product[k];
            }
        }
    }
    product
}

/// `Σ coefficients[k] · d[first + 2k]`, the last of `terms` coefficients being 1.
///
/// # Safety
/// The processor has the level's instructions.
#[inline(always)]
unsafe fn every_other<S: Simd, const N: usize>(
    coefficients: [f32; 4],
    terms: usize,
    d: &[S::V; N],
    first: usize,
) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sum = d[first + 2 * (terms - 1)];
        for k in (0..terms - 1).rev() {
            sum = S::fma(S::splat(coefficients[k]), d[first + 2 * k], sum);
        }
        sum
    }
}

/// `Bᵀ d`: the products' inputs. Row j is the polynomial that vanishes at all points but j's, so that
/// a pair's two rows differ only in the sign of their odd part.
///
/// # Safety
/// The processor has the level's instructions.
#[inline(always)]
pub(super) unsafe fn input<S: Simd, const N: usize>(d: [S::V; N]) -> [S::V; N] {
    // SAFETY: the caller's promise.
    unsafe {
        let points = points(N);
        let pairs = (N - 2) / 2;
        let whole = product(points, N);
        let mut t = d;
        t[0] = every_other::<S, N>(whole, pairs + 1, &d, 0);
        t[N - 1] = every_other::<S, N>(whole, pairs + 1, &d, 1);
        for pair in 0..pairs {
            let others = product(points, pair);
            let even = every_other::<S, N>(others, pairs, &d, 2);
            let odd = every_other::<S, N>(others, pairs, &d, 1);
            let odd = S::mul(S::splat(points[pair]), odd);
            t[1 + 2 * pair] = S::add(even, odd);
            t[2 + 2 * pair] = S::sub(even, odd);
        }
        t
    }
}

/// `Aᵀ m`: `M` outputs from `N` products.
///
/// # Safety
/// The processor has the level's instructions.
#[inline(always)]
pub(super) unsafe fn output<S: Simd, const N: usize, const M: usize>(m: [S::V; N]) -> [S::V; M] {
    // SAFETY: the caller's promise.
    unsafe {
        let points = points(N);
        let mut y = [m[0]; M];
        for i in 1..M {
            y[i] = S::zero();
        }
        for pair in 0..(N - 2) / 2 {
            let (plus, minus) = (m[1 + 2 * pair], m[2 + 2 * pair]);
            let (even, odd) = (S::add(plus, minus), S::sub(plus, minus));
            let mut power = 1.0;
            for i in 0..M {
                y[i] = S::fma(S::splat(power), if i % 2 == 0 { even } else { odd }, y[i]);
                power *= points[pair];
            }
        }
        y[M - 1] = S::add(y[M - 1], m[N - 1]);
        y
    }
}
