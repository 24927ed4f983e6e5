//! The real Fourier transform of pictures of three channels, and its inverse, of any size.
//!
//! Rows are transformed two at a time, as the real and the imaginary parts of one complex row, then
//! columns. Each line is one thread's, so that what comes out does not depend on how many there are.
//!
//! Between the two, numbers lie in tiles of some rows and columns, as the way between caches is long for a few
//! numbers here and there: a thread reads and writes whole tiles.

use std::cell::Cell;
use std::sync::Arc;

use graph::{Size, Storage, Tensor, Values};
use kernels::{Context, CpuLevel, leveled};
use num_complex::Complex;
use rustfft::{Fft, FftDirection, FftPlannerAvx, FftPlannerNeon, FftPlannerScalar};

use crate::image::rows;
use crate::parallel;

type Complex32 = Complex<f32>;

/// Rows that one thread transforms together, and of a tile; even, since they go in pairs.
const ROWS: usize = 16;

/// Columns that one thread transforms together, and of a tile: of each row, two lines of the cache.
const COLUMNS: usize = 16;

/// The same of a file: a tile is worth its way into the memory.
const COLUMNS_OF_FILES: usize = 64;

/// How many places are touched, far from each other, before that is told.
const PLACES: usize = 32;

/// Columns of a tile.
fn tile_columns(storage: &Storage) -> usize {
    if storage.as_scratch().is_some() { COLUMNS_OF_FILES } else { COLUMNS }
}

/// The transforms of pictures of one size.
///
/// Of a picture's spectrum, 3 × height × (width / 2 + 1) complex numbers, a part is kept: what is beyond
/// mirrors it. In memory numbers are pairs of `f32`, by channel, column and row. Between the transforms of rows and
/// of columns they lie in tiles, by row and column (counted over the channels) in each: there tiles come by their
/// rows, back by their columns.
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
        let (by_row, tile) = (3 * columns, tile_columns(&storage));
        let band = |index: usize, transformed: &mut [f32]| {
            storage.touched(size_of_val(transformed));
            let transformed: &mut [Complex32] = bytemuck::cast_slice_mut(transformed);
            let first = index * ROWS;
            let count = ROWS.min(height - first);
            let pairs = count.div_ceil(2);
            let inner = fft.get_inplace_scratch_len();
            scratch([pairs * 3 * width, inner, 3 * width, 2 * by_row], |parts| {
                let [packed, inner, values, spectra] = parts;
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
                    let (even, odd) = spectra.split_at_mut(by_row);
                    for (channel, packed) in packed.chunks(width).enumerate() {
                        let kept = channel * columns..(channel + 1) * columns;
                        unpack(cx, packed, &mut even[kept.clone()], &mut odd[kept]);
                    }
                    for (y, spectrum) in (2 * pair..count).zip([even, odd]) {
                        for (index, piece) in spectrum.chunks(tile).enumerate() {
                            let at = count * index * tile + y * piece.len();
                            transformed[at..at + piece.len()].copy_from_slice(piece);
                        }
                    }
                }
            });
        };
        cx.threads().install(|| parallel::chunks_mut(transformed, ROWS * 2 * by_row, 1, band));
    }

    /// Goes on from the transforms of rows: transforms their columns, has `change` make of them what is to be
    /// transformed back, and leaves the inverse transforms of that, without any factor, in `back`.
    ///
    /// `change` gets some columns at once: the number of the first, counted over the channels, their values, and
    /// those that `slices` have at their place, which are each as long as a spectrum or empty.
    pub(super) fn columns_and_back(
        &self,
        cx: &Context,
        transformed: &Values,
        back: &mut Values,
        slices: [&mut [f32]; 3],
        change: impl Fn(usize, &mut [f32], [&mut [f32]; 3]) + Send + Sync,
    ) {
        let (height, by_row) = (self.size.height, 3 * self.columns());
        let (from, to) = (transformed.storage(), back.storage().clone());
        let tile = tile_columns(from);
        let transformed: &[Complex32] = bytemuck::cast_slice(transformed);
        let [forward, inverse] = &self.along_columns;
        let inner = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let some = |index: usize, [back, a, b, c]: [&mut [f32]; 4]| {
            let first = index * tile;
            to.touched(
                size_of_val(back)
                    + [&a, &b, &c].map(|slice| size_of_val(&**slice)).iter().sum::<usize>(),
            );
            let back: &mut [Complex32] = bytemuck::cast_slice_mut(back);
            let count = back.len() / height;
            scratch([inner, count * height], |[inner, lines]| {
                for (index, band) in transformed.chunks(ROWS * by_row).enumerate() {
                    if index % PLACES == 0 {
                        from.touched_apart(PLACES, size_of_val(band));
                    }
                    let rows = band.len() / by_row;
                    let tile = &band[rows * first..][..rows * count];
                    for (y, row) in (index * ROWS..).zip(tile.chunks_exact(count)) {
                        for (line, value) in lines.chunks_exact_mut(height).zip(row) {
                            line[y] = *value;
                        }
                    }
                }
                forward.process_with_scratch(lines, inner);
                change(first, bytemuck::cast_slice_mut(lines), [a, b, c]);
                inverse.process_with_scratch(lines, inner);
                for (y, row) in back.chunks_exact_mut(count).enumerate() {
                    for (value, line) in row.iter_mut().zip(lines.chunks_exact(height)) {
                        *value = line[y];
                    }
                }
            });
        };
        let [a, b, c] = slices;
        let slices = [&mut back[..], a, b, c];
        cx.threads().install(|| parallel::zipped_chunks_mut(slices, tile * 2 * height, some));
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
        let (by_row, storage) = (3 * kept, columns.storage());
        let tile = tile_columns(storage);
        let columns: &[Complex32] = bytemuck::cast_slice(columns);
        let fft = &self.along_rows[1];
        rows::for_each_band(cx.threads(), picture, ROWS, |first, mut band| {
            let count = ROWS.min(height - first);
            let pairs = count.div_ceil(2);
            let lengths = [3 * width, 2 * by_row].map(|row| pairs * row);
            let inner = fft.get_inplace_scratch_len();
            scratch(
                [lengths[0], inner, 3 * width, lengths[1]],
                |[packed, inner, values, spectra]| {
                    // Where the number of rows is odd, one more of zeros.
                    spectra[count * by_row..].fill(Complex::default());
                    for (index, tiles) in columns.chunks(tile * height).enumerate() {
                        if index % PLACES == 0 {
                            storage.touched_apart(PLACES, size_of_val(tiles));
                        }
                        let wide = tiles.len() / height;
                        let rows = tiles[first * wide..][..count * wide].chunks_exact(wide);
                        for (row, spectrum) in rows.zip(spectra.chunks_exact_mut(by_row)) {
                            spectrum[index * tile..][..wide].copy_from_slice(row);
                        }
                    }
                    let both =
                        packed.chunks_exact_mut(3 * width).zip(spectra.chunks_exact(2 * by_row));
                    for (packed, spectra) in both {
                        let (even, odd) = spectra.split_at(by_row);
                        let channels = even.chunks_exact(kept).zip(odd.chunks_exact(kept));
                        for (packed, (even, odd)) in packed.chunks_exact_mut(width).zip(channels) {
                            pack(cx, even, odd, packed);
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
                },
            );
        });
    }
}

leveled! {
    /// Takes the transform of two real rows, which were the real and the imaginary parts of one, apart.
    fn unpack<'a>(row: &'a [Complex32], even: &'a mut [Complex32], odd: &'a mut [Complex32]) {
        let both = |here: &Complex32, there: &Complex32| {
            [
                Complex::new((here.re + there.re) * 0.5, (here.im - there.im) * 0.5),
                Complex::new((here.im + there.im) * 0.5, (here.re - there.re) * -0.5),
            ]
        };
        // Each number goes with its mirror image, and the first with itself.
        [even[0], odd[0]] = both(&row[0], &row[0]);
        let kept = even[1..].iter_mut().zip(&mut odd[1..]);
        for ((even, odd), (here, there)) in kept.zip(row[1..].iter().zip(row.iter().rev())) {
            [*even, *odd] = both(here, there);
        }
    }
}

