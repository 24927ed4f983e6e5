//! The memory that maps lie in: zeroed, aligned, and on large pages where the system has them, for maps
//! are read in so many streams at once that looking up small pages takes longer than the reading.

use std::alloc::{Layout, handle_alloc_error};
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::Lane;

/// Lanes, at first all 0. Pages are taken from the system when they are first touched.
pub struct Memory {
    pages: MmapMut,
    lanes: usize,
}

impl Memory {
    /// Room for `lanes`. As with any collection, the process ends if the system has none.
    pub fn new(lanes: usize) -> Self {
        let layout = Layout::array::<Lane>(lanes.max(1)).expect("fewer bytes than addresses");
        let Ok(pages) = MmapMut::map_anon(layout.size()) else { handle_alloc_error(layout) };
        // Only advice: without large pages the same work takes a little longer.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        Self { pages, lanes }
    }
}

impl Deref for Memory {
    type Target = [Lane];

    fn deref(&self) -> &[Lane] {
        // SAFETY: pages are aligned to more than a lane, there are bytes for this many, and any bytes
        // are floats; they are borrowed as long as the lanes.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr().cast(), self.lanes) }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [Lane] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), self.lanes) }
    }
}
