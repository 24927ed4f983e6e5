//! Pooling: the largest value or the mean of each window, and of whole channels.

mod in_place;

use std::marker::PhantomData;
use std::ops::Range;

pub use crate::argmax::{FEW_ELEMENTS, MAX_ELEMENTS, argmax_len};
use crate::argmax::{HalfByte, Numbers, ThreeBytes, check, has_few};
use crate::geometry::{Axis, ConvGeometry};
use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::window::{Gather, Reduce, gather, reduce};
use crate::{BlockedMap, Context, Destination, MapMut, MapRef};
pub use in_place::{InPlace, max_backward_in_place, max_forward_in_place};

/// A max pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Max {
    /// Its window.
    pub geometry: ConvGeometry,
    /// Where a ReLU ends through which what it keeps goes, if one does: the largest value and then ReLU are the
    /// same as ReLU and then the largest value.
    pub relu: Option<f32>,
}

impl From<ConvGeometry> for Max {
    fn from(geometry: ConvGeometry) -> Self {
        Self { geometry, relu: None }
    }
}

/// `y` = the largest value of each window of `x`; 0 for a window wholly beside the picture.
///
/// `argmax`, of [`argmax_len`] bytes, receives the number, row by row, of the element of the window that
/// won; the first one wins a tie, and the padding never wins. None has won where a ReLU lets no gradient through.
///
/// # Panics
/// If the argmax is not the output's, the window has more than [`MAX_ELEMENTS`], or the maps differ in
/// channels.
pub fn max_forward(cx: &Context, max: &Max, x: MapRef<'_>, y: MapMut<'_>, argmax: &mut [u8]) {
    let rows = 0..y.map().height();
    max_forward_rows(cx, max, x, y, argmax, rows);
}

/// As [`max_forward`], of some `rows` of the output alone.
///
/// # Panics
/// As [`max_forward`], and if there are no such rows.
pub fn max_forward_rows(
    cx: &Context,
    max: &Max,
    x: MapRef<'_>,
    y: MapMut<'_>,
    argmax: &mut [u8],
    rows: Range<usize>,
) {
    let (map, geometry) = (*y.map(), &max.geometry);
    let (x, y) = (Source::new(x), Sink::overwrite(y));
    if has_few(geometry) {
        reduce(cx, geometry, x, y, rows, MaxWindow::<HalfByte>::new(max, &map, argmax));
    } else {
        reduce(cx, geometry, x, y, rows, MaxWindow::<ThreeBytes>::new(max, &map, argmax));
    }
}

/// Keeps the largest value, and the number of its element.
#[derive(Clone, Copy)]
pub(crate) struct MaxWindow<N> {
    argmax: SharedPtr<u8>,
    relu: Option<f32>,
    numbers: PhantomData<N>,
}

impl<N: Numbers> MaxWindow<N> {
    pub(crate) fn new(max: &Max, ym: &BlockedMap, argmax: &mut [u8]) -> Self {
        check::<N>(&max.geometry, ym, argmax);
        Self { argmax: SharedPtr::of(argmax), relu: max.relu, numbers: PhantomData }
    }

    /// The same of one block of the output.
    ///
    /// # Safety
    /// There is such a block.
    #[inline(always)]
    unsafe fn of_block(&self, block: usize, ym: &BlockedMap) -> Self {
        // SAFETY: the caller's promise.
        let argmax = unsafe { self.argmax.get().add(N::BYTES * ym.pixel(block, 0, 0)) };
        Self { argmax: SharedPtr::of_pointer(argmax), ..*self }
    }
}

impl<N: Numbers> Reduce for MaxWindow<N> {
    /// The largest value, and the number of its element.
    type State<S: Simd> = (S::V, S::V);
    type Tap<S: Simd> = S::V;
    type Scale = ();

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, _block: usize, element: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::splat(element as f32) }
    }
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, _block: usize, first: Option<(S::V, S::V)>) -> (S::V, S::V) {
        match first {
            Some((tap, x)) => (x, tap),
            // SAFETY: the caller's promise.
            None => unsafe { (S::zero(), S::splat(N::NONE)) },
        }
    }
    #[inline(always)]
    unsafe fn take<S: Simd>((best, number): (S::V, S::V), tap: S::V, x: S::V) -> (S::V, S::V) {
        // SAFETY: the caller's promise.
        unsafe { (S::select_greater(x, best, x, best), S::select_greater(x, best, tap, number)) }
    }
    #[inline(always)]
    fn scale(&self, _row: usize, _column: usize) {}
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, (best, number): (S::V, S::V), _: (), pixel: usize) -> S::V {
        // SAFETY: the pixel lies in the map, and its argmax is this row's alone.
        unsafe {
            let (mut best, mut number) = (best, number);
            if let Some(most) = self.relu {
                let (none, zero, most) = (S::splat(N::NONE), S::zero(), S::splat(most));
                number = S::select_greater(best, zero, number, none);
                number = S::select_greater(most, best, number, none);
                best = S::min(S::max(best, zero), most);
            }
            N::store::<S>(self.argmax.get().add(pixel * N::BYTES), number);
            best
        }
    }
}