leveled! {
    /// Puts the transforms of two real rows, of which the first halves are given, together to that of the row whose
    /// real and imaginary parts they are.
    fn pack<'a>(even: &'a [Complex32], odd: &'a [Complex32], row: &'a mut [Complex32]) {
        // What has no mirror image is real in a real picture's spectrum.
        let alone = |k: usize| Complex::new(even[k].re, odd[k].re);
        row[0] = alone(0);
        if row.len().is_multiple_of(2) {
            row[row.len() / 2] = alone(row.len() / 2);
        }
        let half = (row.len() - 1) / 2;
        let (row, mirrored) = row.split_at_mut(half + 1);
        let places = row[1..].iter_mut().zip(mirrored.iter_mut().rev());
        for ((here, there), (even, odd)) in places.zip(even[1..].iter().zip(&odd[1..])) {
            *here = Complex::new(even.re - odd.im, even.im + odd.re);
            *there = Complex::new(even.re + odd.im, odd.re - even.im);
        }
    }
}

/// Calls `work` with this thread's memory in parts of the lengths given, which hold anything.
fn scratch<const N: usize>(lengths: [usize; N], work: impl FnOnce([&mut [Complex32]; N])) {
    thread_local! {
        static SCRATCH: Cell<Vec<Complex32>> = const { Cell::new(Vec::new()) };
    }
    // Taken out, as a thread that waits inside may be handed such work.
    let mut memory = SCRATCH.take();
    memory.resize(memory.len().max(lengths.iter().sum()), Complex::default());
    let mut rest = &mut memory[..];
    work(lengths.map(|length| rest.split_off_mut(..length).expect("there is memory for all")));
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
