//! Element by element: activation, scaling, sums and copies.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, of_block, run_rows};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, MapRef, Relu, Vec16, WriteMode};

pub use crate::channels::{gather_channels, invert};
pub use crate::softmax::{softmax_backward, softmax_forward};

/// `y` = `x` through ReLU.
///
/// # Panics
/// If the mask is not the map's, or the maps differ in more than their halos.
pub fn relu_forward(cx: &Context, x: MapRef<'_>, y: MapMut<'_>, relu: Relu<'_>) {
    x.map().assert_same_extent(y.map());
    assert_eq!(relu.mask.len(), x.map().pixels(), "the mask is not the map's");
    let (mask, most) = (SharedPtr::of(relu.mask), relu.most);
    let kernel = Rectified { x: Source::new(x), y: Sink::overwrite(y), mask, most };
    // SAFETY: each row is made from the input alone.
    unsafe {
        run_rows(
            cx,
            kernel.x.map.blocks(),
            kernel.x.map.height(),
            2 * kernel.x.row_bytes(),
            &kernel,
        )
    }
}

struct Rectified<'a> {
    x: Source<'a>,
    y: Sink<'a>,
    mask: SharedPtr<u16>,
    most: f32,
}

/// `x` between 0 and `most`, and a bit for each lane that was there.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
pub(crate) unsafe fn relu<S: Simd>(x: S::V, most: f32) -> (S::V, u16) {
    // SAFETY: the caller's promise.
    unsafe {
        let most = S::splat(most);
        let kept = S::greater(x, S::zero()) & S::greater(most, x);
        (S::min(S::max(x, S::zero()), most), kept)
    }
}

impl RowKernel for Rectified<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let map = &self.x.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                let (from, to) = (self.x.row(block, row), self.y.row(block, row));
                let mask = self.mask.get().add(map.pixel(block, row, 0));
                for column in 0..map.width() {
                    let x = S::load(from.add(column * 16));
                    let (value, kept) = relu::<S>(x, self.most);
                    *mask.add(column) = kept;
                    to.put::<S>(column, value);
                }
            }
            self.y.close(block, rows);
        }
    }
}

/// Zeroes the channels of `dx` that the mask does not have: the gradient of ReLU, in place.
///
/// # Panics
/// If the mask is not the map's.
pub fn apply_mask(cx: &Context, dx: MapMut<'_>, mask: &[u16]) {
    // Adding zero under the mask leaves what the mask keeps.
    let map = *dx.map();
    let kernel = Fill(Sink::new(Destination::new(dx, WriteMode::Accumulate, Some(mask))));
    // SAFETY: each row is made by itself.
    unsafe { run_rows(cx, map.blocks(), map.height(), kernel.0.row_bytes(), &kernel) }
}

/// Writes zeros.
struct Fill<'a>(Sink<'a>);

impl RowKernel for Fill<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the map.
        unsafe {
            for row in rows.clone() {
                let to = self.0.row(block, row);
                (0..self.0.map.width()).for_each(|column| to.put::<S>(column, S::zero()));
            }
            self.0.close(block, rows);
        }
    }
}

/// `y` = `scale` · `x` + `shift`, with a vector of each for every block; slots that hold no channel must
/// be 0 in both.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn affine_forward(
    cx: &Context,
    scale: &[Vec16],
    shift: &[Vec16],
    x: MapRef<'_>,
    y: MapMut<'_>,
) {
    let blocks = x.map().blocks();
    assert_eq!((scale.len(), shift.len()), (blocks, blocks), "one vector for each block");
    point_by_point(cx, Source::new(x), Sink::overwrite(y), Affine { scale, shift });
}

struct Affine<'a> {
    scale: &'a [Vec16],
    shift: &'a [Vec16],
}

impl Point for Affine<'_> {
    type Constants<S: Simd> = (S::V, S::V);

    #[inline(always)]
    unsafe fn constants<S: Simd>(&self, block: usize) -> (S::V, S::V) {
        // SAFETY: there is a vector for each block.
        unsafe {
            let of = |vectors: &[Vec16]| of_block::<S>(vectors, block);
            (of(self.scale), of(self.shift))
        }
    }
    #[inline(always)]
    unsafe fn apply<S: Simd>((scale, shift): (S::V, S::V), x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::fma(x, scale, shift) }
    }
}

/// The gradient of [`affine_forward`]: `scale` · `dy`.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn affine_backward(cx: &Context, scale: &[Vec16], dy: MapRef<'_>, dx: Destination<'_>) {
    assert_eq!(scale.len(), dx.map().blocks(), "one vector for each block");
    let (dy, dx) = (Source::new(dy), Sink::new(dx));
    point_by_point(cx, dy, dx, ByChannel { scale });
}

struct ByChannel<'a> {
    scale: &'a [Vec16],
}

