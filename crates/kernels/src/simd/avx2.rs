//! Sixteen lanes in two AVX2 registers.

use std::arch::x86_64::*;

use super::Simd;

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

type V = [__m256; 2];

/// All bits of lane `i` set where bit `i` of the low half of `mask` is.
#[inline(always)]
unsafe fn spread_half(mask: u16) -> __m256 {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(mask)), bits);
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits))
    }
}

/// All bits of lane `i` set where bit `i` of `mask` is.
#[inline(always)]
unsafe fn spread(mask: u16) -> V {
    // SAFETY: the caller promises AVX2.
    unsafe { [spread_half(mask), spread_half(mask >> 8)] }
}

/// `1 / √a`: two Newton steps, `y·(1.5 − 0.5·a·y²)`, bring the estimate's twelve bits to all.
#[inline(always)]
unsafe fn rsqrt_half(a: __m256) -> __m256 {
    // SAFETY: the caller promises AVX2 and FMA.
    unsafe {
        let half = _mm256_mul_ps(a, _mm256_set1_ps(0.5));
        let mut y = _mm256_rsqrt_ps(a);
        for _ in 0..2 {
            let rest = _mm256_fnmadd_ps(_mm256_mul_ps(half, y), y, _mm256_set1_ps(1.5));
            y = _mm256_mul_ps(y, rest);
        }
        y
    }
}

/// `v · 2ⁿ`: the power is made of its exponent's bits.
#[inline(always)]
unsafe fn times_power_half(v: __m256, n: __m256) -> __m256 {
    // SAFETY: the caller promises AVX2.
    unsafe {
        let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
    }
}

/// Bit `i` is set where lane `i` of `a` is greater than that of `b`.
#[inline(always)]
unsafe fn greater_half(a: __m256, b: __m256) -> u16 {
    // SAFETY: the caller promises AVX.
    unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) as u16 }
}

/// Lane `i` of `a` where lane `i` of `x` is greater than that of `y`, else of `b`.
#[inline(always)]
unsafe fn select_half(x: __m256, y: __m256, a: __m256, b: __m256) -> __m256 {
    // SAFETY: the caller promises AVX.
    unsafe { _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_GT_OQ>(x, y)) }
}

// SAFETY (every block): the caller promises the instructions and the pointers, as `Simd` says.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx2 {
    type V = V;
    const HELD: usize = 8;
    const SHIFTS: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> V {
        unsafe { [_mm256_set1_ps(value); 2] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> V {
        unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
    }
    #[inline(always)]
    unsafe fn load_kept(from: *const f32, mask: u16) -> V {
        unsafe {
            let [low, high] = spread(mask);
            [
                _mm256_maskload_ps(from, _mm256_castps_si256(low)),
                _mm256_maskload_ps(from.wrapping_add(8), _mm256_castps_si256(high)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: V) {
        unsafe {
            _mm256_storeu_ps(to, v[0]);
            _mm256_storeu_ps(to.add(8), v[1]);
        }
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }
    #[inline(always)]
    unsafe fn max(a: V, b: V) -> V {
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn min(a: V, b: V) -> V {
        unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn recip(a: V) -> V {
        unsafe { Self::div([_mm256_set1_ps(1.0); 2], a) }
    }
    #[inline(always)]
    unsafe fn sqrt(a: V) -> V {
        unsafe { [_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])] }
    }
    #[inline(always)]
    unsafe fn times_power_of_two(v: V, n: V) -> V {
        unsafe { [times_power_half(v[0], n[0]), times_power_half(v[1], n[1])] }
    }
    #[inline(always)]
    unsafe fn rsqrt(a: V) -> V {
        unsafe { [rsqrt_half(a[0]), rsqrt_half(a[1])] }
    }
    #[inline(always)]
    unsafe fn greater(a: V, b: V) -> u16 {
        unsafe { greater_half(a[0], b[0]) | greater_half(a[1], b[1]) << 8 }
    }
    #[inline(always)]
    unsafe fn keep(v: V, mask: u16) -> V {
        unsafe {
            let set = spread(mask);
            [_mm256_and_ps(v[0], set[0]), _mm256_and_ps(v[1], set[1])]
        }
    }
    #[inline(always)]
    unsafe fn select_greater(x: V, y: V, a: V, b: V) -> V {
        unsafe { [select_half(x[0], y[0], a[0], b[0]), select_half(x[1], y[1], a[1], b[1])] }
    }
    #[inline(always)]
    unsafe fn store_half_bytes(to: *mut u8, v: V) {
        unsafe {
            let places = _mm256_setr_epi32(0, 0, 4, 4, 8, 8, 12, 12);
            let [low, high] = v.map(|v| _mm256_sllv_epi32(_mm256_cvtps_epi32(v), places));
            let all = _mm256_or_si256(low, _mm256_slli_epi32::<16>(high));
            let half =
                _mm_or_si128(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
            _mm_storel_epi64(to.cast(), _mm_or_si128(half, _mm_srli_si128::<8>(half)));
        }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut i16, v: V) {
        unsafe {
            let words = _mm256_packs_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            _mm256_storeu_si256(to.cast(), words);
        }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const i16) -> V {
        unsafe {
            let half = |from: *const i16| {
                _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(from.cast())))
            };
            [half(from), half(from.add(8))]
        }
    }
    #[inline(always)]
    unsafe fn keep_equal(v: V, from: *const u8, value: u32) -> V {
        unsafe {
            let numbers = _mm256_set1_epi64x(from.cast::<i64>().read_unaligned());
            let differ = _mm256_xor_si256(numbers, _mm256_set1_epi32((value * 0x1111_1111) as i32));
            let low = _mm256_setr_epi32(0xf, 0xf, 0xf0, 0xf0, 0xf00, 0xf00, 0xf000, 0xf000);
            let kept = |v: __m256, own: __m256i| {
                let set = _mm256_cmpeq_epi32(_mm256_and_si256(differ, own), _mm256_setzero_si256());
                _mm256_and_ps(v, _mm256_castsi256_ps(set))
            };
            [kept(v[0], low), kept(v[1], _mm256_slli_epi32::<16>(low))]
        }
    }
}
