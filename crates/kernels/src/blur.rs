//! Blurs of a picture's planes along columns, rows and across planes, several of them added up in one pass
//! over the picture: all of it stays in the cache nearest to the core.

use crate::Context;
use crate::map::Shared;
use crate::rows::TASK_BYTES;
use crate::scratch::Scratch;
use crate::simd::{Simd, for_level};

/// One of the blurs that are added up.
#[derive(Clone, Copy, Debug)]
pub struct Blur<'a> {
    /// The weights along columns and along rows, from −radius to radius.
    pub weights: &'a [f32],
    /// How much each plane of the result gets of each blurred plane: `[result][blurred]`.
    pub mix: &'a [f32],
}

impl Blur<'_> {
    fn radius(&self) -> usize {
        self.weights.len() / 2
    }
}

/// Where position `index` of an axis of `side` values lies once mirrored into it, the border value itself
/// being repeated.
pub fn mirrored(index: isize, side: usize) -> usize {
    let side = side as isize;
    if (0..side).contains(&index) {
        return index as usize;
    }
    let index = index.rem_euclid(2 * side);
    index.min(2 * side - 1 - index) as usize
}

/// Writes the sum of `blurs` of `source` to `target`, both `planes` × `height` × `width`. Beyond its
/// borders the picture is mirrored.
///
/// # Panics
/// If a slice does not have its extent, or weights are not odd in number.
pub fn blur(
    cx: &Context,
    blurs: &[Blur<'_>],
    [planes, height, width]: [usize; 3],
    source: &[f32],
    target: &mut [f32],
) {
    let values = planes * height * width;
    assert_eq!((source.len(), target.len()), (values, values), "the slices are not the picture's");
    for blur in blurs {
        assert!(blur.weights.len() % 2 == 1, "weights lie around one in the middle");
        assert_eq!(blur.mix.len(), planes * planes, "a share of each plane for each plane");
    }
    if values == 0 {
        return;
    }
    let job = Job { blurs, planes, height, width, source, target: Shared::of(target) };
    let tasks = (8 * values).div_ceil(TASK_BYTES).min(height);
    cx.threads.for_each(tasks, |task| {
        let mut scratch = Scratch::new(job.lanes());
        let scratch = scratch.as_mut_ptr().cast();
        for y in height * task / tasks..height * (task + 1) / tasks {
            // SAFETY: the level is the context's, the slices were checked, and tasks have rows of their own.
            unsafe { blur_row(cx.level, &Row { job: &job, y, scratch }) };
        }
    });
}

struct Job<'a> {
    blurs: &'a [Blur<'a>],
    planes: usize,
    height: usize,
    width: usize,
    source: &'a [f32],
    target: Shared<f32>,
}

impl Job<'_> {
    /// Values of a row of scratch, whose last lane may be partly filled.
    fn pitch(&self) -> usize {
        self.width.next_multiple_of(16)
    }

    fn radius(&self) -> usize {
        self.blurs.iter().map(Blur::radius).max().unwrap_or(0)
    }

    /// Lanes of scratch: a row for each blur of each plane, and one with its borders, which a whole lane
    /// may be written or read behind.
    fn lanes(&self) -> usize {
        let padded = self.pitch() + 2 * self.radius().next_multiple_of(16) + 32;
        (self.blurs.len() * self.planes * self.pitch() + padded) / 16
    }
}

struct Row<'a> {
    job: &'a Job<'a>,
    y: usize,
    scratch: *mut f32,
}

