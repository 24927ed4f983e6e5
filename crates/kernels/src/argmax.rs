//! How max pooling keeps, for its gradient, which element of each window won: in half a byte where it can, for these
//! numbers are a good part of what a network remembers.

use crate::BlockedMap;
use crate::geometry::ConvGeometry;
use crate::simd::Simd;

/// The most elements that the window of a max pool has: their numbers are counted in `f32`.
pub const MAX_ELEMENTS: usize = (1 << 24) - 1;

/// The most elements of a window whose numbers take half a byte each.
pub const FEW_ELEMENTS: usize = HalfByte::NONE as usize;

/// Bytes of the argmax of a max pool with this window and an output of so many pixels: for each of their
/// sixteen channels half of one, or three where the window has more than [`FEW_ELEMENTS`].
///
/// # Panics
/// If the window has more than [`MAX_ELEMENTS`].
pub fn argmax_len(geometry: &ConvGeometry, y: &BlockedMap) -> usize {
    assert!(geometry.elements() <= MAX_ELEMENTS, "a window of more than {MAX_ELEMENTS} elements");
    let bytes = if has_few(geometry) { HalfByte::BYTES } else { ThreeBytes::BYTES };
    y.pixels().checked_mul(bytes).expect("a map in memory")
}

/// Whether half a byte holds the number of any element, and one that is none's.
pub(crate) fn has_few(geometry: &ConvGeometry) -> bool {
    geometry.elements() <= FEW_ELEMENTS
}

/// How the numbers of elements are kept, one for each channel of a pixel.
///
/// # Safety
/// Functions want as many bytes as there are, and a processor that has the level.
pub(crate) trait Numbers: Sync + Copy {
    /// Bytes of a pixel.
    const BYTES: usize;
    /// The number of no element, larger than all others.
    const NONE: f32;

    /// Writes the numbers of a pixel.
    unsafe fn store<S: Simd>(to: *mut u8, numbers: S::V);
    /// Lanes of `v` whose number is `number`, else 0.
    unsafe fn keep_equal<S: Simd>(v: S::V, from: *const u8, number: u32) -> S::V;
}

/// Two numbers in a byte.
#[derive(Clone, Copy)]
pub(crate) struct HalfByte;

impl Numbers for HalfByte {
    const BYTES: usize = 8;
    const NONE: f32 = 15.0;

    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut u8, numbers: S::V) {
        // SAFETY: the caller's promise.
        unsafe { S::store_half_bytes(to, numbers) }
    }
    #[inline(always)]
    unsafe fn keep_equal<S: Simd>(v: S::V, from: *const u8, number: u32) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::keep_equal(v, from, number) }
    }
}

/// Sixteen lowest bytes, then the next ones.
#[derive(Clone, Copy)]
pub(crate) struct ThreeBytes;

impl Numbers for ThreeBytes {
    const BYTES: usize = 48;
    const NONE: f32 = ((1 << 24) - 1) as f32;

    #[inline(always)]
    unsafe fn store<S: Simd>(to: *mut u8, numbers: S::V) {
        let mut values = [0.0; 16];
        // SAFETY: the caller's promise, and the array has room for sixteen values.
        unsafe {
            S::store(values.as_mut_ptr(), numbers);
            for (lane, number) in values.into_iter().enumerate() {
                for (place, byte) in (number as u32).to_le_bytes()[..3].iter().enumerate() {
                    *to.add(place * 16 + lane) = *byte;
                }
            }
        }
    }
    #[inline(always)]
    unsafe fn keep_equal<S: Simd>(v: S::V, from: *const u8, number: u32) -> S::V {
        let mut mask = 0;
        // SAFETY: the caller's promise.
        unsafe {
            for lane in 0..16 {
                let byte = |place: usize| u32::from(*from.add(place * 16 + lane));
                let equal = byte(0) | byte(1) << 8 | byte(2) << 16 == number;
                mask |= u16::from(equal) << lane;
            }
            S::keep(v, mask)
        }
    }
}

/// # Panics
/// If the argmax is not the output's.
pub(crate) fn check<N: Numbers>(geometry: &ConvGeometry, ym: &BlockedMap, argmax: &[u8]) {
    assert!(geometry.elements() <= N::NONE as usize, "the window is too large");
    assert_eq!(argmax.len(), N::BYTES * ym.pixels(), "the argmax is not the map's");
}
