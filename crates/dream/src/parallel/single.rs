//! The twin of `pool` without threads: all work is done where it is handed out.

/// Calls `task` with the number and the values of each chunk of `size`.
pub(crate) fn chunks_mut<T: Send>(
    data: &mut [T],
    size: usize,
    _at_once: usize,
    task: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    data.chunks_mut(size).enumerate().for_each(|(index, chunk)| task(index, chunk));
}

/// Calls `task` with the number and the values of each chunk of both.
pub(crate) fn pairs_of_chunks_mut<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    size: usize,
    task: impl Fn(usize, &mut [A], &mut [B]) + Send + Sync,
) {
    let pairs = a.chunks_mut(size).zip(b.chunks_mut(size)).enumerate();
    pairs.for_each(|(index, (a, b))| task(index, a, b));
}

/// Replaces `results` by what `task` makes of each of `0..count`.
pub(crate) fn map_into<R: Send>(
    count: usize,
    results: &mut Vec<R>,
    task: impl Fn(usize) -> R + Send + Sync,
) {
    results.clear();
    results.extend((0..count).map(task));
}

/// Calls `task` with the number of each chunk of `size`, and with its values in all of `slices`, which
/// are as long as each other or empty.
pub(crate) fn zipped_chunks_mut<const N: usize>(
    mut slices: [&mut [f32]; N],
    size: usize,
    task: impl Fn(usize, [&mut [f32]; N]) + Send + Sync,
) {
    for chunk in 0..super::longest(&slices).div_ceil(size) {
        task(chunk, super::split_off(&mut slices, size));
    }
}
