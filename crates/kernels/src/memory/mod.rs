//! The memory that maps and weights lie in: zeroed, aligned, and on large pages where the system has
//! them. Maps are read in so many streams at once that looking up small pages takes longer than the
//! reading, and handing out small pages takes as long as filling them.

use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::Vec16;

mod heap;
#[cfg(feature = "mmap")]
mod mapped;
#[cfg(feature = "mmap")]
mod scratch_file;

#[cfg(not(feature = "mmap"))]
use heap::Bytes;
#[cfg(feature = "mmap")]
use mapped::Bytes;
#[cfg(feature = "mmap")]
pub use scratch_file::{Pages, ScratchValues};

/// Values, at first all 0. With the feature `mmap`, pages are taken from the system when they are first
/// touched.
pub struct Memory<T: Plain = Vec16> {
    bytes: Bytes,
    len: usize,
    values: PhantomData<T>,
}

/// What [`Memory`] holds.
///
/// # Safety
/// Any bytes are a value, and values are aligned to no more than a [`Vec16`].
pub unsafe trait Plain: Copy + Send + Sync {}

// SAFETY: sixteen numbers.
unsafe impl Plain for Vec16 {}
// SAFETY: a number.
unsafe impl Plain for u16 {}
// SAFETY: a number.
unsafe impl Plain for u8 {}

impl<T: Plain> Memory<T> {
    /// Room for `len` values. As with any collection, the process ends if the system has none.
    ///
    /// # Panics
    /// If that is more than there are addresses.
    pub fn new(len: usize) -> Self {
        let layout = Self::layout(len).expect("fewer bytes than addresses");
        let bytes = Bytes::zeroed(layout).unwrap_or_else(|| handle_alloc_error(layout));
        Self { bytes, len, values: PhantomData }
    }

    /// As [`Self::new`], for what may be more than the system has.
    ///
    /// # Errors
    /// If it is.
    pub fn try_new(len: usize) -> Result<Self, OutOfMemory> {
        let bytes = Self::layout(len).and_then(Bytes::zeroed);
        let bytes = bytes.ok_or(OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) })?;
        Ok(Self { bytes, len, values: PhantomData })
    }

    fn layout(len: usize) -> Option<Layout> {
        Layout::array::<T>(len.max(1)).ok()?.align_to(align_of::<Vec16>()).ok()
    }
}

/// The system has no memory for so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// How many were wanted.
    pub bytes: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the system has no memory for {} bytes", self.bytes)
    }
}

impl std::error::Error for OutOfMemory {}

impl<T: Plain> Deref for Memory<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the bytes are aligned to a vector, there are enough for this many values, and any bytes
        // are values; they are borrowed as long as the values.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.len) }
    }
}

impl<T: Plain> AsRef<[T]> for Memory<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Plain> DerefMut for Memory<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.bytes.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_any_size_is_zeroed_and_aligned_and_too_much_is_an_error() {
        for len in [0, 1, 1000, 2047, 2048, 3000] {
            let mut memory: Memory = Memory::try_new(len).expect("a little memory");
            assert_eq!(memory.len(), len);
            assert!(memory.as_ptr().is_aligned());
            assert!(memory.iter().all(|vector| *vector == Vec16::default()));
            memory.fill(Vec16([1.0; 16]));
        }
        // Miri takes what it is asked for.
        let too_much = [usize::MAX, isize::MAX as usize / 32, 1 << 50];
        for len in &too_much[..if cfg!(miri) { 2 } else { 3 }] {
            assert!(Memory::<Vec16>::try_new(*len).is_err(), "{len}");
        }
    }
}
