//! Bytes of the allocator: for systems that map no memory, and for what is smaller than pages.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Zeroed bytes.
pub(super) struct Bytes {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the bytes are owned, as a vector's are.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Bytes {
    /// As many bytes as the layout wants, which is not empty; `None` if there are none.
    pub(super) fn zeroed(layout: Layout) -> Option<Self> {
        assert!(layout.size() > 0, "no bytes");
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, layout })
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        self.start.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: they were allocated with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
