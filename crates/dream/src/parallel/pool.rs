//! With the feature `threads`: work that is handed to a pool.

use std::error::Error;
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::single;

/// Whether there is a pool: the one that this is called in, or rayon's own, whose threads are started
/// with the first call. The system may have none left.
fn is_there() -> bool {
    static OWN: OnceLock<bool> = OnceLock::new();
    // Without a source, the error says that the pool has been started elsewhere.
    let start = || rayon::ThreadPoolBuilder::new().build_global();
    let started = || start().map_or_else(|error| error.source().is_none(), |()| true);
    rayon::current_thread_index().is_some() || *OWN.get_or_init(started)
}

/// Calls `task` with the number and the values of each chunk of `size`, at least so many of them
/// `at_once`.
pub(crate) fn chunks_mut<T: Send>(
    data: &mut [T],
    size: usize,
    at_once: usize,
    task: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    if !is_there() {
        return single::chunks_mut(data, size, at_once, task);
    }
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
    if !is_there() {
        return single::pairs_of_chunks_mut(a, b, size, task);
    }
    let pairs = a.par_chunks_mut(size).zip(b.par_chunks_mut(size)).enumerate();
    pairs.for_each(|(index, (a, b))| task(index, a, b));
}

/// Replaces `results` by what `task` makes of each of `0..count`.
pub(crate) fn map_into<R: Send>(
    count: usize,
    results: &mut Vec<R>,
    task: impl Fn(usize) -> R + Send + Sync,
) {
    if !is_there() {
        return single::map_into(count, results, task);
    }
    (0..count).into_par_iter().map(task).collect_into_vec(results);
}

/// Calls `task` with the number of each chunk of `size`, and with its values in all of `slices`, which
/// are as long as each other or empty.
pub(crate) fn zipped_chunks_mut<const N: usize>(
    slices: [&mut [f32]; N],
    size: usize,
    task: impl Fn(usize, [&mut [f32]; N]) + Send + Sync,
) {
    if !is_there() {
        return single::zipped_chunks_mut(slices, size, task);
    }
    let chunks = super::longest(&slices).div_ceil(size);
    if chunks > 0 {
        halved(slices, 0..chunks, size, &task);
    }
}

/// Hands out the chunks of a range, which is not empty, by halves.
fn halved<const N: usize>(
    mut after: [&mut [f32]; N],
    chunks: Range<usize>,
    size: usize,
    task: &(impl Fn(usize, [&mut [f32]; N]) + Send + Sync),
) {
    let half = chunks.len() / 2;
    if half == 0 {
        return task(chunks.start, after);
    }
    let before = super::split_off(&mut after, half * size);
    let middle = chunks.start + half;
    rayon::join(
        || halved(before, chunks.start..middle, size, task),
        || halved(after, middle..chunks.end, size, task),
    );
}
