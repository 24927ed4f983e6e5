//! Depthwise convolution: each channel has a kernel of its own.

use crate::elementwise::relu;
use crate::geometry::ConvGeometry;
use crate::rows::{Sink, Source, of_block};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::window::{Gather, Reduce, gather, reduce};
use crate::{Context, Destination, MapMut, MapRef, Relu, Vec16};

/// `y` = `x` convolved, channel by channel, plus the bias, and through ReLU if there is one.
///
/// `weights` are \[element of the window]\[block], `bias` \[block]; slots that hold no channel are 0 in
/// both.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in channels.
pub fn forward(
    cx: &Context,
    geometry: &ConvGeometry,
    weights: &[Vec16],
    bias: &[Vec16],
    x: MapRef<'_>,
    y: MapMut<'_>,
    relu: Option<Relu<'_>>,
) {
    let weights = Weights::new(weights, x.map().blocks(), geometry);
    assert_eq!(bias.len(), x.map().blocks(), "one vector of bias for each block");
    let (pixels, rows) = (y.map().pixels(), 0..y.map().height());
    let (x, y) = (Source::new(x), Sink::overwrite(y));
    if let Some(Relu { mask, most }) = relu {
        assert_eq!(mask.len(), pixels, "the mask is not the map's");
        let relu = Some((SharedPtr::of(mask), most));
        reduce(cx, geometry, x, y, rows, Products::<true> { weights, bias, relu });
    } else {
        reduce(cx, geometry, x, y, rows, Products::<false> { weights, bias, relu: None });
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
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    let weights = Weights::new(weights, dx.map().blocks(), geometry);
    let rows = 0..dx.map().height();
    gather(cx, geometry, Source::new(dy), Sink::new(dx), rows, weights);
}

#[derive(Clone, Copy)]
struct Weights<'a> {
    vectors: &'a [Vec16],
    blocks: usize,
}

impl<'a> Weights<'a> {
    fn new(vectors: &'a [Vec16], blocks: usize, geometry: &ConvGeometry) -> Self {
        let wanted = geometry.elements().checked_mul(blocks);
        assert_eq!(Some(vectors.len()), wanted, "one weight for each element and block");
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
    /// The mask, and where ReLU ends.
    relu: Option<(SharedPtr<u16>, f32)>,
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
        unsafe { of_block::<S>(self.bias, block) }
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
        let Some((mask, most)) = self.relu.filter(|_| RELU) else { return sum };
        // SAFETY: the pixel lies in the map, and its entry is this row's alone.
        unsafe {
            let (value, kept) = relu::<S>(sum, most);
            *mask.get().add(pixel) = kept;
            value
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
