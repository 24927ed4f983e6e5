//! Blurs of a picture's planes along rows, columns and across planes, several of them added up in one
//! pass over the picture.
//!
//! The picture is gone through in strips of a few vectors, from top to bottom. Each row's sums along the
//! row are kept, by all blurs and of all planes, until no column needs them any more: of a strip, that
//! much stays in the cache nearest to the core.

use std::ops::Range;

use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::{Simd, for_level, unrolled};
use crate::{Context, Vec16};

/// How many blurs, and how many planes, there may be: as many as registers hold the sums of.
const MOST: usize = 3;

/// One of the blurs that are added up.
#[derive(Clone, Copy, Debug)]
pub struct Blur<'a> {
    /// The weights along rows and along columns, from the middle outwards: the same to both sides.
    pub weights: &'a [f32],
    /// How much each plane of the result gets of each blurred plane: `[result][blurred]`.
    pub mix: &'a [f32],
}

impl Blur<'_> {
    fn radius(&self) -> usize {
        self.weights.len() - 1
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
/// borders the picture is mirrored. Returns the sum of the target's absolute values; `strengths` is memory
/// to work in. `touched` hears now and then in how many more rows, of all planes, pieces have been read and written:
/// where the picture is a file, each brings others with it.
///
/// # Panics
/// If a slice does not have its extent, a blur has no weights, or there are more than three blurs or
/// planes.
pub fn blur(
    cx: &Context,
    blurs: &[Blur<'_>],
    [planes, height, width]: [usize; 3],
    source: &[f32],
    target: &mut [f32],
    strengths: &mut Vec<f64>,
    touched: &(dyn Fn(usize) + Sync),
) -> f64 {
    let values = planes.checked_mul(height).and_then(|values| values.checked_mul(width));
    let slices = [source.len(), target.len()].map(Some);
    assert_eq!(slices, [values; 2], "the slices are not the picture's");
    assert!(blurs.len().max(planes) <= MOST, "more than {MOST} blurs or planes");
    for blur in blurs {
        assert!(!blur.weights.is_empty(), "a blur without weights");
        assert_eq!(blur.mix.len(), planes * planes, "a share of each plane for each plane");
    }
    if source.is_empty() {
        return 0.0;
    }
    let radius = blurs.iter().map(Blur::radius).max().unwrap_or(0);
    strengths.clear();
    strengths.resize(height.div_ceil(CHUNK) * width.div_ceil(16 * STRIP), 0.0);
    let (target, each) = (SharedPtr::of(target), SharedPtr::of(strengths));
    let job =
        Job { blurs, radius, planes, height, width, source, target, strengths: each, touched };
    // The rows around a part are summed up for it alone.
    let tall = height.div_ceil(PARTS_PER_THREAD * cx.threads().count()).max(4 * radius);
    let tall = tall.next_multiple_of(CHUNK);
    cx.threads().for_each(height.div_ceil(tall) * job.across(), |task| {
        let (top, strip) = (task / job.across() * tall, task % job.across());
        let rows = top..(top + tall).min(height);
        let mut scratch = Scratch::new(job.vectors());
        let scratch = scratch.as_mut_ptr().cast();
        // SAFETY: the level is the context's, the slices were checked, and parts do not overlap.
        unsafe { blur_part(cx.level(), &Part { job: &job, rows, strip, scratch }) };
    });
    strengths.iter().sum()
}

/// Parts of a strip for each thread.
const PARTS_PER_THREAD: usize = 2;

/// Vectors of a strip.
const STRIP: usize = 4;

/// Rows of a strip whose strengths are summed up lane by lane, whatever part they are in.
const CHUNK: usize = 16;

/// Rows by which values are fetched ahead, and the places of results: no processor foresees a walk down a
/// strip.
const AHEAD: usize = 3;

struct Job<'a> {
    blurs: &'a [Blur<'a>],
    radius: usize,
    planes: usize,
    height: usize,
    width: usize,
    source: &'a [f32],
    target: SharedPtr<f32>,
    /// Of each chunk of each strip.
    strengths: SharedPtr<f64>,
    touched: &'a (dyn Fn(usize) + Sync),
}

