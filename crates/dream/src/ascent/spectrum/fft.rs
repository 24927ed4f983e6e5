//! The real Fourier transform of pictures of three channels, and its inverse, of any size.
//!
//! Rows are transformed two at a time, as the real and the imaginary parts of one complex row, then
//! columns. Each line is one thread's, so that what comes out does not depend on how many there are.

use std::cell::Cell;
use std::sync::Arc;

use graph::{Size, Tensor, Values};
use kernels::{Context, CpuLevel, leveled};
use num_complex::Complex;
use rustfft::{Fft, FftDirection, FftPlannerAvx, FftPlannerNeon, FftPlannerScalar};

use crate::image::rows;
use crate::parallel;

type Complex32 = Complex<f32>;

/// Rows that one thread transforms together; even, since they go in pairs.
const ROWS: usize = 16;

/// Columns that one thread transforms together: as many as share two lines of the cache, which come together.
const COLUMNS: usize = 16;

/// The same of a file: as many as there are in the part of a page that is worth its way into the memory.
const COLUMNS_OF_FILES: usize = 64;

/// How many places are touched, far from each other, before that is told.
const PLACES: usize = 32;

/// The transforms of pictures of one size.
///
/// Of a picture's spectrum, 3 × height × (width / 2 + 1) complex numbers, a part is kept: what is beyond
/// mirrors it. In memory numbers are pairs of `f32`. After [`Fft2::rows`] they lie by row, channel and
/// column; everywhere else by channel, column and row.
#[derive(Clone)]
pub(crate) struct Fft2 {
    size: Size,
    along_rows: [Arc<dyn Fft<f32>>; 2],
    along_columns: [Arc<dyn Fft<f32>>; 2],
}

