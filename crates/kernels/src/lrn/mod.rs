//! Local response normalisation across channels.
//!
//! A window over channels crosses the lanes of a vector. So a few pixels at a time are turned into rows
//! of contiguous channels with zeros on both sides, in which a window is a few unaligned loads. Where vectors can be
//! shifted against each other, the usual windows are made `in_registers`.

mod in_registers;
mod keeping;
mod values;

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16, WriteMode};
pub use keeping::{backward_kept, forward_keeping};
use values::RowOfBlocks;
pub(crate) use values::Values;

/// `y_c = x_c / (bias + alpha · Σ x_k²)^beta`, k over the `size` channels around c (Krizhevsky et al.,
/// "ImageNet classification with deep convolutional neural networks", 3.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// How many channels the maps hold, in their first slots.
    pub channels: usize,
    /// How many channels the sum goes over, the own in the middle; odd.
    pub size: usize,
    /// Weight of the sum of squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub bias: f32,
}

/// `y` = `x` normalised. Slots that hold no channel become 0.
///
/// # Panics
/// If there are more channels than slots, or the maps differ in more than their halos.
pub fn forward(cx: &Context, lrn: &Lrn, x: MapRef<'_>, y: MapMut<'_>) {
    let map = *x.map();
    map.assert_same_extent(y.map());
    let windows = Windows::new(lrn, &map);
    let kernel = Forward { lrn: windows, x: Source::new(x), y: Sink::overwrite(y) };
    let row_bytes = map.blocks() * 2 * kernel.x.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the input alone.
    unsafe { run_rows(cx, 1, map.height(), row_bytes, &kernel) }
}

/// The gradient of [`forward`] at `x`:
/// `dx_c = dy_c · s_c^−β − 2αβ · x_c · Σ_k dy_k · x_k · s_k^(−β−1)`, s being the sums.
///
/// # Panics
/// If there are more channels than slots, or the maps differ in more than their halos.
pub fn backward(cx: &Context, lrn: &Lrn, x: MapRef<'_>, dy: MapRef<'_>, dx: Destination<'_>) {
    x.map().assert_same_extent(dx.map());
    run_backward(cx, lrn, Source::new(x), dy, Sink::new(dx));
}

/// As [`backward`], with `x` where the gradient is to be.
///
/// # Panics
/// As [`backward`], and if the gradient is to be added to what is there.
pub fn backward_in_place(cx: &Context, lrn: &Lrn, dy: MapRef<'_>, x: Destination<'_>) {
    assert_eq!(x.mode, WriteMode::Overwrite, "the gradient takes the place of the values");
    let dx = Sink::new(x);
    run_backward(cx, lrn, Source::under(&dx), dy, dx);
}

fn run_backward<X: Values>(cx: &Context, lrn: &Lrn, x: X, dy: MapRef<'_>, dx: Sink<'_>) {
    let map = dx.map;
    map.assert_same_extent(dy.map());
    let kernel = Backward { lrn: Windows::new(lrn, &map), x, dy: Source::new(dy), dx };
    let row_bytes = map.blocks() * 3 * dx.row_bytes();
    // SAFETY: each row, with all its blocks, is made from the same row of the inputs alone.
    unsafe { run_rows(cx, 1, map.height(), row_bytes, &kernel) }
}

/// Pixels that are worked on together.
const PIXELS: usize = 16;

/// Windows over the channels of [`PIXELS`] pixels.
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    lrn: Lrn,
    blocks: usize,
    /// Channels on each side of a window's middle.
    half: usize,
    /// Vectors of zeros before and after a pixel's channels.
    margin: usize,
}

impl Windows {
    pub(crate) fn new(lrn: &Lrn, map: &BlockedMap) -> Self {
        assert!(lrn.channels <= map.blocks() * 16, "more channels than slots");
        let half = lrn.size / 2;
        let windows = Self { lrn: *lrn, blocks: map.blocks(), half, margin: half.div_ceil(16) };
        let scratch = windows.pitch().checked_mul(3 * PIXELS * size_of::<Vec16>());
        assert!(
            scratch.is_some_and(|bytes| bytes <= isize::MAX as usize),
            "the window is too large"
        );
        windows
    }

    /// Vectors for one pixel's channels.
    fn pitch(&self) -> usize {
        self.blocks + 2 * self.margin
    }

    /// The vector of a pixel's block.
    #[inline(always)]
    fn at(&self, pixel: usize, block: usize) -> usize {
        pixel * self.pitch() + self.margin + block
    }

