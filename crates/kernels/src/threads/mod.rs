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