impl Fft2 {
    /// Transforms with the instructions of `level`.
    pub(crate) fn new(size: Size, level: CpuLevel) -> Self {
        let mut planner = Planner::new(level);
        let mut both = |length| {
            [FftDirection::Forward, FftDirection::Inverse].map(|way| planner.plan(length, way))
        };
        Self { size, along_rows: both(size.width), along_columns: both(size.height) }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Columns of the spectrum that are kept.
    pub(super) fn columns(&self) -> usize {
        self.size.width / 2 + 1
    }

    /// How many `f32` a spectrum takes.
    pub(crate) fn len(&self) -> usize {
        3 * self.size.height * self.columns() * 2
    }

    /// Writes the transforms of a picture's rows to `transformed`. `row` is asked for each of them: by its
    /// number, for its three channels one after another.
    pub(super) fn rows(
        &self,
        cx: &Context,
        transformed: &mut Values,
        row: impl Fn(usize, &mut [f32]) + Send + Sync,
    ) {
        let storage = transformed.storage().clone();
        let Size { height, width } = self.size;
        let (columns, fft) = (self.columns(), &self.along_rows[0]);
        let by_row = 3 * columns;
        let band = |index: usize, transformed: &mut [f32]| {
            storage.touched(size_of_val(transformed));
            let transformed: &mut [Complex32] = bytemuck::cast_slice_mut(transformed);
            let first = index * ROWS;
            let count = ROWS.min(height - first);
            let pairs = count.div_ceil(2);
            scratch([pairs * 3 * width, fft.get_inplace_scratch_len(), 3 * width], |parts| {
                let [packed, inner, values] = parts;
                let (even, odd) = bytemuck::cast_slice_mut(values).split_at_mut(3 * width);
                for (pair, packed) in packed.chunks_mut(3 * width).enumerate() {
                    row(first + 2 * pair, even);
                    match 2 * pair + 1 < count {
                        true => row(first + 2 * pair + 1, odd),
                        false => odd.fill(0.0),
                    }
                    for ((packed, re), im) in packed.iter_mut().zip(&*even).zip(&*odd) {
                        *packed = Complex::new(*re, *im);
                    }
                }
                fft.process_with_scratch(packed, inner);
                for (pair, packed) in packed.chunks(3 * width).enumerate() {
                    let rows = &mut transformed[2 * pair * by_row..];
                    let (even, odd) = rows.split_at_mut(by_row);
                    for (channel, packed) in packed.chunks(width).enumerate() {
                        let kept = channel * columns..(channel + 1) * columns;
                        let odd = if odd.is_empty() { None } else { Some(&mut odd[kept.clone()]) };
                        unpack(cx, packed, &mut even[kept], odd);
                    }
                }
            });
        };
        cx.threads().install(|| parallel::chunks_mut(transformed, ROWS * 2 * by_row, 1, band));
    }

    /// Goes on from the transforms of rows: transforms their columns into the first of `slices`, has
    /// `change` make of them what is to be transformed back, and leaves the inverse transforms of that,
    /// without any factor.
    ///
    /// `change` gets some columns at once: the number of the first, counted over the channels, and their
    /// values in all of `slices`, which are each as long as a spectrum or empty.
    pub(super) fn columns_and_back<const N: usize>(
        &self,
        cx: &Context,
        transformed: &Values,
        slices: [&mut [f32]; N],
        change: impl Fn(usize, [&mut [f32]; N]) + Send + Sync,
    ) {
        let (height, columns) = (self.size.height, self.columns());
        let storage = transformed.storage();
        let at_once = if storage.as_scratch().is_some() { COLUMNS_OF_FILES } else { COLUMNS };
        let apart = 3 * columns * size_of::<Complex32>();
        let transformed: &[Complex32] = bytemuck::cast_slice(transformed);
        let [there, back] = &self.along_columns;
        let inner = there.get_inplace_scratch_len().max(back.get_inplace_scratch_len());
        let some = |index: usize, mut slices: [&mut [f32]; N]| {
            let first = index * at_once;
            let count = slices[0].len() / (2 * height);
            storage.touched(slices.iter().map(|slice| size_of_val(&**slice)).sum());
            scratch([inner, 0, 0], |[inner, ..]| {
                let lines: &mut [Complex32] = bytemuck::cast_slice_mut(slices[0]);
                for (y, row) in transformed.chunks(3 * columns).enumerate() {
                    if y % PLACES == 0 {
                        storage.touched_apart(PLACES, apart);
                    }
                    for (line, value) in row[first..first + count].iter().enumerate() {
                        lines[line * height + y] = *value;
                    }
                }
                there.process_with_scratch(lines, inner);
                change(first, slices.each_mut().map(|slice| &mut **slice));
                back.process_with_scratch(bytemuck::cast_slice_mut(slices[0]), inner);
            });
        };
        cx.threads().install(|| parallel::zipped_chunks_mut(slices, at_once * 2 * height, some));
    }

    /// Ends the inverse transform, without any factor, of what [`Fft2::columns_and_back`] left in
    /// `columns`. `write` gets each row: its number, the three channels that were transformed, one after
    /// another, and the same row of `picture`.
    pub(super) fn rows_back(
        &self,
        cx: &Context,
        columns: &Values,
        picture: &mut Tensor,
        write: impl Fn(usize, &[f32], [&mut [f32]; 3]) + Send + Sync,
    ) {
        let (Size { height, width }, kept) = (self.size, self.columns());
        let storage = columns.storage();
        let columns: &[Complex32] = bytemuck::cast_slice(columns);
        let fft = &self.along_rows[1];
        rows::for_each_band(cx.threads(), picture, ROWS, |first, mut band| {
            let count = ROWS.min(height - first);
            let pairs = count.div_ceil(2);
            scratch([pairs * 3 * width, fft.get_inplace_scratch_len(), 3 * width], |parts| {
                let [packed, inner, values] = parts;
                for (index, column) in columns.chunks(height).enumerate() {
                    if index % PLACES == 0 {
                        storage.touched_apart(PLACES, size_of_val(column));
                    }
                    let (channel, k) = (index / kept, index % kept);
                    let column = &column[first..first + count];
                    for (pair, rows) in column.chunks(2).enumerate() {
                        let packed = &mut packed[(3 * pair + channel) * width..][..width];
                        let even = rows[0];
                        let odd = rows.get(1).copied().unwrap_or_default();
                        if 2 * k % width == 0 {
                            // What has no mirror image is real in a real picture's spectrum.
                            packed[k] = Complex::new(even.re, odd.re);
                        } else {
                            packed[k] = Complex::new(even.re - odd.im, even.im + odd.re);
                            packed[width - k] = Complex::new(even.re + odd.im, odd.re - even.im);
                        }
                    }
                }
                fft.process_with_scratch(packed, inner);
                let values: &mut [f32] = &mut bytemuck::cast_slice_mut(values)[..3 * width];
                for y in 0..count {
                    let packed = &packed[y / 2 * 3 * width..][..3 * width];
                    match y % 2 {
                        0 => values.iter_mut().zip(packed).for_each(|(x, both)| *x = both.re),
                        _ => values.iter_mut().zip(packed).for_each(|(x, both)| *x = both.im),
                    }
                    let row = band.each_mut().map(|plane| &mut plane[y * width..][..width]);
                    write(first + y, values, row);
                }
            });
        });
    }
}

leveled! {
    /// Takes the transform of two real rows, which were the real and the imaginary parts of one, apart.
    fn unpack<'a>(row: &'a [Complex32], even: &'a mut [Complex32], odd: Option<&'a mut [Complex32]>) {
        let of_even = |here: &Complex32, there: &Complex32| {
            Complex::new((here.re + there.re) * 0.5, (here.im - there.im) * 0.5)
        };
        let of_odd = |here: &Complex32, there: &Complex32| {
            Complex::new((here.im + there.im) * 0.5, (here.re - there.re) * -0.5)
        };
        // Each number goes with its mirror image, and the first with itself.
        even[0] = of_even(&row[0], &row[0]);
        for ((kept, here), there) in even[1..].iter_mut().zip(&row[1..]).zip(row.iter().rev()) {
            *kept = of_even(here, there);
        }
        if let Some(odd) = odd {
            odd[0] = of_odd(&row[0], &row[0]);
            for ((kept, here), there) in odd[1..].iter_mut().zip(&row[1..]).zip(row.iter().rev()) {
                *kept = of_odd(here, there);
            }
        }
    }
}

