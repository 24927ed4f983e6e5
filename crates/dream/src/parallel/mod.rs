//! Work shared by the threads that are at hand: those of the [`kernels::Threads`] inside whose
//! `install` it is handed out. What comes out does not depend on how many there are.

#[cfg(all(feature = "threads", not(target_family = "wasm")))]
mod pool;
mod single;

#[cfg(all(feature = "threads", not(target_family = "wasm")))]
pub(crate) use pool::{chunks_mut, map_into, pairs_of_chunks_mut, zipped_chunks_mut};
#[cfg(any(not(feature = "threads"), target_family = "wasm"))]
pub(crate) use single::{chunks_mut, map_into, pairs_of_chunks_mut, zipped_chunks_mut};

/// What `task` makes of each of `0..count`, in order.
pub(crate) fn map<R: Send>(count: usize, task: impl Fn(usize) -> R + Send + Sync) -> Vec<R> {
    let mut results = Vec::with_capacity(count);
    map_into(count, &mut results, task);
    results
}

/// The values before `at` in each of `slices`, which keep what is after it; empty ones stay empty.
fn split_off<'a, const N: usize>(slices: &mut [&'a mut [f32]; N], at: usize) -> [&'a mut [f32]; N] {
    std::array::from_fn(|n| {
        let slice = std::mem::take(&mut slices[n]);
        let at = at.min(slice.len());
        let (before, after) = slice.split_at_mut(at);
        slices[n] = after;
        before
    })
}

/// The length of the slices that are not empty.
fn longest<const N: usize>(slices: &[&mut [f32]; N]) -> usize {
    slices.iter().map(|slice| slice.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_handed_out_once_with_its_number() {
        let mut values: Vec<usize> = (0..103).collect();
        let mut numbers = vec![0; 103];
        chunks_mut(&mut values, 10, 3, |_, chunk| chunk.iter_mut().for_each(|x| *x *= 2));
        pairs_of_chunks_mut(&mut values, &mut numbers, 10, |index, values, numbers| {
            assert_eq!(values.len(), numbers.len());
            values.iter_mut().for_each(|x| *x += 1);
            numbers.fill(index);
        });
        assert!(values.iter().enumerate().all(|(index, x)| *x == 2 * index + 1));
        assert!(numbers.iter().enumerate().all(|(index, number)| *number == index / 10));
        let (mut a, mut b) = (vec![1.0; 103], vec![2.0; 103]);
        zipped_chunks_mut([&mut a, &mut [], &mut b], 10, |index, [a, none, b]| {
            assert!(a.len() == b.len() && none.is_empty());
            a.iter_mut().for_each(|x| *x += index as f32);
            b.iter_mut().zip(a).for_each(|(b, a)| *b *= *a);
        });
        assert!(b.iter().enumerate().all(|(index, b)| *b == 2.0 * (1 + index / 10) as f32));
        assert_eq!(map(5, |index| index * index), [0, 1, 4, 9, 16]);
    }
}