impl Point for ByChannel<'_> {
    type Constants<S: Simd> = S::V;

    #[inline(always)]
    unsafe fn constants<S: Simd>(&self, block: usize) -> S::V {
        // SAFETY: there is a vector for each block.
        unsafe { of_block::<S>(self.scale, block) }
    }
    #[inline(always)]
    unsafe fn apply<S: Simd>(scale: S::V, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::mul(x, scale) }
    }
}

/// `g` = `weight` · `x`, or added: the gradient of weight · ½ Σ x², which a dream climbs.
///
/// # Panics
/// If the maps differ in more than their halos.
pub fn scale_into(cx: &Context, weight: f32, x: MapRef<'_>, g: Destination<'_>) {
    point_by_point(cx, Source::new(x), Sink::new(g), ByWeight { weight });
}

struct ByWeight {
    weight: f32,
}

impl Point for ByWeight {
    type Constants<S: Simd> = S::V;

    #[inline(always)]
    unsafe fn constants<S: Simd>(&self, _block: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::splat(self.weight) }
    }
    #[inline(always)]
    unsafe fn apply<S: Simd>(weight: S::V, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::mul(x, weight) }
    }
}

/// `dx` = `dy`, or added: a copy, and the gradient of a sum.
///
/// # Panics
/// If the maps differ in more than their halos.
pub fn copy(cx: &Context, dy: MapRef<'_>, dx: Destination<'_>) {
    point_by_point(cx, Source::new(dy), Sink::new(dx), Same);
}

struct Same;

impl Point for Same {
    type Constants<S: Simd> = ();

    #[inline(always)]
    unsafe fn constants<S: Simd>(&self, _block: usize) {}
    #[inline(always)]
    unsafe fn apply<S: Simd>(_: (), x: S::V) -> S::V {
        x
    }
}

/// What becomes of a value, by block.
///
/// # Safety
/// The functions want a processor that has the level, and a block of the maps.
trait Point: Sync {
    type Constants<S: Simd>: Copy;

    unsafe fn constants<S: Simd>(&self, block: usize) -> Self::Constants<S>;
    unsafe fn apply<S: Simd>(constants: Self::Constants<S>, x: S::V) -> S::V;
}

fn point_by_point<P: Point>(cx: &Context, x: Source<'_>, y: Sink<'_>, point: P) {
    x.map.assert_same_extent(&y.map);
    let row_bytes = 2 * x.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, x.map.blocks(), x.map.height(), row_bytes, &Points { x, y, point }) }
}

struct Points<'a, P> {
    x: Source<'a>,
    y: Sink<'a>,
    point: P,
}

impl<P: Point> RowKernel for Points<'_, P> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let constants = self.point.constants::<S>(block);
            for row in rows.clone() {
                let (from, to) = (self.x.row(block, row), self.y.row(block, row));
                for column in 0..self.x.map.width() {
                    let x = S::load(from.add(column * 16));
                    to.put::<S>(column, P::apply::<S>(constants, x));
                }
            }
            self.y.close(block, rows);
        }
    }
}

/// ½ Σ x² over the whole map; its halo must be 0.
pub fn half_sum_squares(cx: &Context, x: MapRef<'_>) -> f64 {
    let bytes = size_of_val(x.vectors());
    let mut sums = [0.0; CHUNKS];
    let kernel = Squares { x, sums: SharedPtr::of(&mut sums) };
    // SAFETY: each chunk has a sum of its own.
    unsafe { run_rows(cx, 1, CHUNKS, bytes / CHUNKS, &kernel) }
    sums.iter().sum::<f64>() * 0.5
}

/// Into how many parts a sum is divided, whatever the number of threads.
const CHUNKS: usize = 64;

struct Squares<'a> {
    x: MapRef<'a>,
    sums: SharedPtr<f64>,
}

impl RowKernel for Squares<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, chunks: Range<usize>) {
        let (map, vectors) = (self.x.map(), self.x.vectors());
        let (own, count) = (map.own(), map.blocks() * map.own());
        for chunk in chunks {
            let part = count * chunk / CHUNKS..count * (chunk + 1) / CHUNKS;
            let mut total = 0.0;
            // SAFETY: the chunk lies in the slice, and its sum is this task's alone.
            unsafe {
                // Few enough at a time for `f32` to hold their sum.
                for start in part.clone().step_by(64) {
                    let mut sums = [S::zero(); 4];
                    let (mut block, mut place) = (start / own, start % own);
                    for i in 0..(part.end - start).min(64) {
                        if place == own {
                            (block, place) = (block + 1, 0);
                        }
                        let x = S::load(vectors.as_ptr().add(block * map.block() + place).cast());
                        sums[i % 4] = S::fma(x, x, sums[i % 4]);
                        place += 1;
                    }
                    let mut values = [0.0; 16];
                    let sum = S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]));
                    S::store(values.as_mut_ptr(), sum);
                    total += values.iter().copied().map(f64::from).sum::<f64>();
                }
                *self.sums.get().add(chunk) = total;
            }
        }
    }
}
