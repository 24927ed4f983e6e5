//! The queue between the workers that dream and the one that writes the movie: frames come in any order,
//! and go out in the movie's.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Which frames are there; shared by all who work on a video.
pub(crate) struct FrameQueue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    present: Vec<bool>,
    closed: bool,
}

impl FrameQueue {
    /// A queue of as many frames, of which some are there.
    pub(crate) fn new(present: Vec<bool>) -> Self {
        Self { state: Mutex::new(State { present, closed: false }), changed: Condvar::new() }
    }

    /// Frame `number` is there.
    pub(crate) fn add(&self, number: u64) {
        if let Some(present) = self.state().present.get_mut(number as usize) {
            *present = true;
        }
        self.changed.notify_all();
    }

    /// No more frames will come.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Closes the queue when the guard is dropped, even in a panic, so that nothing waits for ever.
    pub(crate) fn close_at_end(&self) -> CloseAtEnd<'_> {
        CloseAtEnd(self)
    }

    /// Whether the queue is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Waits for the frame at `place`; false if it will never come.
    pub(crate) fn wait(&self, place: usize) -> bool {
        let mut state = self.state();
        loop {
            if state.present.get(place).is_some_and(|present| *present) {
                return true;
            }
            if state.closed {
                return false;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`FrameQueue::close_at_end`].
pub(crate) struct CloseAtEnd<'a>(&'a FrameQueue);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_what_comes_and_not_for_what_never_will() {
        let queue = FrameQueue::new(vec![true, false, false]);
        assert!(queue.wait(0));
        let waits = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| [1, 2, 3].map(|place| queue.wait(place)));
            let worker = scope.spawn(|| {
                let _close = queue.close_at_end();
                queue.add(1);
                panic!("as workers never should");
            });
            assert!(worker.join().is_err());
            waiter.join().unwrap()
        });
        assert_eq!(waits, [true, false, false]);
        assert!(queue.is_closed() && queue.wait(1));
    }
}
