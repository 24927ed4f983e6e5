//! Depthwise convolution: each channel has a kernel of its own.
#![expect(clippy::too_many_arguments, reason = "every map comes with its extent")]

use crate::geometry::ConvGeometry;
use crate::map::SharedPtr;
use crate::rows::{Sink, Source};
use crate::simd::Simd;
use crate::window::{Gather, Reduce, gather, reduce};
use crate::{BlockedMap, Context, Vec16, WriteMode};

/// `y` = `x` convolved, channel by channel, plus the bias, and through ReLU if `relu`.
///
/// `weights` are \[element of the window]\[block], `bias` \[block]; slots that hold no channel are 0 in
/// both. `mask`, one entry for each of `ym`'s pixels, receives the channels that ReLU kept.
///
/// # Panics
/// If a slice does not have its length, or there is a mask but no ReLU.
pub fn forward(
    cx: &Context,
    geometry: &ConvGeometry,
    weights: &[Vec16],
    bias: &[Vec16],
    relu: bool,
    xm: &BlockedMap,
    x: &[Vec16],
    ym: &BlockedMap,
    y: &mut [Vec16],
    mask: Option<&mut [u16]>,
) {
    let weights = Weights::new(weights, xm.blocks, geometry);
    assert_eq!(bias.len(), xm.blocks, "one vector of bias for each block");
    assert!(relu || mask.is_none(), "a mask without ReLU");
    assert!(mask.as_ref().is_none_or(|m| m.len() == ym.pixels()), "the mask is not the map's");
    let (x, y) = (Source::new(xm, x), Sink::set(ym, y));
    if relu {
        let mask = mask.map(SharedPtr::of);
        reduce(cx, geometry, x, y, Products::<true> { weights, bias, mask });
    } else {
        reduce(cx, geometry, x, y, Products::<false> { weights, bias, mask: None });
    }
}

/// The gradient of [`forward`] without its ReLU, whose mask `dy` must have been through.
///
/// # Panics
/// If a slice does not have its length.
pub fn backward(
    cx: &Context,
    geometry: &ConvGeometry,
    weights: &[Vec16],
    ym: &BlockedMap,
    dy: &[Vec16],
    xm: &BlockedMap,
    dx: &mut [Vec16],
    write: WriteMode,
    mask: Option<&[u16]>,
) {
    let weights = Weights::new(weights, xm.blocks, geometry);
    gather(cx, geometry, Source::new(ym, dy), Sink::new(xm, dx, write, mask), weights);
}

#[derive(Clone, Copy)]
struct Weights<'a> {
    vectors: &'a [Vec16],
    blocks: usize,
}

impl<'a> Weights<'a> {
    fn new(vectors: &'a [Vec16], blocks: usize, geometry: &ConvGeometry) -> Self {
        let wanted = geometry.elements() * blocks;
        assert_eq!(vectors.len(), wanted, "one weight for each element and block");
        Self { vectors, blocks }
    }

    #[inline(always)]
    unsafe fn of<S: Simd>(&self, block: usize, element: usize) -> S::V {
        // SAFETY: the caller promises a block and an element that there are.
        unsafe { S::load(self.vectors.as_ptr().add(element * self.blocks + block).cast()) }
    }
}

struct Products<'a, const RELU: bool> {
    weights: Weights<'a>,
    bias: &'a [Vec16],
    mask: Option<SharedPtr<u16>>,
}

impl<const RELU: bool> Reduce for Products<'_, RELU> {
    type State<S: Simd> = S::V;
    type Tap<S: Simd> = S::V;
    type Scale = ();

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, block: usize, element: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { self.weights.of::<S>(block, element) }
    }
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, block: usize, _first: Option<(S::V, S::V)>) -> S::V {
        // SAFETY: there is a vector of bias for each block.
        unsafe { S::load(self.bias.as_ptr().add(block).cast()) }
    }
    #[inline(always)]
    unsafe fn take<S: Simd>(sum: S::V, weight: S::V, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::fma(x, weight, sum) }
    }
    #[inline(always)]
    fn scale(&self, _row: usize, _column: usize) {}
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, sum: S::V, _: (), pixel: usize) -> S::V {
        if !RELU {
            return sum;
        }
        // SAFETY: the pixel lies in the map, and its entry is this row's alone.
        unsafe {
            if let Some(mask) = self.mask {
                *mask.get().add(pixel) = S::greater(sum, S::zero());
            }
            S::max(sum, S::zero())
        }
    }
}

impl Gather for Weights<'_> {
    type Tap<S: Simd> = S::V;
    type Scale = ();

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, block: usize, element: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { self.of::<S>(block, element) }
    }
    #[inline(always)]
    fn scale(&self, _row: usize, _column: usize) {}
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, sum: S::V, weight: S::V, _: (), _: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::fma(dy, weight, sum) }
    }
}