impl Job<'_> {
    /// How many strips there are.
    fn across(&self) -> usize {
        self.width.div_ceil(16 * STRIP)
    }

    /// Rows whose sums are kept.
    fn kept(&self) -> usize {
        2 * self.radius + 1
    }

    /// Vectors of scratch: a strip's sums along the rows kept, for each blur of each plane, and a piece of a
    /// row with what is mirrored on both sides of it.
    fn vectors(&self) -> usize {
        let piece = 2 * self.radius.div_ceil(16) + STRIP + 1;
        self.kept() * MOST * MOST * STRIP + piece
    }
}

struct Part<'a> {
    job: &'a Job<'a>,
    rows: Range<usize>,
    strip: usize,
    scratch: *mut f32,
}

for_level! {
    /// Makes some rows of all planes of the target.
    ///
    /// # Safety
    /// Rows and strip lie in the picture and are this thread's alone, the scratch has the job's vectors.
    unsafe fn blur_part(Part<'_>) = strips
}

#[inline(always)]
unsafe fn strips<S: Simd>(part: &Part<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        if S::HELD >= 32 {
            strips_of::<S, STRIP>(part)
        } else {
            strips_of::<S, { STRIP / 2 }>(part)
        }
    }
}

#[inline(always)]
unsafe fn strips_of<S: Simd, const W: usize>(part: &Part<'_>) {
    let Part { job, ref rows, strip, .. } = *part;
    let columns = 16 * STRIP * strip..job.width.min(16 * STRIP * (strip + 1));
    for left in columns.step_by(16 * W) {
        // SAFETY: the caller's promise.
        let mut strength = unsafe { S::zero() };
        // From the first row above that counts to the last one below.
        for step in 0..rows.len() + 2 * job.radius {
            let y = (rows.start + step) as isize - job.radius as isize;
            // SAFETY: the caller's promise; a row is made once all that count for it are summed up.
            unsafe {
                row_sums::<S, W>(part, left, mirrored(y, job.height), step % job.kept());
                if step >= 2 * job.radius {
                    let y = rows.start + step - 2 * job.radius;
                    strength = S::add(strength, make::<S, W>(part, left, y, step));
                    if (y + 1) % CHUNK == 0 || y + 1 == rows.end {
                        let mut vector = Vec16::default();
                        S::store(vector.0.as_mut_ptr(), strength);
                        *job.strengths.get().add(y / CHUNK * job.across() + strip) += sum(vector);
                        strength = S::zero();
                        (job.touched)(CHUNK);
                    }
                }
            }
        }
    }
}

impl Part<'_> {
    /// Where the sums along a row are kept, by a blur and of a plane.
    ///
    /// # Safety
    /// There are such a place, plane and blur.
    #[inline(always)]
    unsafe fn sums(&self, place: usize, plane: usize, blur: usize) -> *mut f32 {
        // SAFETY: the scratch has the job's vectors.
        unsafe { self.scratch.add(16 * STRIP * ((place * MOST + plane) * MOST + blur)) }
    }

    /// The values of row `y` from `left` on, which are good for a radius before and `count` and a radius
    /// behind.
    ///
    /// # Safety
    /// The row lies in the picture, and `left` in the row; no strip is wider than `count`.
    #[inline(always)]
    unsafe fn values(&self, plane: usize, y: usize, left: usize, count: usize) -> *const f32 {
        let Job { radius, height, width, source, .. } = *self.job;
        let row = &source[(plane * height + y) * width..][..width];
        if left >= radius && left + count + radius <= width {
            return row[left..].as_ptr();
        }
        // SAFETY: the piece lies behind the sums.
        unsafe {
            let piece = self.sums(self.job.kept(), 0, 0);
            let (from, to) = (left.saturating_sub(radius), (left + count + radius).min(width));
            let shift = radius as isize - left as isize;
            let at = |x: isize| piece.offset(x + shift);
            at(from as isize).copy_from_nonoverlapping(row[from..].as_ptr(), to - from);
            for x in (left as isize - radius as isize..0)
                .chain(width as isize..(left + count + radius) as isize)
            {
                *at(x) = row[mirrored(x, width)];
            }
            at(left as isize)
        }
    }
}

