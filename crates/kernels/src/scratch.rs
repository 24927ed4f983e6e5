//! Memory a task works in, kept by its thread for the next one.

use std::cell::RefCell;

use crate::Vec16;

thread_local! {
    static FREE: RefCell<Vec<Vec<Vec16>>> = const { RefCell::new(Vec::new()) };
}

/// Vectors that return to the thread when they are dropped. Those that were taken first are to be dropped
/// last, for then each finds its own memory again.
pub(crate) struct Scratch(Vec<Vec16>);

impl Scratch {
    /// At least `count` vectors, which hold anything: clearing them would take as long as working on them.
    pub(crate) fn new(count: usize) -> Self {
        let mut scratch = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if scratch.len() < count {
            scratch.resize(count, Vec16::default());
        }
        Self(scratch)
    }

    /// The first `count` vectors, of at most as many as it was made for.
    pub(crate) fn as_mut_slice(&mut self, count: usize) -> &mut [Vec16] {
        &mut self.0[..count]
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut Vec16 {
        self.0.as_mut_ptr()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        FREE.with_borrow_mut(|vectors| vectors.push(std::mem::take(&mut self.0)));
    }
}