    /// Clears the margins of `pixels` pixels, one after the other from `vectors` on.
    #[inline(always)]
    unsafe fn clear_margins(&self, vectors: *mut Vec16, pixels: usize) {
        for pixel in 0..pixels {
            // SAFETY: the caller promises that there are as many.
            unsafe {
                vectors.add(pixel * self.pitch()).write_bytes(0, self.margin);
                vectors.add(self.at(pixel, self.blocks)).write_bytes(0, self.margin);
            }
        }
    }

    /// The slots of a block that hold channels.
    fn live(&self, block: usize) -> u16 {
        match self.lrn.channels.saturating_sub(block * 16) {
            live @ 0..16 => (1 << live) - 1,
            _ => u16::MAX,
        }
    }

    /// The sums of the windows around sixteen channels, of values in rows of contiguous channels.
    #[inline(always)]
    unsafe fn sum<S: Simd, K: Kind>(&self, middle: *const Vec16) -> S::V {
        // SAFETY: the margins hold half a window.
        unsafe {
            let from = middle.cast::<f32>().sub(self.half);
            match K::HALF {
                Some(2) => return window::<S, 2>(from),
                Some(5) => return window::<S, 5>(from),
                _ => {}
            }
            let mut sum = S::load(from);
            for k in 1..=2 * self.half {
                sum = S::add(sum, S::load(from.add(k)));
            }
            sum
        }
    }

    /// `s^−β` and `s^(−β−1)`, s being made of sums of squares.
    #[inline(always)]
    unsafe fn powers<S: Simd, K: Kind>(&self, squares: S::V) -> (S::V, S::V) {
        // SAFETY: the caller's promise.
        unsafe {
            let (alpha, bias) = (S::splat(self.lrn.alpha), S::splat(self.lrn.bias));
            let sum = S::fma(squares, alpha, bias);
            if let Some(beta) = K::BETA {
                let root = S::rsqrt(sum);
                let inverse = S::mul(root, root);
                let power = if beta == 0.5 { root } else { S::mul(inverse, S::rsqrt(root)) };
                return (power, S::mul(power, inverse));
            }
            let mut values = Vec16::default();
            S::store(values.0.as_mut_ptr(), sum);
            let power = values.0.map(|sum| sum.powf(-self.lrn.beta));
            let steeper: [f32; 16] = std::array::from_fn(|i| power[i] / values.0[i]);
            (S::load(power.as_ptr()), S::load(steeper.as_ptr()))
        }
    }
}

/// What is known of a normalisation when it is compiled.
trait Kind {
    /// Half the window.
    const HALF: Option<usize>;
    /// The exponent, ½ or ¾.
    const BETA: Option<f32>;
}

/// TensorFlow's default, and Inception's.
struct Radius5;

impl Kind for Radius5 {
    const HALF: Option<usize> = Some(5);
    const BETA: Option<f32> = Some(0.5);
}

/// AlexNet's, and GoogLeNet's.
struct Size5;

impl Kind for Size5 {
    const HALF: Option<usize> = Some(2);
    const BETA: Option<f32> = Some(0.75);
}

/// Any other.
struct Any;

impl Kind for Any {
    const HALF: Option<usize> = None;
    const BETA: Option<f32> = None;
}

/// The sum of the `2 · HALF + 1` vectors that begin at `from`, each one value further: the windows of
/// AlexNet's and of TensorFlow's defaults, unrolled.
#[inline(always)]
unsafe fn window<S: Simd, const HALF: usize>(from: *const f32) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sum = S::load(from.add(HALF));
        for k in 0..HALF {
            let pair = S::add(S::load(from.add(k)), S::load(from.add(2 * HALF - k)));
            sum = S::add(sum, pair);
        }
        sum
    }
}

/// The kernel of [`forward`].
pub(crate) struct Forward<'a> {
    pub(crate) lrn: Windows,
    pub(crate) x: Source<'a>,
    pub(crate) y: Sink<'a>,
}