/// Calls `work` with this thread's memory in parts of the lengths given, which hold anything.
fn scratch(lengths: [usize; 3], work: impl FnOnce([&mut [Complex32]; 3])) {
    thread_local! {
        static SCRATCH: Cell<Vec<Complex32>> = const { Cell::new(Vec::new()) };
    }
    // Taken out, as a thread that waits inside may be handed such work.
    let mut memory = SCRATCH.take();
    memory.resize(memory.len().max(lengths.iter().sum()), Complex::default());
    let (first, rest) = memory.split_at_mut(lengths[0]);
    let (second, rest) = rest.split_at_mut(lengths[1]);
    work([first, second, &mut rest[..lengths[2]]]);
    SCRATCH.set(memory);
}

/// What finds the algorithm for a length, from the instructions of one level alone: others would give
/// other bytes.
enum Planner {
    Scalar(FftPlannerScalar<f32>),
    Neon(FftPlannerNeon<f32>),
    Avx(FftPlannerAvx<f32>),
}

impl Planner {
    fn new(level: CpuLevel) -> Self {
        let vectors = match level {
            CpuLevel::Scalar => None,
            CpuLevel::Neon => FftPlannerNeon::new().ok().map(Planner::Neon),
            CpuLevel::Avx2 | CpuLevel::Avx512 => FftPlannerAvx::new().ok().map(Planner::Avx),
        };
        vectors.unwrap_or_else(|| Planner::Scalar(FftPlannerScalar::new()))
    }

    fn plan(&mut self, length: usize, way: FftDirection) -> Arc<dyn Fft<f32>> {
        match self {
            Planner::Scalar(planner) => planner.plan_fft(length, way),
            Planner::Neon(planner) => planner.plan_fft(length, way),
            Planner::Avx(planner) => planner.plan_fft(length, way),
        }
    }
}