/// Keeps the sums along row `y` of a strip of `W` vectors at `place`, by all blurs and of all planes.
///
/// # Safety
/// As [`blur_part`].
#[inline(always)]
unsafe fn row_sums<S: Simd, const W: usize>(part: &Part<'_>, left: usize, y: usize, place: usize) {
    let Job { blurs, radius, planes, .. } = *part.job;
    for plane in 0..planes {
        // SAFETY: the values are good for all that is read, and the scratch for what is written.
        unsafe {
            let values = part.values(plane, y, left, 16 * W);
            for w in 0..=W {
                S::prefetch(values.wrapping_add(AHEAD * part.job.width + 16 * w));
            }
            let mut sums = [[S::zero(); W]; MOST];
            for k in 0..=radius {
                // What lies as far to the left as to the right has the same weight.
                let mut pairs = [S::zero(); W];
                for w in 0..W {
                    let right = S::load(values.add(16 * w + k));
                    pairs[w] = if k == 0 {
                        right
                    } else {
                        S::add(S::load(values.add(16 * w).sub(k)), right)
                    };
                }
                unrolled!(n < MOST: [0 1 2], {
                    if n < blurs.len() && k < blurs[n].weights.len() {
                        let weight = S::splat(blurs[n].weights[k]);
                        for w in 0..W {
                            sums[n][w] = S::fma(weight, pairs[w], sums[n][w]);
                        }
                    }
                });
            }
            unrolled!(n < MOST: [0 1 2], {
                if n < blurs.len() {
                    for w in 0..W {
                        S::store(part.sums(place, plane, n).add(16 * w), sums[n][w]);
                    }
                }
            });
        }
    }
}

/// Makes row `y` of a strip: the sums along the columns of what is kept, the newest of which is that of
/// `step`, mixed across planes. Returns the sums of its absolute values.
///
/// # Safety
/// As [`blur_part`].
#[inline(always)]
unsafe fn make<S: Simd, const W: usize>(
    part: &Part<'_>,
    left: usize,
    y: usize,
    step: usize,
) -> S::V {
    let Job { blurs, radius, planes, height, width, ref target, .. } = *part.job;
    // SAFETY: the scratch holds all rows that count, and only what lies in the row is written.
    unsafe {
        let kept = part.job.kept();
        let middle = (step - radius) % kept;
        let mut made = [[S::zero(); W]; MOST];
        for plane in 0..planes {
            for (n, blur) in blurs.iter().enumerate() {
                let (mut above, mut below) = (middle, middle);
                let mut sums = [S::zero(); W];
                for (k, &weight) in blur.weights.iter().enumerate() {
                    let weight = S::splat(weight);
                    let (up, down) = (part.sums(above, plane, n), part.sums(below, plane, n));
                    for w in 0..W {
                        let down = S::load(down.add(16 * w));
                        let pair =
                            if k == 0 { down } else { S::add(S::load(up.add(16 * w)), down) };
                        sums[w] = S::fma(weight, pair, sums[w]);
                    }
                    above = if above == 0 { kept - 1 } else { above - 1 };
                    below = if below + 1 == kept { 0 } else { below + 1 };
                }
                unrolled!(to < MOST: [0 1 2], {
                    if to < planes {
                        let share = S::splat(blur.mix[to * planes + plane]);
                        for w in 0..W {
                            made[to][w] = S::fma(share, sums[w], made[to][w]);
                        }
                    }
                });
            }
        }
        let mut strength = S::zero();
        unrolled!(to < MOST: [0 1 2], {
            if to < planes {
                let row = target.get().add((to * height + y) * width);
                for w in 0..W {
                    S::prefetch(row.wrapping_add(AHEAD * width + left + 16 * w));
                }
                for w in 0..W {
                    let (x, made) = (left + 16 * w, made[to][w]);
                    let absolute = S::max(made, S::sub(S::zero(), made));
                    if x + 16 <= width {
                        S::store(row.add(x), made);
                        strength = S::add(strength, absolute);
                    } else if x < width {
                        let mut vector = Vec16::default();
                        S::store(vector.0.as_mut_ptr(), made);
                        row.add(x).copy_from_nonoverlapping(vector.0.as_ptr(), width - x);
                        strength = S::add(strength, S::keep(absolute, (1 << (width - x)) - 1));
                    }
                }
            }
        });
        strength
    }
}

/// The sum of sixteen values, by halves.
#[inline(always)]
fn sum(Vec16(values): Vec16) -> f64 {
    let mut sums = values.map(f64::from);
    for half in [8, 4, 2, 1] {
        for at in 0..half {
            sums[at] += sums[at + half];
        }
    }
    sums[0]
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
