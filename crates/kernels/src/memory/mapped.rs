//! Bytes mapped from the system (the feature `mmap`).

use std::alloc::Layout;

use memmap2::MmapMut;

use super::heap;

/// Zeroed bytes, on pages of their own where they are enough to fill some.
pub(super) enum Bytes {
    Mapped(MmapMut),
    Small(heap::Bytes),
}

/// Bytes of a large page, where there are any.
const LARGE_PAGE: usize = 2 << 20;

/// From so many bytes on pages are mapped. A process has only so many mappings.
const MAPPED: usize = 128 << 10;

impl Bytes {
    /// At least as many bytes as the layout wants; `None` if there are none.
    pub(super) fn zeroed(layout: Layout) -> Option<Self> {
        if layout.size() < MAPPED {
            return heap::Bytes::zeroed(layout).map(Bytes::Small);
        }
        let (large, rest) = (layout.size() / LARGE_PAGE, layout.size() % LARGE_PAGE);
        // What is as long as large pages is laid to where they begin.
        let whole =
            if large > 0 { layout.size().checked_next_multiple_of(LARGE_PAGE)? } else { rest };
        let pages = MmapMut::map_anon(whole).ok()?;
        // Only advice: without large pages the same work takes a little longer. The end, which would
        // not fill one, has small ones.
        #[cfg(target_os = "linux")]
        let _ = pages.advise_range(memmap2::Advice::HugePage, 0, large * LARGE_PAGE);
        Some(Bytes::Mapped(pages))
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        match self {
            Bytes::Mapped(pages) => pages.as_ptr(),
            Bytes::Small(bytes) => bytes.as_ptr(),
        }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        match self {
            Bytes::Mapped(pages) => pages.as_mut_ptr(),
            Bytes::Small(bytes) => bytes.as_mut_ptr(),
        }
    }
}
