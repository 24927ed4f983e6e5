//! Sixteen lanes in four NEON registers.

use std::arch::aarch64::*;

use super::Simd;

/// NEON, which every aarch64 processor has.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

type V = [float32x4_t; 4];

#[inline(always)]
fn each(f: impl Fn(usize) -> float32x4_t) -> V {
    [f(0), f(1), f(2), f(3)]
}

/// All bits of lane `i` set where bit `i` of `mask` is.
#[inline(always)]
unsafe fn spread(mask: u16) -> [uint32x4_t; 4] {
    // SAFETY: NEON is always there, and the array holds four values.
    unsafe {
        let bits = vld1q_u32([1u32, 2, 4, 8].as_ptr());
        let lanes = |i: u32| vtstq_u32(vdupq_n_u32(u32::from(mask) >> (4 * i)), bits);
        [lanes(0), lanes(1), lanes(2), lanes(3)]
    }
}

/// Bit `i` is set where lane `i` is.
#[inline(always)]
unsafe fn gather(lanes: [uint32x4_t; 4]) -> u16 {
    // SAFETY: NEON is always there, and the array holds four values.
    unsafe {
        let bits = vld1q_u32([1u32, 2, 4, 8].as_ptr());
        let mask = |i: usize| (vaddvq_u32(vandq_u32(lanes[i], bits)) << (4 * i)) as u16;
        mask(0) | mask(1) | mask(2) | mask(3)
    }
}

// SAFETY (every block): NEON is always there; the caller promises the pointers, as `Simd` says.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Neon {
    type V = V;
    const HELD: usize = 8;
    const SHIFTS: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> V {
        unsafe { [vdupq_n_f32(value); 4] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> V {
        unsafe { each(|i| vld1q_f32(from.add(4 * i))) }
    }
    #[inline(always)]
    unsafe fn load_kept(from: *const f32, mask: u16) -> V {
        unsafe {
            let mut values = [0.0; 16];
            for i in (0..16).filter(|i| mask >> i & 1 == 1) {
                values[i] = *from.wrapping_add(i);
            }
            Self::load(values.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn prefetch(_from: *const f32) {}
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: V) {
        unsafe { (0..4).for_each(|i| vst1q_f32(to.add(4 * i), v[i])) }
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        unsafe { each(|i| vaddq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        unsafe { each(|i| vsubq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        unsafe { each(|i| vmulq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        unsafe { each(|i| vfmaq_f32(c[i], a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn max(a: V, b: V) -> V {
        unsafe { each(|i| vmaxq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn min(a: V, b: V) -> V {
        unsafe { each(|i| vminq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        unsafe { each(|i| vdivq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn recip(a: V) -> V {
        unsafe { each(|i| vdivq_f32(vdupq_n_f32(1.0), a[i])) }
    }
    #[inline(always)]
    unsafe fn sqrt(a: V) -> V {
        unsafe { each(|i| vsqrtq_f32(a[i])) }
    }
    #[inline(always)]
    unsafe fn times_power_of_two(v: V, n: V) -> V {
        // The power is made of its exponent's bits.
        unsafe {
            each(|i| {
                let exponent = vaddq_s32(vcvtnq_s32_f32(n[i]), vdupq_n_s32(127));
                vmulq_f32(v[i], vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent)))
            })
        }
    }
    #[inline(always)]
    unsafe fn rsqrt(a: V) -> V {
        // Three Newton steps bring the estimate's eight bits to all.
        unsafe {
            let step = |a, y| vmulq_f32(y, vrsqrtsq_f32(vmulq_f32(a, y), y));
            each(|i| {
                let y = vrsqrteq_f32(a[i]);
                step(a[i], step(a[i], step(a[i], y)))
            })
        }
    }
    #[inline(always)]
    unsafe fn greater(a: V, b: V) -> u16 {
        unsafe { gather(std::array::from_fn(|i| vcgtq_f32(a[i], b[i]))) }
    }
    #[inline(always)]
    unsafe fn keep(v: V, mask: u16) -> V {
        unsafe {
            let set = spread(mask);
            each(|i| vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v[i]), set[i])))
        }
    }
    #[inline(always)]
    unsafe fn select_greater(x: V, y: V, a: V, b: V) -> V {
        unsafe { each(|i| vbslq_f32(vcgtq_f32(x[i], y[i]), a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn store_half_bytes(to: *mut u8, v: V) {
        unsafe {
            let places = |i: i32| vld1q_s32([8 * i, 8 * i, 8 * i + 4, 8 * i + 4].as_ptr());
            let placed = |i: usize| vshlq_u32(vcvtnq_u32_f32(v[i]), places(i as i32));
            let all = vorrq_u32(vorrq_u32(placed(0), placed(1)), vorrq_u32(placed(2), placed(3)));
            vst1_u8(to, vreinterpret_u8_u32(vorr_u32(vget_low_u32(all), vget_high_u32(all))));
        }
    }
    #[inline(always)]
    unsafe fn store_words(to: *mut i16, v: V) {
        unsafe {
            (0..4).for_each(|i| vst1_s16(to.add(4 * i), vqmovn_s32(vcvtnq_s32_f32(v[i]))));
        }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const i16) -> V {
        unsafe { each(|i| vcvtq_f32_s32(vmovl_s16(vld1_s16(from.add(4 * i))))) }
    }
    #[inline(always)]
    unsafe fn keep_equal(v: V, from: *const u8, value: u32) -> V {
        unsafe {
            let numbers = vreinterpret_u32_u8(vld1_u8(from));
            let differ = veor_u32(numbers, vdup_n_u32(value * 0x1111_1111));
            let differ = vcombine_u32(differ, differ);
            let own =
                |i: usize| vld1q_u32([0xf, 0xf, 0xf0, 0xf0].map(|own| own << (8 * i)).as_ptr());
            each(|i| {
                let others = vtstq_u32(differ, own(i));
                vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v[i]), others))
            })
        }
    }
}
