//! Memory a task works in, kept by its thread for the next one.

use std::cell::RefCell;

use crate::Lane;

thread_local! {
    static LANES: RefCell<Vec<Vec<Lane>>> = const { RefCell::new(Vec::new()) };
}

/// Lanes that return to the thread when they are dropped. Those that were taken first are to be dropped
/// last, for then each finds its own memory again.
pub(crate) struct Scratch(Vec<Lane>);

impl Scratch {
    /// At least `lanes`, which hold anything: clearing them would take as long as working on them.
    pub(crate) fn new(lanes: usize) -> Self {
        let mut scratch = LANES.with_borrow_mut(Vec::pop).unwrap_or_default();
        if scratch.len() < lanes {
            scratch.resize(lanes, Lane::default());
        }
        Self(scratch)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut Lane {
        self.0.as_mut_ptr()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        LANES.with_borrow_mut(|lanes| lanes.push(std::mem::take(&mut self.0)));
    }
}
