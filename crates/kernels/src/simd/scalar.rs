//! Sixteen lanes in plain Rust: runs everywhere, rounds after every operation, and is the truth.

use super::Simd;

/// Plain loops over an array.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

#[inline(always)]
fn zip(a: [f32; 16], b: [f32; 16], f: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Simd for Scalar {
    type V = [f32; 16];
    const HELD: usize = 4;
    const SHIFTS: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::V {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        // SAFETY: the caller promises sixteen values.
        unsafe { from.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_kept(from: *const f32, mask: u16) -> Self::V {
        std::array::from_fn(|i| {
            // SAFETY: the caller promises the lanes of the mask.
            if mask >> i & 1 == 1 { unsafe { *from.wrapping_add(i) } } else { 0.0 }
        })
    }
    #[inline(always)]
    unsafe fn prefetch(_from: *const f32) {}
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Self::V) {
        // SAFETY: the caller promises room for sixteen values.
        unsafe { to.cast::<[f32; 16]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn recip(a: Self::V) -> Self::V {
        a.map(|a| 1.0 / a)
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn times_power_of_two(v: Self::V, n: Self::V) -> Self::V {
        zip(v, n, |v, n| v * f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    unsafe fn rsqrt(a: Self::V) -> Self::V {
        a.map(|a| 1.0 / a.sqrt())
    }
    #[inline(always)]
    unsafe fn greater(a: Self::V, b: Self::V) -> u16 {
        (0..16).fold(0, |mask, i| mask | (u16::from(a[i] > b[i]) << i))
    }
    #[inline(always)]
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V {
        std::array::from_fn(|i| if mask >> i & 1 == 1 { v[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn select_greater(x: Self::V, y: Self::V, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if x[i] > y[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn store_half_bytes(to: *mut u8, v: Self::V) {
        let half = |first: usize| {
            (0..8).fold(0, |all, place| all | (v[2 * place + first] as u32) << (4 * place))
        };
        // SAFETY: the caller promises room for eight bytes.
        unsafe { to.cast::<[[u8; 4]; 2]>().write([0, 1].map(|first| half(first).to_le_bytes())) }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut i16, v: Self::V) {
        // SAFETY: the caller promises room for sixteen numbers.
        unsafe { to.cast::<[i16; 16]>().write_unaligned(v.map(|x| x.round_ties_even() as i16)) }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const i16) -> Self::V {
        // SAFETY: the caller promises sixteen numbers.
        unsafe { from.cast::<[i16; 16]>().read_unaligned() }.map(f32::from)
    }
    #[inline(always)]
    unsafe fn keep_equal(v: Self::V, from: *const u8, value: u32) -> Self::V {
        // SAFETY: the caller promises eight bytes.
        let halves = unsafe { from.cast::<[[u8; 4]; 2]>().read() }.map(u32::from_le_bytes);
        let number = |lane: usize| halves[lane % 2] >> (lane / 2 * 4) & 15;
        std::array::from_fn(|i| if number(i) == value { v[i] } else { 0.0 })
    }
}
