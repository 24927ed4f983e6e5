//! The picture as what it started from and a spectrum that grows: numbers for waves of all lengths, in
//! three decorrelated colours.
//!
//! With p the spectrum and x₀ the start, the picture is 255 σ(logit(x₀ / 255) + M F(p)), or
//! x₀ + 255 M F(p) clipped or not. F(p) is the inverse real Fourier transform of `scale` · p, in which
//! waves weigh the more the longer they are, so that a step along the gradient grows large shapes rather
//! than grain. M makes red, green and blue of the three colours. Both are linear, and are those of lucid
//! (Mordvintsev et al., "Differentiable Image Parameterizations", 2018), where the start is grey.

mod fft;
mod noise;
mod sigmoid;

use graph::{Size, Storage, Tensor, Values};
use kernels::{Context, Threads, leveled};

use self::sigmoid::{logit, sigmoid};
use super::chroma;
use super::optimiser::OptimiserState;
use crate::image::rows;
use crate::{Ascent, Bound};

pub(crate) use fft::Fft2;
pub(crate) use noise::noise;

/// How photographs' colours vary together, as the square root of their covariance has it (lucid's
/// `param/color.py`); to be divided by [`LARGEST`].
const COLORS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]];

/// The length of the longest column of [`COLORS`].
const LARGEST: f32 = 0.461_952_4;

/// What is climbed on one octave: what the picture started from, and what is added to that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpectrumState {
    /// Values of 0–255, or their logits.
    start: Tensor,
    parameters: Values,
}

impl SpectrumState {
    /// A spectrum of zeros on `picture`.
    pub(super) fn new(threads: &Threads, fft: &Fft2, ascent: &Ascent, picture: &Tensor) -> Self {
        assert_eq!(fft.size(), picture.shape.size(), "the transforms are the picture's");
        let mut start = picture.clone();
        if ascent.bound == Bound::Sigmoid {
            rows::for_each(threads, &mut start, |_, _, row| {
                row.iter_mut().for_each(|x| *x = logit(*x));
            });
        }
        let parameters = picture.storage().zeros(fft.len());
        Self { start, parameters }
    }

    /// How many numbers the steps change.
    pub(super) fn len(&self) -> usize {
        self.parameters.len()
    }
}

/// A spectrum on one octave, and what it takes to climb on it.
pub(crate) struct Spectrum<'p> {
    cx: &'p Context,
    fft: &'p Fft2,
    bound: Bound,
    length: f32,
    state: SpectrumState,
    /// Red, green and blue of each of the three colours.
    matrix: [[f32; 3]; 3],
    /// The factor of each wave, by column and row.
    scale: Values,
    /// Memory to transform in.
    by_row: Values,
    by_column: Values,
}

/// Row `y` of all three channels.
fn row_of(tensor: &Tensor, y: usize) -> [&[f32]; 3] {
    [0, 1, 2].map(|c| rows::row(tensor, c, y))
}

impl<'p> Spectrum<'p> {
    /// Steps on `state`, as far as `length` each.
    pub(super) fn new(
        (ascent, length): (&Ascent, f32),
        cx: &'p Context,
        fft: &'p Fft2,
        state: SpectrumState,
    ) -> Self {
        let storage = state.start.storage().clone();
        let zeros = || storage.zeros(fft.len());
        let unit = if ascent.bound == Bound::Sigmoid { 1.0 } else { 255.0 };
        let colors = COLORS.map(|row| row.map(|value| unit * value / LARGEST));
        Self {
            cx,
            fft,
            bound: ascent.bound,
            length,
            state,
            matrix: chroma::after(colors, ascent.chroma),
            scale: scale(&storage, fft.size()),
            by_row: zeros(),
            by_column: zeros(),
        }
    }

    /// What is climbed.
    pub(super) fn into_state(self) -> SpectrumState {
        self.state
    }

