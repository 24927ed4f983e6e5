//! A pointer that threads share to write disjoint parts of one slice.

/// The start of a slice.
pub(crate) struct SharedPtr<T>(*mut T);

impl<T> Clone for SharedPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SharedPtr<T> {}

// SAFETY: whoever dereferences it promises that no two threads touch the same element.
unsafe impl<T: Send> Send for SharedPtr<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedPtr<T> {}

impl<T> SharedPtr<T> {
    pub(crate) fn of(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    pub(crate) fn of_pointer(pointer: *mut T) -> Self {
        Self(pointer)
    }

    /// Of a slice that is only read.
    pub(crate) fn reading(slice: &[T]) -> Self {
        Self(slice.as_ptr().cast_mut())
    }

    /// The pointer; a method, so that a closure captures the whole wrapper.
    pub(crate) fn get(self) -> *mut T {
        self.0
    }
}
