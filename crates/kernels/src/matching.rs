//! Which of many vectors is most like each of others: the greatest of their dot products, without a place for
//! all of them.
//!
//! A product is one sum from the first channel to the last, at any blocking and on any number of threads, so
//! what is chosen depends on the level alone.

use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::{Simd, for_level, unrolled};
use crate::{Context, Vec16};

/// How many candidates lie side by side in [`Candidates`].
const GROUP: usize = 8;

/// How many vectors of sixteen positions are matched at once, at the most.
const WIDE: usize = 2;

/// Vectors to choose from, packed for [`best_matches`].
#[derive(Clone, Debug)]
pub struct Candidates {
    count: usize,
    channels: usize,
    /// `[group][channel][candidate of the group]`.
    packed: Vec<f32>,
}

impl Candidates {
    /// The columns of `values`, which has `channels` rows of `count` columns.
    ///
    /// # Panics
    /// If the slice is not as long as that, or there are no candidates, or 2²⁴ or more.
    pub fn new(channels: usize, count: usize, values: &[f32]) -> Self {
        assert_eq!(Some(values.len()), channels.checked_mul(count), "the slice is not the matrix");
        assert!((1..1 << 24).contains(&count), "candidates are numbered in single precision");
        let groups = count.div_ceil(GROUP);
        let mut packed = vec![0.0; groups * channels * GROUP];
        for (group, packed) in packed.chunks_exact_mut(channels.max(1) * GROUP).enumerate() {
            for (channel, packed) in packed.chunks_exact_mut(GROUP).enumerate() {
                let row = &values[channel * count..][..count];
                let own = &row[group * GROUP..count.min((group + 1) * GROUP)];
                packed[..own.len()].copy_from_slice(own);
            }
        }
        Self { count, channels, packed }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many values each has.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// For each column of `values`, which has as many rows as candidates have channels and `best.len()` columns:
/// the number of the candidate whose dot product with it is the greatest, of equal ones the first, and that
/// product. Columns with a product that is no number get any candidate.
///
/// # Panics
/// If the slices do not have these lengths.
pub fn best_matches(
    cx: &Context,
    candidates: &Candidates,
    values: &[f32],
    best: &mut [u32],
    products: &mut [f32],
) {
    let columns = best.len();
    assert_eq!(products.len(), columns, "a product for each column");
    let all = candidates.channels.checked_mul(columns);
    assert_eq!(Some(values.len()), all, "the slice is not the matrix");
    let (best, products) = (SharedPtr::of(best), SharedPtr::of(products));
    let job = Job { candidates, values, columns, best, products };
    cx.threads().for_each(columns.div_ceil(16 * WIDE), |task| {
        let mut scratch = Scratch::new(WIDE * candidates.channels);
        let scratch = scratch.as_mut_ptr().cast();
        // SAFETY: the level is the context's, the slices were checked, and each task has columns of its own.
        unsafe { match_part(cx.level(), &Part { job: &job, first: 16 * WIDE * task, scratch }) };
    });
}

struct Job<'a> {
    candidates: &'a Candidates,
    values: &'a [f32],
    columns: usize,
    best: SharedPtr<u32>,
    products: SharedPtr<f32>,
}

/// The columns from `first` on, at most `16 · WIDE`.
struct Part<'a> {
    job: &'a Job<'a>,
    first: usize,
    scratch: *mut f32,
}

for_level! {
    /// Matches some columns.
    ///
    /// # Safety
    /// The columns are this thread's alone, the scratch has `WIDE` vectors for each channel.
    unsafe fn match_part(Part<'_>) = columns
}

#[inline(always)]
unsafe fn columns<S: Simd>(part: &Part<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        gather(part);
        if S::HELD >= 32 {
            choose::<S, WIDE, GROUP>(part, 0);
        } else {
            (0..WIDE).for_each(|vector| choose::<S, 1, { GROUP / 2 }>(part, vector));
        }
    }
}

/// Copies the columns into the scratch, `WIDE` vectors for each channel, what is missing being 0.
///
/// # Safety
/// As [`match_part`].
#[inline(always)]
unsafe fn gather(part: &Part<'_>) {
    let Job { candidates, values, columns, .. } = *part.job;
    let count = (columns - part.first).min(16 * WIDE);
    for channel in 0..candidates.channels {
        // SAFETY: the columns lie in the matrix, and the scratch has this channel's vectors.
        unsafe {
            let to = part.scratch.add(16 * WIDE * channel);
            let from = values[channel * columns + part.first..][..count].as_ptr();
            to.copy_from_nonoverlapping(from, count);
            to.add(count).write_bytes(0, 16 * WIDE - count);
        }
    }
}

/// Chooses for `W` vectors of columns from the one called `vector` on, `G` candidates at once.
///
/// # Safety
/// As [`match_part`], the scratch being filled.
#[inline(always)]
unsafe fn choose<S: Simd, const W: usize, const G: usize>(part: &Part<'_>, vector: usize) {
    let Job { candidates, columns, best, products, .. } = *part.job;
    let Candidates { count, channels, ref packed } = *candidates;
    // SAFETY: all candidates are packed, the last group filled up; only what lies in the matrix is written.
    unsafe {
        let from = part.scratch.add(16 * vector).cast_const();
        let mut greatest = [S::splat(f32::NEG_INFINITY); W];
        let mut chosen = [S::zero(); W];
        for first in (0..count).step_by(G) {
            let group = packed.as_ptr().add(first / GROUP * GROUP * channels + first % GROUP);
            let mut sums = [[S::zero(); W]; G];
            for channel in 0..channels {
                let mut x = [S::zero(); W];
                for w in 0..W {
                    x[w] = S::load(from.add(16 * (WIDE * channel + w)));
                }
                unrolled!(g < G: [0 1 2 3 4 5 6 7], {
                    let y = S::splat(*group.add(GROUP * channel + g));
                    for w in 0..W {
                        sums[g][w] = S::fma(x[w], y, sums[g][w]);
                    }
                });
            }
            unrolled!(g < G: [0 1 2 3 4 5 6 7], {
                if first + g < count {
                    let number = S::splat((first + g) as f32);
                    for w in 0..W {
                        let sum = sums[g][w];
                        chosen[w] = S::select_greater(sum, greatest[w], number, chosen[w]);
                        greatest[w] = S::select_greater(sum, greatest[w], sum, greatest[w]);
                    }
                }
            });
        }
        for w in 0..W {
            let (mut numbers, mut sums) = (Vec16::default(), Vec16::default());
            S::store(numbers.0.as_mut_ptr(), chosen[w]);
            S::store(sums.0.as_mut_ptr(), greatest[w]);
            let start = part.first + 16 * (vector + w);
            for lane in 0..columns.saturating_sub(start).min(16) {
                *best.get().add(start + lane) = numbers.0[lane] as u32;
                *products.get().add(start + lane) = sums.0[lane];
            }
        }
    }
}