    /// Brings `picture`, as it starts, within the bound.
    pub(super) fn begin(&self, picture: &mut Tensor) {
        if self.bound == Bound::Sigmoid {
            rows::for_each(self.cx.threads(), picture, |c, y, row| {
                let start = rows::row(&self.state.start, c, y);
                row.iter_mut().zip(start).for_each(|(x, z)| *x = sigmoid(*z));
            });
        }
    }

    /// Takes a step along `factor` times `direction`, and makes the picture anew. Where there is a map,
    /// the spectrum changes the picture as many times as much as it says.
    pub(super) fn step(
        &mut self,
        picture: &mut Tensor,
        direction: &Tensor,
        factor: f32,
        optimiser: &mut OptimiserState,
        map: Option<&Tensor>,
    ) {
        let Self { cx, fft, bound, length, matrix: m, scale, .. } = self;
        let cx = *cx;
        let SpectrumState { start, parameters } = &mut self.state;
        let (height, width, columns) = (fft.size().height, fft.size().width, fft.columns());

        // The chain rule from pixels to colours.
        let shares = [0, 1, 2].map(|color| [0, 1, 2].map(|c| factor * m[c][color]));
        let at_row = |y: usize, colors: &mut [f32]| {
            let shown = (*bound == Bound::Sigmoid).then(|| row_of(picture, y));
            to_colors(cx, colors, &shares, row_of(direction, y), shown);
            if let Some(map) = map {
                let map = rows::row(map, 0, y);
                colors.chunks_mut(width).for_each(|color| times(cx, color, map));
            }
        };
        fft.rows(cx, &mut self.by_row, at_row);

        let (update, [first, second]) = optimiser.next();
        let slices = [&mut parameters[..], first, second];
        let climb = |number: usize, waves: &mut [f32], slices: [&mut [f32]; 3]| {
            let [parameters, first, second] = slices;
            // Column by column, which the nearest cache holds.
            for line in 0..waves.len() / (2 * height) {
                let numbers = 2 * height * line..2 * height * (line + 1);
                let moments = [&mut *first, &mut *second]
                    .map(|moments| moments.get_mut(numbers.clone()).unwrap_or_default());
                let (waves, parameters) = (&mut waves[numbers.clone()], &mut parameters[numbers]);
                let column = (number + line) % columns;
                let scale = &scale[column * height..][..height];
                // The waves that are kept stand for their mirror images as well.
                let times = if (2 * column).is_multiple_of(width) { 1.0 } else { 2.0 };
                weigh(cx, waves, scale, times);
                update.apply(cx, waves, moments);
                grow(cx, waves, parameters, scale, *length);
            }
        };
        fft.columns_and_back(cx, &self.by_row, &mut self.by_column, slices, climb);

        fft.rows_back(cx, &self.by_column, picture, |y, colors, row| {
            let map = map.map(|map| rows::row(map, 0, y));
            for ((c, row), start) in row.into_iter().enumerate().zip(row_of(start, y)) {
                show(cx, row, colors, &m[c], start, map, *bound);
            }
        });
    }
}

