//! Memory a task works in, kept by its thread for the next one.

use std::cell::Cell;

use crate::Lane;

thread_local! {
    static LANES: Cell<Vec<Lane>> = const { Cell::new(Vec::new()) };
}

/// Zeroed lanes that return to the thread when they are dropped.
pub(crate) struct Scratch(Vec<Lane>);

impl Scratch {
    pub(crate) fn zeros(lanes: usize) -> Self {
        let mut scratch = LANES.take();
        scratch.clear();
        scratch.resize(lanes, Lane::default());
        Self(scratch)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut Lane {
        self.0.as_mut_ptr()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        LANES.set(std::mem::take(&mut self.0));
    }
}
