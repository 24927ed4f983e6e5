//! Which frames are there: those who dream write on it, the one who makes the movie waits for the next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What everybody at work on a video knows of the others.
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    there: Vec<bool>,
    closed: bool,
}

impl Board {
    /// A board for frames of which some are there.
    pub(super) fn new(there: Vec<bool>) -> Self {
        Self { state: Mutex::new(State { there, closed: false }), changed: Condvar::new() }
    }

    /// Frame `number` is there.
    pub(super) fn done(&self, number: u64) {
        if let Some(there) = self.state().there.get_mut(number as usize) {
            *there = true;
        }
        self.changed.notify_all();
    }

    /// Nobody works any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Closes it when the guard goes, be it in a panic: nobody is to wait for ever.
    pub(super) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    /// Whether somebody has closed it.
    pub(super) fn closed(&self) -> bool {
        self.state().closed
    }

    /// Waits for the frame at `place`; false if it will never come.
    pub(super) fn wait(&self, place: usize) -> bool {
        let mut state = self.state();
        loop {
            if state.there.get(place).is_some_and(|there| *there) {
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

/// See [`Board::closing`].
pub(super) struct Closing<'a>(&'a Board);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_what_comes_and_not_for_what_never_will() {
        let board = Board::new(vec![true, false, false]);
        assert!(board.wait(0));
        let waits = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| [1, 2, 3].map(|place| board.wait(place)));
            let worker = scope.spawn(|| {
                let _closing = board.closing();
                board.done(1);
                panic!("as workers never should");
            });
            assert!(worker.join().is_err());
            waiter.join().unwrap()
        });
        assert_eq!(waits, [true, false, false]);
        assert!(board.closed() && board.wait(1));
    }
}