leveled! {
    /// Makes a gradient's row in red, green and blue one in three `colors`, which have these `shares` of them. Where
    /// pixels are sigmoids, of a picture's row `shown`, their derivative is x (255 − x) / 255.
    fn to_colors<'a>(
        colors: &'a mut [f32],
        shares: &'a [[f32; 3]; 3],
        gradient: [&'a [f32]; 3],
        shown: Option<[&'a [f32]; 3]>,
    ) {
        let (first, others) = colors.split_at_mut(colors.len() / 3);
        let (second, third) = others.split_at_mut(first.len());
        let colors = first.iter_mut().zip(second).zip(third);
        let [red, green, blue] = gradient;
        let gradient = red.iter().zip(green).zip(blue);
        match shown {
            None => {
                for (((first, second), third), ((red, green), blue)) in colors.zip(gradient) {
                    let of = |[r, g, b]: [f32; 3]| r * red + g * green + b * blue;
                    [*first, *second, *third] = shares.map(of);
                }
            }
            Some([at_red, at_green, at_blue]) => {
                let slope = |x: &f32| x * (255.0 - x) * (1.0 / 255.0);
                let shown = at_red.iter().zip(at_green).zip(at_blue);
                let values = colors.zip(gradient).zip(shown);
                for ((((first, second), third), ((red, green), blue)), shown) in values {
                    let ((at_red, at_green), at_blue) = shown;
                    let slopes = [slope(at_red), slope(at_green), slope(at_blue)];
                    let of = |[r, g, b]: [f32; 3]| {
                        r * red * slopes[0] + g * green * slopes[1] + b * blue * slopes[2]
                    };
                    [*first, *second, *third] = shares.map(of);
                }
            }
        }
    }
}

leveled! {
    fn times<'a>(values: &'a mut [f32], map: &'a [f32]) {
        values.iter_mut().zip(map).for_each(|(value, map)| *value *= map);
    }
}

leveled! {
    /// Multiplies the waves of a column with `times` their scale.
    fn weigh<'a>(waves: &'a mut [f32], scale: &'a [f32], times: f32) {
        for (wave, scale) in waves.as_chunks_mut::<2>().0.iter_mut().zip(scale) {
            wave[0] *= times * scale;
            wave[1] *= times * scale;
        }
    }
}

leveled! {
    /// Adds `length` times the waves of a column to its parameters, and makes the waves what these are in the picture.
    fn grow<'a>(waves: &'a mut [f32], parameters: &'a mut [f32], scale: &'a [f32], length: f32) {
        let waves = waves.as_chunks_mut::<2>().0.iter_mut().zip(parameters.as_chunks_mut::<2>().0);
        for ((wave, parameter), scale) in waves.zip(scale) {
            for part in 0..2 {
                parameter[part] += length * wave[part];
                wave[part] = scale * parameter[part];
            }
        }
    }
}

leveled! {
    /// Makes a row of a channel of the picture of the same row in three `colors`, of which it gets these `shares`, and
    /// of what it started from.
    fn show<'a>(
        row: &'a mut [f32],
        colors: &'a [f32],
        shares: &'a [f32; 3],
        start: &'a [f32],
        map: Option<&'a [f32]>,
        bound: Bound,
    ) {
        let (first, others) = colors.split_at(row.len());
        let (second, third) = others.split_at(row.len());
        for (value, ((first, second), third)) in row.iter_mut().zip(first.iter().zip(second).zip(third)) {
            *value = shares[0] * first + shares[1] * second + shares[2] * third;
        }
        if let Some(map) = map {
            row.iter_mut().zip(map).for_each(|(value, map)| *value *= map);
        }
        let values = row.iter_mut().zip(start);
        match bound {
            Bound::Sigmoid => values.for_each(|(x, start)| *x = sigmoid(*x + start)),
            Bound::Clip => values.for_each(|(x, start)| *x = (*x + start).clamp(0.0, 255.0)),
            Bound::None => values.for_each(|(x, start)| *x += start),
        }
    }
}

/// The factor of each wave of pictures of `size`, by column and row: √(height · width) / 4, divided by
/// its frequency in cycles a pixel (the least one for the mean), and by the height · width that the
/// inverse transform is divided by.
fn scale(storage: &Storage, size: Size) -> Values {
    let Size { height, width } = size;
    let mut factors = storage.zeros((width / 2 + 1) * height);
    let least = 1.0 / height.max(width) as f64;
    let whole = 0.25 / ((height * width) as f64).sqrt();
    for (column, factors) in factors.chunks_exact_mut(height).enumerate() {
        let across = column as f64 / width as f64;
        for (k, factor) in factors.iter_mut().enumerate() {
            let down = k.min(height - k) as f64 / height as f64;
            *factor = (whole / (across * across + down * down).sqrt().max(least)) as f32;
        }
    }
    factors
}

#[cfg(test)]
mod tests;
