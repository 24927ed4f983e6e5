//! Sixteen lanes in one AVX-512 register.

use std::arch::x86_64::*;

use super::Simd;

/// AVX-512 F, BW, DQ and VL.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

/// The bits of each lane's half byte in the four bytes that hold it.
const HALF_BYTES: [u32; 16] = {
    let mut own = [15; 16];
    let mut lane = 0;
    while lane < 16 {
        own[lane] <<= lane / 2 * 4;
        lane += 1;
    }
    own
};

// SAFETY (every block): the caller promises the instructions and the pointers, as `Simd` says.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx512 {
    type V = __m512;
    const HELD: usize = 32;
    const SHIFTS: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::V {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_kept(from: *const f32, mask: u16) -> Self::V {
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Self::V) {
        unsafe { _mm512_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn recip(a: Self::V) -> Self::V {
        // One Newton step doubles the estimate's fourteen bits: y·(2 − a·y).
        unsafe {
            let y = _mm512_rcp14_ps(a);
            _mm512_mul_ps(y, _mm512_fnmadd_ps(a, y, _mm512_set1_ps(2.0)))
        }
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    unsafe fn times_power_of_two(v: Self::V, n: Self::V) -> Self::V {
        unsafe { _mm512_scalef_ps(v, n) }
    }
    #[inline(always)]
    unsafe fn rsqrt(a: Self::V) -> Self::V {
        // One Newton step doubles the estimate's fourteen bits: y·(1.5 − 0.5·a·y²).
        unsafe {
            let y = _mm512_rsqrt14_ps(a);
            let half = _mm512_mul_ps(a, _mm512_set1_ps(0.5));
            let rest = _mm512_fnmadd_ps(_mm512_mul_ps(half, y), y, _mm512_set1_ps(1.5));
            _mm512_mul_ps(y, rest)
        }
    }
    #[inline(always)]
    unsafe fn greater(a: Self::V, b: Self::V) -> u16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) }
    }
    #[inline(always)]
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V {
        unsafe { _mm512_maskz_mov_ps(mask, v) }
    }
    #[inline(always)]
    unsafe fn select_greater(x: Self::V, y: Self::V, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, y), a) }
    }
    #[inline(always)]
    unsafe fn store_half_bytes(to: *mut u8, v: Self::V) {
        unsafe {
            let places =
                _mm512_setr_epi32(0, 0, 4, 4, 8, 8, 12, 12, 16, 16, 20, 20, 24, 24, 28, 28);
            let placed = _mm512_sllv_epi32(_mm512_cvtps_epi32(v), places);
            to.cast::<i64>().write_unaligned(_mm512_reduce_or_epi64(placed));
        }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut i16, v: Self::V) {
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v))) }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const i16) -> Self::V {
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(from.cast()))) }
    }
    #[inline(always)]
    unsafe fn keep_equal(v: Self::V, from: *const u8, value: u32) -> Self::V {
        unsafe {
            let numbers = _mm512_set1_epi64(from.cast::<i64>().read_unaligned());
            let differ = _mm512_xor_si512(numbers, _mm512_set1_epi32((value * 0x1111_1111) as i32));
            let own = _mm512_loadu_si512(HALF_BYTES.as_ptr().cast());
            _mm512_maskz_mov_ps(_mm512_testn_epi32_mask(differ, own), v)
        }
    }
    #[inline(always)]
    unsafe fn shifted<const K: i32>(low: Self::V, high: Self::V) -> Self::V {
        unsafe {
            let (low, high) = (_mm512_castps_si512(low), _mm512_castps_si512(high));
            _mm512_castsi512_ps(_mm512_alignr_epi32::<K>(high, low))
        }
    }
}
