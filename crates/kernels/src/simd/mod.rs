//! One vector of sixteen values, whatever the processor calls it.
//!
//! Every kernel is written once over [`Simd`] and compiled for each CPU level. Two rules make that
//! work: a kernel and all it calls are `#[inline(always)]`, without `#[target_feature]`; and only the
//! entry that [`for_level!`] makes carries the features, so that the whole kernel is compiled with them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use scalar::Scalar;

/// Sixteen `f32` lanes.
///
/// # Safety
/// Every function needs a processor that has the level's instructions; pointers must be good for
/// sixteen values (or as said), at any alignment.
pub(crate) trait Simd: Copy {
    /// The sixteen values.
    type V: Copy;
    /// How many of them the registers hold, which bounds the unrolling of loops.
    const HELD: usize;
    /// Whether [`Self::shifted`] is one instruction, and thus better than a load that no vector's bounds fit.
    const SHIFTS: bool;

    /// The same value in each lane.
    unsafe fn splat(value: f32) -> Self::V;
    /// Sixteen values from `from`.
    unsafe fn load(from: *const f32) -> Self::V;
    /// The values at `from` of the lanes whose bit is set, else 0; only these are read, and only for
    /// these need the pointer be good.
    unsafe fn load_kept(from: *const f32, mask: u16) -> Self::V;
    /// Asks for the cache line at `from`, which may be any address.
    unsafe fn prefetch(from: *const f32);
    /// Sixteen values to `to`.
    unsafe fn store(to: *mut f32, v: Self::V);
    /// `a + b`
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// `a − b`
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// `a · b`
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`, rounded once where the processor can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of each pair.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of each pair.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `1 / a` to within a few units in the last place, where neither comes near the ends of what `f32`
    /// holds.
    unsafe fn recip(a: Self::V) -> Self::V;
    /// `√a`
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// `v · 2ⁿ` for whole `n` from −126 to 127.
    unsafe fn times_power_of_two(v: Self::V, n: Self::V) -> Self::V;
    /// `1 / √a` for positive `a`, to within a few units in the last place.
    unsafe fn rsqrt(a: Self::V) -> Self::V;
    /// Bit `i` is set where lane `i` of `a` is greater than that of `b`.
    unsafe fn greater(a: Self::V, b: Self::V) -> u16;
    /// Lane `i` of `v` where bit `i` is set, else 0.
    unsafe fn keep(v: Self::V, mask: u16) -> Self::V;
    /// Lane `i` of `a` where lane `i` of `x` is greater than that of `y`, else of `b`.
    unsafe fn select_greater(x: Self::V, y: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// Writes whole numbers 0–15 into eight bytes: that of lane `i` is number `i / 2` from the lowest of the first
    /// four bytes if `i` is even, else of the last four, for no bits then cross the halves of a register.
    unsafe fn store_half_bytes(to: *mut u8, v: Self::V);
    /// Writes values from −32768 to 32767 rounded to whole numbers, two bytes for each lane.
    unsafe fn store_words(to: *mut i16, v: Self::V);
    /// The sixteen whole numbers at `from`.
    unsafe fn load_words(from: *const i16) -> Self::V;
    /// Lane `i` of `v` where its number among those that [`Self::store_half_bytes`] wrote is `value`, else 0.
    unsafe fn keep_equal(v: Self::V, from: *const u8, value: u32) -> Self::V;

    /// The sixteen lanes from lane `K` on of `low` with `high` behind it.
    #[inline(always)]
    unsafe fn shifted<const K: i32>(low: Self::V, high: Self::V) -> Self::V {
        let mut values = [0.0; 32];
        // SAFETY: the caller's promise, and the array has room for both.
        unsafe {
            Self::store(values.as_mut_ptr(), low);
            Self::store(values.as_mut_ptr().add(16), high);
            Self::load(values.as_ptr().add(K as usize))
        }
    }

    /// The sum of all lanes.
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> f32 {
        let mut values = [0.0; 16];
        // SAFETY: the caller's promise, and the array has room for sixteen values.
        unsafe { Self::store(values.as_mut_ptr(), v) };
        for half in [8, 4, 2, 1] {
            (0..half).for_each(|i| values[i] += values[i + half]);
        }
        values[0]
    }

    /// All lanes 0.
    #[inline(always)]
    unsafe fn zero() -> Self::V {
        // SAFETY: the caller's promise is the same.
        unsafe { Self::splat(0.0) }
    }
}

/// Makes `$entry(level, &args)`, which runs `$kernel::<S>(&args)` compiled for the level.
///
/// The entry is unsafe for the kernel's own reasons; the level must be one the processor has. Entry and
/// kernel may have one type parameter of their own: `$entry<T: Trait>` runs `$kernel::<S, T>`.
macro_rules! for_level {
    (
        $(#[$doc:meta])*
        $vis:vis unsafe fn $entry:ident $(<$param:ident: $bound:path>)? ($args:ty) = $kernel:ident
    ) => {
        $(#[$doc])*
        $vis unsafe fn $entry $(<$param: $bound>)? (level: $crate::CpuLevel, args: &$args) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            unsafe fn avx512 $(<$param: $bound>)? (args: &$args) {
                // SAFETY: the caller's promise, and the features are enabled here.
                unsafe { $kernel::<$crate::simd::Avx512 $(, $param)?>(args) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2 $(<$param: $bound>)? (args: &$args) {
                // SAFETY: the caller's promise, and the features are enabled here.
                unsafe { $kernel::<$crate::simd::Avx2 $(, $param)?>(args) }
            }
            // SAFETY: the caller promises a level that the processor has, and the kernel's own terms.
            unsafe {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    $crate::CpuLevel::Avx512 => avx512(args),
                    #[cfg(target_arch = "x86_64")]
                    $crate::CpuLevel::Avx2 => avx2(args),
                    #[cfg(target_arch = "aarch64")]
                    $crate::CpuLevel::Neon => $kernel::<$crate::simd::Neon $(, $param)?>(args),
                    _ => $kernel::<$crate::simd::Scalar $(, $param)?>(args),
                }
            }
        }
    };
}
pub(crate) use for_level;

/// A loop written out: an array that is indexed by a loop that the compiler does not unroll lies in
/// memory all along, and sums are to stay in registers.
macro_rules! unrolled {
    ($i:ident < $end:ident: [$($value:literal)*], $body:block) => {
        $(if $value < $end {
            let $i = $value;
            $body
        })*
    };
}
pub(crate) use unrolled;
