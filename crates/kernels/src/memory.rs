//! The memory that maps and weights lie in: zeroed, aligned, and on large pages where the system has
//! them. Maps are read in so many streams at once that looking up small pages takes longer than the
//! reading, and handing out small pages takes as long as filling them.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::Vec16;

/// Values, at first all 0. Pages are taken from the system when they are first touched.
pub struct Memory<T: Plain = Vec16> {
    pages: MmapMut,
    len: usize,
    values: PhantomData<T>,
}

/// What [`Memory`] holds.
///
/// # Safety
/// Any bytes are a value, and values are aligned to no more than pages are.
pub unsafe trait Plain: Copy + Send + Sync {}

// SAFETY: sixteen numbers.
unsafe impl Plain for Vec16 {}
// SAFETY: a number.
unsafe impl Plain for u16 {}
// SAFETY: a number.
unsafe impl Plain for u8 {}

impl<T: Plain> Memory<T> {
    /// Room for `len` values. As with any collection, the process ends if the system has none.
    pub fn new(len: usize) -> Self {
        let layout = Layout::array::<T>(len.max(1)).expect("fewer bytes than addresses");
        let (large, rest) = (layout.size() / LARGE_PAGE, layout.size() % LARGE_PAGE);
        // What is as long as large pages is laid to where they begin.
        let whole = if large > 0 { layout.size().next_multiple_of(LARGE_PAGE) } else { rest };
        let Ok(pages) = MmapMut::map_anon(whole) else { handle_alloc_error(layout) };
        // Only advice: without large pages the same work takes a little longer. The end, which would
        // not fill one, has small ones.
        #[cfg(target_os = "linux")]
        let _ = pages.advise_range(memmap2::Advice::HugePage, 0, large * LARGE_PAGE);
        Self { pages, len, values: PhantomData }
    }
}

/// Bytes of a large page, where there are any.
const LARGE_PAGE: usize = 2 << 20;

impl<T: Plain> Deref for Memory<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: pages are aligned to more than a value, there are bytes for this many, and any bytes
        // are values; they are borrowed as long as the values.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr().cast(), self.len) }
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
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), self.len) }
    }
}