for_level! {
    /// Makes one row of all planes of the target.
    ///
    /// # Safety
    /// The row lies in the picture and is this thread's alone, the scratch has the job's lanes.
    unsafe fn blur_row(Row<'_>) = all_blurs
}

#[inline(always)]
unsafe fn all_blurs<S: Simd>(row: &Row<'_>) {
    let Row { job, y, scratch } = *row;
    let (planes, width, pitch) = (job.planes, job.width, job.pitch());
    // SAFETY: every row of scratch is a pitch long; the rest is the caller's promise.
    unsafe {
        let padded = scratch.add(job.blurs.len() * planes * pitch);
        for (n, blur) in job.blurs.iter().enumerate() {
            for plane in 0..planes {
                column_sums::<S>(row, blur, plane, padded.add(blur.radius()));
                mirror(padded, blur.radius(), width);
                row_sums::<S>(blur, padded, scratch.add((n * planes + plane) * pitch), width);
            }
        }
        for plane in 0..planes {
            let to = job.target.get().add((plane * job.height + y) * width);
            for x in (0..width).step_by(16) {
                let mut sum = S::zero();
                let mut blurred = scratch.add(x);
                for blur in job.blurs {
                    for &share in &blur.mix[plane * planes..][..planes] {
                        sum = S::fma(S::splat(share), S::load(blurred), sum);
                        blurred = blurred.add(pitch);
                    }
                }
                if x + 16 <= width {
                    S::store(to.add(x), sum);
                } else {
                    S::store(padded, sum);
                    to.add(x).copy_from_nonoverlapping(padded, width - x);
                }
            }
        }
    }
}

/// Rows whose weighted sum is made at once.
const ROWS: usize = 8;

/// Writes the weighted sums along a plane's columns to `to`, up to a lane more than the width.
///
/// # Safety
/// As [`blur_row`].
#[inline(always)]
unsafe fn column_sums<S: Simd>(row: &Row<'_>, blur: &Blur<'_>, plane: usize, to: *mut f32) {
    let Job { height, width, source, .. } = *row.job;
    for (group, weights) in blur.weights.chunks(ROWS).enumerate() {
        let mut rows = [source.as_ptr(); ROWS];
        for (k, from) in rows[..weights.len()].iter_mut().enumerate() {
            let y = (row.y + group * ROWS + k) as isize - blur.radius() as isize;
            *from = source[(plane * height + mirrored(y, height)) * width..].as_ptr();
        }
        let rows = &rows[..weights.len()];
        let mut x = 0;
        // SAFETY: the rows are as long as the picture is wide, and only that much is read.
        unsafe {
            while x + 32 <= width {
                let mut sums = [S::zero(); 2];
                for (&weight, from) in weights.iter().zip(rows) {
                    let weight = S::splat(weight);
                    sums[0] = S::fma(weight, S::load(from.add(x)), sums[0]);
                    sums[1] = S::fma(weight, S::load(from.add(x + 16)), sums[1]);
                }
                put::<S>(to.add(x), sums[0], group > 0);
                put::<S>(to.add(x + 16), sums[1], group > 0);
                x += 32;
            }
            while x < width {
                let kept = if width - x < 16 { (1 << (width - x)) - 1 } else { u16::MAX };
                let mut sum = S::zero();
                for (&weight, from) in weights.iter().zip(rows) {
                    sum = S::fma(S::splat(weight), S::load_kept(from.add(x), kept), sum);
                }
                put::<S>(to.add(x), sum, group > 0);
                x += 16;
            }
        }
    }
}

/// Writes a lane, or adds it to what is there.
///
/// # Safety
/// `to` is good for it, and the processor has the level.
#[inline(always)]
unsafe fn put<S: Simd>(to: *mut f32, lane: S::V, add: bool) {
    // SAFETY: the caller's promise.
    unsafe { S::store(to, if add { S::add(lane, S::load(to)) } else { lane }) }
}

/// Mirrors the `width` values after the first `radius` into as many before and behind them.
///
/// # Safety
/// `padded` has them all.
unsafe fn mirror(padded: *mut f32, radius: usize, width: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for x in 0..radius {
            let before = mirrored(x as isize - radius as isize, width);
            *padded.add(x) = *padded.add(radius + before);
            *padded.add(radius + width + x) =
                *padded.add(radius + mirrored((width + x) as isize, width));
        }
    }
}

/// Writes the weighted sums along a padded row to `to`, up to a lane more than the width.
///
/// # Safety
/// As [`blur_row`].
#[inline(always)]
unsafe fn row_sums<S: Simd>(blur: &Blur<'_>, padded: *const f32, to: *mut f32, width: usize) {
    let mut x = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while x + 16 < width {
            let mut sums = [S::zero(); 2];
            for (k, &weight) in blur.weights.iter().enumerate() {
                let weight = S::splat(weight);
                sums[0] = S::fma(weight, S::load(padded.add(x + k)), sums[0]);
                sums[1] = S::fma(weight, S::load(padded.add(x + k + 16)), sums[1]);
            }
            S::store(to.add(x), sums[0]);
            S::store(to.add(x + 16), sums[1]);
            x += 32;
        }
        if x < width {
            let mut sum = S::zero();
            for (k, &weight) in blur.weights.iter().enumerate() {
                sum = S::fma(S::splat(weight), S::load(padded.add(x + k)), sum);
            }
            S::store(to.add(x), sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_mirrored_with_the_border_repeated() {
        let seen: Vec<usize> = (-5..7).map(|index| mirrored(index, 3)).collect();
        assert_eq!(seen, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
    }
}
