//! With the feature `threads`: work that is handed to a pool.

use rayon::prelude::*;

/// Calls `task` with the number and the values of each chunk of `size`, at least so many of them
/// `at_once`.
pub(crate) fn chunks_mut<T: Send>(
    data: &mut [T],
    size: usize,
    at_once: usize,
    task: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let chunks = data.par_chunks_mut(size).enumerate().with_min_len(at_once);
    chunks.for_each(|(index, chunk)| task(index, chunk));
}

/// Calls `task` with the number and the values of each chunk of both.
pub(crate) fn pairs_of_chunks_mut<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    size: usize,
    task: impl Fn(usize, &mut [A], &mut [B]) + Send + Sync,
) {
    let pairs = a.par_chunks_mut(size).zip(b.par_chunks_mut(size)).enumerate();
    pairs.for_each(|(index, (a, b))| task(index, a, b));
}

/// Replaces `results` by what `task` makes of each of `0..count`.
pub(crate) fn map_into<R: Send>(
    count: usize,
    results: &mut Vec<R>,
    task: impl Fn(usize) -> R + Send + Sync,
) {
    (0..count).into_par_iter().map(task).collect_into_vec(results);
}