/// The gradient of [`max_forward`]: each window's gradient goes to the element that won.
///
/// # Panics
/// If the argmax is not the output's, the window has more than [`MAX_ELEMENTS`], or the maps differ in
/// channels.
pub fn max_backward(
    cx: &Context,
    geometry: &ConvGeometry,
    dy: MapRef<'_>,
    argmax: &[u8],
    dx: Destination<'_>,
) {
    let rows = 0..dx.map().height();
    max_backward_rows(cx, geometry, dy, argmax, dx, rows);
}

/// As [`max_backward`], of some `rows` of the input alone.
///
/// # Panics
/// As [`max_backward`], and if there are no such rows.
pub fn max_backward_rows(
    cx: &Context,
    geometry: &ConvGeometry,
    dy: MapRef<'_>,
    argmax: &[u8],
    dx: Destination<'_>,
    rows: Range<usize>,
) {
    let map = *dy.map();
    let (dy, dx) = (Source::new(dy), Sink::new(dx));
    if has_few(geometry) {
        gather(cx, geometry, dy, dx, rows, MaxGradient::<HalfByte>::new(geometry, &map, argmax));
    } else {
        gather(cx, geometry, dy, dx, rows, MaxGradient::<ThreeBytes>::new(geometry, &map, argmax));
    }
}

/// Gives to the element that was kept.
#[derive(Clone, Copy)]
pub(crate) struct MaxGradient<'a, N> {
    argmax: &'a [u8],
    numbers: PhantomData<N>,
}

impl<'a, N: Numbers> MaxGradient<'a, N> {
    pub(crate) fn new(geometry: &ConvGeometry, ym: &BlockedMap, argmax: &'a [u8]) -> Self {
        check::<N>(geometry, ym, argmax);
        Self { argmax, numbers: PhantomData }
    }

    /// The same of one block of the output.
    fn of_block(&self, block: usize, ym: &BlockedMap) -> Self {
        Self { argmax: &self.argmax[N::BYTES * ym.pixel(block, 0, 0)..], ..*self }
    }
}

impl<N: Numbers> Gather for MaxGradient<'_, N> {
    type Tap<S: Simd> = u32;
    type Scale = ();

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, _block: usize, element: usize) -> u32 {
        element as u32
    }
    #[inline(always)]
    fn scale(&self, _row: usize, _column: usize) {}
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, sum: S::V, tap: u32, _: (), pixel: usize, dy: S::V) -> S::V {
        // SAFETY: the pixel lies in the map, which has entries for its sixteen channels.
        unsafe {
            let from = self.argmax.as_ptr().add(pixel * N::BYTES);
            S::add(sum, N::keep_equal::<S>(dy, from, tap))
        }
    }
}

/// `y` = the mean of each window of `x`.
///
/// The mean is over the elements on the picture; or, where `count_padding` gives the height and width
/// of the picture with its padding, over the elements on that, those in the padding being 0.
///
/// # Panics
/// If the maps differ in channels.
pub fn average_forward(
    cx: &Context,
    geometry: &ConvGeometry,
    count_padding: Option<[usize; 2]>,
    x: MapRef<'_>,
    y: MapMut<'_>,
) {
    let mean = Mean { axes: geometry.axes(x.map(), y.map()), count_padding };
    let rows = 0..y.map().height();
    reduce(cx, geometry, Source::new(x), Sink::overwrite(y), rows, mean);
}

