//! The worker threads every kernel shares, and the one way work is handed to them.

use std::ops::Range;

#[cfg(feature = "threads")]
mod pool;
#[cfg(not(feature = "threads"))]
mod single;

#[cfg(feature = "threads")]
pub use pool::Threads;
#[cfg(not(feature = "threads"))]
pub use single::Threads;

/// Part `number` when `all` are divided into `of` parts as even as can be.
pub(crate) fn part(number: usize, of: usize, all: usize) -> Range<usize> {
    let start = |number: usize| (number as u128 * all as u128 / of as u128) as usize;
    start(number)..start(number + 1)
}

/// Tasks enough for so many threads to end together, though some are slowed down.
pub(crate) fn even_tasks(threads: usize) -> usize {
    if threads == 1 { 1 } else { TASKS_PER_THREAD * threads }
}

/// The last one to end keeps the others waiting for half a task, as a rule.
const TASKS_PER_THREAD: usize = 12;
