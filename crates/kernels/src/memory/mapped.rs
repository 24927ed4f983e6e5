//! Bytes mapped from the system (the feature `mmap`).

use std::alloc::{Layout, handle_alloc_error};

use memmap2::MmapMut;

/// Zeroed bytes, aligned to a page.
pub(super) struct Bytes(MmapMut);

/// Bytes of a large page, where there are any.
const LARGE_PAGE: usize = 2 << 20;

impl Bytes {
    /// At least as many bytes as the layout wants.
    pub(super) fn zeroed(layout: Layout) -> Self {
        let (large, rest) = (layout.size() / LARGE_PAGE, layout.size() % LARGE_PAGE);
        // What is as long as large pages is laid to where they begin.
        let whole = if large > 0 { layout.size().next_multiple_of(LARGE_PAGE) } else { rest };
        let Ok(pages) = MmapMut::map_anon(whole) else { handle_alloc_error(layout) };
        // Only advice: without large pages the same work takes a little longer. The end, which would
        // not fill one, has small ones.
        #[cfg(target_os = "linux")]
        let _ = pages.advise_range(memmap2::Advice::HugePage, 0, large * LARGE_PAGE);
        Self(pages)
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }
}
