//! The memory that maps and weights lie in: zeroed, aligned, and on large pages where the system has
//! them. Maps are read in so many streams at once that looking up small pages takes longer than the
//! reading, and handing out small pages takes as long as filling them.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::Vec16;

#[cfg(not(feature = "mmap"))]
mod heap;
#[cfg(feature = "mmap")]
mod mapped;

#[cfg(not(feature = "mmap"))]
use heap::Bytes;
#[cfg(feature = "mmap")]
use mapped::Bytes;

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
        let layout = Layout::array::<T>(len.max(1)).expect("fewer bytes than addresses");
        let layout = layout.align_to(align_of::<Vec16>()).expect("fewer bytes than addresses");
        Self { bytes: Bytes::zeroed(layout), len, values: PhantomData }
    }
}

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