impl RowKernel for Forward<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        // SAFETY: the caller's promise is the same.
        unsafe {
            match (self.lrn.half, self.lrn.lrn.beta) {
                (5, 0.5) => self.of::<S, Radius5>(rows),
                (2, 0.75) => self.of::<S, Size5>(rows),
                _ => self.of::<S, Any>(rows),
            }
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    unsafe fn of<S: Simd, K: Kind>(&self, rows: Range<usize>) {
        if S::SHIFTS && K::HALF.is_some() {
            // SAFETY: the caller's promise is the same.
            unsafe { self.in_registers::<S, K>(rows) };
            return;
        }
        let (lrn, width) = (&self.lrn, self.x.map.width());
        let mut scratch = Scratch::new(PIXELS * lrn.pitch());
        let squares = scratch.as_mut_ptr();
        // SAFETY: rows, columns and blocks lie in the maps and the scratch.
        unsafe {
            lrn.clear_margins(squares, PIXELS);
            for row in rows.clone() {
                for start in (0..width).step_by(PIXELS) {
                    let pixels = PIXELS.min(width - start);
                    for block in 0..lrn.blocks {
                        let from = self.x.row(block, row).add(start * 16);
                        for p in 0..pixels {
                            S::prefetch(from.wrapping_add((PIXELS + p) * 16));
                            let x = S::load(from.add(p * 16));
                            S::store(squares.add(lrn.at(p, block)).cast(), S::mul(x, x));
                        }
                    }
                    for block in 0..lrn.blocks {
                        let from = self.x.row(block, row).add(start * 16);
                        let (to, live) = (self.y.row(block, row), lrn.live(block));
                        for p in 0..pixels {
                            let sum = lrn.sum::<S, K>(squares.add(lrn.at(p, block)));
                            let (power, _) = lrn.powers::<S, K>(sum);
                            let y = S::mul(S::load(from.add(p * 16)), power);
                            let y = if live == u16::MAX { y } else { S::keep(y, live) };
                            to.put::<S>(start + p, y);
                        }
                    }
                }
            }
            (0..lrn.blocks).for_each(|block| self.y.close(block, rows.clone()));
        }
    }
}

/// The kernel of [`backward`]. A pixel's values are read for the last time just before its gradient is written.
pub(crate) struct Backward<'a, X> {
    pub(crate) lrn: Windows,
    pub(crate) x: X,
    pub(crate) dy: Source<'a>,
    pub(crate) dx: Sink<'a>,
}

impl<X: Values> RowKernel for Backward<'_, X> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, _block: usize, rows: Range<usize>) {
        // SAFETY: the caller's promise is the same.
        unsafe {
            match (self.lrn.half, self.lrn.lrn.beta) {
                (5, 0.5) => self.of::<S, Radius5>(rows),
                (2, 0.75) => self.of::<S, Size5>(rows),
                _ => self.of::<S, Any>(rows),
            }
        }
    }
}

impl<X: Values> Backward<'_, X> {
    #[inline(always)]
    unsafe fn of<S: Simd, K: Kind>(&self, rows: Range<usize>) {
        if S::SHIFTS && K::HALF.is_some() {
            // SAFETY: the caller's promise is the same.
            unsafe { self.in_registers::<S, K>(rows) };
            return;
        }
        let (lrn, width) = (&self.lrn, self.dx.map.width());
        let vectors = PIXELS * lrn.pitch();
        let mut scratch = Scratch::new(3 * vectors);
        // SAFETY: rows, columns and blocks lie in the maps and the scratch.
        unsafe {
            let squares = scratch.as_mut_ptr();
            // `dy · x · s^(−β−1)` and `dy · s^−β`
            let (shared, own) = (squares.add(vectors), squares.add(2 * vectors));
            lrn.clear_margins(squares, 2 * PIXELS);
            let factor = S::splat(-2.0 * lrn.lrn.alpha * lrn.lrn.beta);
            for row in rows.clone() {
                let values = self.x.row(row);
                for start in (0..width).step_by(PIXELS) {
                    let pixels = PIXELS.min(width - start);
                    for block in 0..lrn.blocks {
                        for p in 0..pixels {
                            let x = values.fetch::<S>(block, start + p);
                            S::store(squares.add(lrn.at(p, block)).cast(), S::mul(x, x));
                        }
                    }
                    for block in 0..lrn.blocks {
                        let dy = self.dy.row(block, row).add(start * 16);
                        let live = lrn.live(block);
                        for p in 0..pixels {
                            S::prefetch(dy.wrapping_add((PIXELS + p) * 16));
                            let at = lrn.at(p, block);
                            let sum = lrn.sum::<S, K>(squares.add(at));
                            let (mut power, mut steeper) = lrn.powers::<S, K>(sum);
                            if live != u16::MAX {
                                (power, steeper) = (S::keep(power, live), S::keep(steeper, live));
                            }
                            let dy = S::load(dy.add(p * 16));
                            let product = S::mul(dy, values.load::<S>(block, start + p));
                            S::store(shared.add(at).cast(), S::mul(product, steeper));
                            S::store(own.add(at).cast(), S::mul(dy, power));
                        }
                    }
                    for block in 0..lrn.blocks {
                        let to = self.dx.row(block, row);
                        for p in 0..pixels {
                            let at = lrn.at(p, block);
                            let x = S::mul(values.load::<S>(block, start + p), factor);
                            let own = S::load(own.add(at).cast());
                            let sum = lrn.sum::<S, K>(shared.add(at));
                            to.put::<S>(start + p, S::fma(x, sum, own));
                        }
                    }
                }
            }
            (0..lrn.blocks).for_each(|block| self.dx.close(block, rows.clone()));
        }
    }
}
