//! Passes over pictures, shared by the threads so that the result does not depend on how many there
//! are: rows are changed independently, and sums go over fixed chunks that are added in order.

use std::cell::Cell;

use graph::Tensor;
use kernels::Threads;

use crate::parallel;

/// Rows that are handed out at once, at the least.
pub(crate) const ROWS: usize = 16;

/// Values that are added up by one thread.
const CHUNK: usize = 16 * 1024;

/// Row `y` of channel `c`.
pub(crate) fn row(tensor: &Tensor, c: usize, y: usize) -> &[f32] {
    &tensor.channel(c)[y * tensor.shape.width..][..tensor.shape.width]
}

/// Calls `change` with the channel, the number and the values of every row.
pub(crate) fn for_each(
    threads: &Threads,
    tensor: &mut Tensor,
    change: impl Fn(usize, usize, &mut [f32]) + Send + Sync,
) {
    for_each_with(threads, tensor, 0, |c, y, row, _| change(c, y, row));
}

/// As [`for_each`], with `scratch` values to work in, which hold anything at first.
pub(crate) fn for_each_with(
    threads: &Threads,
    tensor: &mut Tensor,
    scratch: usize,
    change: impl Fn(usize, usize, &mut [f32], &mut [f32]) + Send + Sync,
) {
    let shape = tensor.shape;
    if shape.is_empty() {
        return;
    }
    let storage = tensor.storage().clone();
    threads.install(|| {
        parallel::chunks_mut(&mut tensor.data, shape.width, ROWS, |index, row| {
            with_scratch(scratch, |values| {
                change(index / shape.height, index % shape.height, row, values);
            });
            storage.touched(size_of_val(row));
        });
    });
}

/// Calls `change` with the number of the first row and the values of all three channels of every band of
/// so many `rows`; the last may have fewer.
pub(crate) fn for_each_band(
    threads: &Threads,
    picture: &mut Tensor,
    rows: usize,
    change: impl Fn(usize, [&mut [f32]; 3]) + Send + Sync,
) {
    let shape = picture.shape;
    assert_eq!(shape.channels, 3, "a picture has three channels");
    if shape.is_empty() {
        return;
    }
    let storage = picture.storage().clone();
    let (red, others) = picture.data.split_at_mut(shape.plane());
    let (green, blue) = others.split_at_mut(shape.plane());
    threads.install(|| {
        parallel::zipped_chunks_mut([red, green, blue], rows * shape.width, |index, band| {
            storage.touched(band.iter().map(|rows| size_of_val(&**rows)).sum());
            change(index * rows, band);
        });
    });
}

thread_local! {
    /// A thread's memory to work in, kept from row to row.
    static SCRATCH: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with so many values of this thread's memory, which hold anything at first.
pub(crate) fn with_scratch(count: usize, work: impl FnOnce(&mut [f32])) {
    // Taken out, so that the work may need such memory of its own.
    let mut values = SCRATCH.take();
    values.resize(values.len().max(count), 0.0);
    work(&mut values[..count]);
    SCRATCH.set(values);
}

/// Sums over all values of the `N` numbers that `of` makes of each. `partial` is memory to work in.
pub(crate) fn sums<const N: usize>(
    threads: &Threads,
    values: &[f32],
    partial: &mut Vec<[f64; N]>,
    of: impl Fn(f32) -> [f64; N] + Send + Sync,
) -> [f64; N] {
    const LANES: usize = 8;
    threads.install(|| {
        parallel::map_into(values.len().div_ceil(CHUNK), partial, |index| {
            let chunk = &values[index * CHUNK..values.len().min((index + 1) * CHUNK)];
            let mut lanes = [[0.0; LANES]; N];
            let (groups, rest) = chunk.as_chunks::<LANES>();
            for group in groups {
                for lane in 0..LANES {
                    let terms = of(group[lane]);
                    for n in 0..N {
                        lanes[n][lane] += terms[n];
                    }
                }
            }
            let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
            for &value in rest {
                let terms = of(value);
                for n in 0..N {
                    sums[n] += terms[n];
                }
            }
            sums
        });
    });
    total(partial)
}

/// As [`sums`], over a tensor's values and, for each, the one that `weights`, of one channel, has at its
/// pixel.
pub(crate) fn weighted_sums<const N: usize>(
    threads: &Threads,
    tensor: &Tensor,
    weights: &Tensor,
    partial: &mut Vec<[f64; N]>,
    of: impl Fn(f32, f32) -> [f64; N] + Send + Sync,
) -> [f64; N] {
    const LANES: usize = 8;
    let chunks = tensor.shape.plane().div_ceil(CHUNK);
    let cut = |plane: usize| {
        let start = plane * CHUNK;
        start..tensor.shape.plane().min(start + CHUNK)
    };
    threads.install(|| {
        parallel::map_into(chunks * tensor.shape.channels, partial, |index| {
            let values = &tensor.channel(index / chunks)[cut(index % chunks)];
            let weights = &weights.data[cut(index % chunks)];
            let mut lanes = [[0.0; LANES]; N];
            let ((groups, rest), (weight_groups, weight_rest)) =
                (values.as_chunks::<LANES>(), weights.as_chunks::<LANES>());
            for (group, weights) in groups.iter().zip(weight_groups) {
                for lane in 0..LANES {
                    let terms = of(group[lane], weights[lane]);
                    for n in 0..N {
                        lanes[n][lane] += terms[n];
                    }
                }
            }
            let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
            for (&value, &weight) in rest.iter().zip(weight_rest) {
                let terms = of(value, weight);
                for n in 0..N {
                    sums[n] += terms[n];
                }
            }
            sums
        });
    });
    total(partial)
}

/// The sums of parts, added up in order.
fn total<const N: usize>(parts: &[[f64; N]]) -> [f64; N] {
    let mut sums = [0.0; N];
    for terms in parts {
        for n in 0..N {
            sums[n] += terms[n];
        }
    }
    sums
}