/// The gradient of [`average_forward`].
///
/// # Panics
/// If the maps differ in channels.
pub fn average_backward(
    cx: &Context,
    geometry: &ConvGeometry,
    count_padding: Option<[usize; 2]>,
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    let mean = Mean { axes: geometry.axes(dx.map(), dy.map()), count_padding };
    let rows = 0..dx.map().height();
    gather(cx, geometry, Source::new(dy), Sink::new(dx), rows, mean);
}

struct Mean {
    axes: [Axis; 2],
    count_padding: Option<[usize; 2]>,
}

impl Mean {
    /// One over the number of elements that count.
    fn weight(&self, row: usize, column: usize) -> f32 {
        let [rows, columns] = &self.axes;
        let count = match self.count_padding {
            Some([height, width]) => rows.within(row, height) * columns.within(column, width),
            None => rows.on_picture(row).len() * columns.on_picture(column).len(),
        };
        1.0 / count.max(1) as f32
    }
}

impl Reduce for Mean {
    type State<S: Simd> = S::V;
    type Tap<S: Simd> = ();
    type Scale = f32;

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, _block: usize, _element: usize) {}
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, _block: usize, _first: Option<((), S::V)>) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::zero() }
    }
    #[inline(always)]
    unsafe fn take<S: Simd>(sum: S::V, _: (), x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::add(sum, x) }
    }
    #[inline(always)]
    fn scale(&self, row: usize, column: usize) -> f32 {
        self.weight(row, column)
    }
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, sum: S::V, scale: f32, _pixel: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::mul(sum, S::splat(scale)) }
    }
}

impl Gather for Mean {
    type Tap<S: Simd> = ();
    type Scale = f32;

    #[inline(always)]
    unsafe fn tap<S: Simd>(&self, _block: usize, _element: usize) {}
    #[inline(always)]
    fn scale(&self, row: usize, column: usize) -> f32 {
        self.weight(row, column)
    }
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, sum: S::V, _: (), scale: f32, _: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::fma(dy, S::splat(scale), sum) }
    }
}

/// `y` (1 × 1) = the mean of each channel of `x`.
///
/// # Panics
/// If `y` is not 1 × 1 with `x`'s blocks.
pub fn global_average_forward(cx: &Context, x: MapRef<'_>, y: MapMut<'_>) {
    assert_pixel(y.map(), x.map());
    let (blocks, height) = (x.map().blocks(), x.map().height());
    let kernel = ChannelMean { x: Source::new(x), y: Sink::overwrite(y) };
    // SAFETY: each block's pixel is made from the input alone.
    unsafe { run_rows(cx, blocks, 1, height * kernel.x.row_bytes(), &kernel) }
}

fn assert_pixel(y: &BlockedMap, x: &BlockedMap) {
    let extent = (y.blocks(), y.height(), y.width());
    assert_eq!(extent, (x.blocks(), 1, 1), "one pixel for each channel");
}

struct ChannelMean<'a> {
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for ChannelMean<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let map = &self.x.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let mut total = S::zero();
            for row in 0..map.height() {
                let from = self.x.row(block, row);
                let mut sum = S::zero();
                for column in 0..map.width() {
                    sum = S::add(sum, S::load(from.add(column * 16)));
                }
                total = S::add(total, sum);
            }
            let scale = S::splat(1.0 / (map.height() * map.width()) as f32);
            self.y.row(block, 0).put::<S>(0, S::mul(total, scale));
            self.y.close(block, rows);
        }
    }
}

/// The gradient of [`global_average_forward`].
///
/// # Panics
/// If `y` is not 1 × 1 with `x`'s blocks.
pub fn global_average_backward(cx: &Context, dy: MapRef<'_>, dx: Destination<'_>) {
    assert_pixel(dy.map(), dx.map());
    let (blocks, height) = (dx.map().blocks(), dx.map().height());
    let kernel = Spread { dy: Source::new(dy), dx: Sink::new(dx) };
    // SAFETY: each row is made from the output's gradient alone.
    unsafe { run_rows(cx, blocks, height, kernel.dx.row_bytes(), &kernel) }
}

struct Spread<'a> {
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl RowKernel for Spread<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let map = &self.dx.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let scale = S::splat(1.0 / (map.height() * map.width()) as f32);
            let value = S::mul(S::load(self.dy.row(block, 0)), scale);
            for row in rows.clone() {
                let to = self.dx.row(block, row);
                for column in 0..map.width() {
                    to.put::<S>(column, value);
                }
            }
            self.dx.close(block, rows);
        }
    }
}
