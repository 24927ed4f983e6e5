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

use graph::{Size, Tensor};
use kernels::Threads;

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
    parameters: Vec<f32>,
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
        Self { start, parameters: vec![0.0; fft.len()] }
    }

    /// How many numbers the steps change.
    pub(super) fn len(&self) -> usize {
        self.parameters.len()
    }
}

/// A spectrum on one octave, and what it takes to climb on it.
pub(crate) struct Spectrum<'p> {
    threads: &'p Threads,
    fft: &'p Fft2,
    bound: Bound,
    length: f32,
    state: SpectrumState,
    /// Red, green and blue of each of the three colours.
    matrix: [[f32; 3]; 3],
    /// The factor of each wave, by column and row.
    scale: Vec<f32>,
    /// Memory to transform in.
    by_row: Vec<f32>,
    by_column: Vec<f32>,
}

impl<'p> Spectrum<'p> {
    /// Steps on `state`, as far as `length` each.
    pub(super) fn new(
        (ascent, length): (&Ascent, f32),
        threads: &'p Threads,
        fft: &'p Fft2,
        state: SpectrumState,
    ) -> Self {
        let zeros = || vec![0.0; fft.len()];
        let unit = if ascent.bound == Bound::Sigmoid { 1.0 } else { 255.0 };
        let colors = COLORS.map(|row| row.map(|value| unit * value / LARGEST));
        Self {
            threads,
            fft,
            bound: ascent.bound,
            length,
            state,
            matrix: chroma::after(colors, ascent.chroma),
            scale: scale(fft.size()),
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
            rows::for_each(self.threads, picture, |c, y, row| {
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
        let Self { threads, fft, bound, length, matrix: m, scale, .. } = self;
        let SpectrumState { start, parameters } = &mut self.state;
        let (height, width, columns) = (fft.size().height, fft.size().width, fft.columns());

        // The chain rule from pixels to colours; the sigmoid's derivative is x (255 − x) / 255.
        let at_row = |y: usize, colors: &mut [f32]| {
            let [red, green, blue] = [0, 1, 2].map(|c| rows::row(direction, c, y));
            for (of, colors) in colors.chunks_mut(width).enumerate() {
                let [r, g, b] = [0, 1, 2].map(|c| factor * m[c][of]);
                if *bound != Bound::Sigmoid {
                    let values = red.iter().zip(green).zip(blue);
                    for (color, ((red, green), blue)) in colors.iter_mut().zip(values) {
                        *color = r * red + g * green + b * blue;
                    }
                } else {
                    let [at_red, at_green, at_blue] = [0, 1, 2].map(|c| rows::row(picture, c, y));
                    let slope = |x: &f32| x * (255.0 - x) * (1.0 / 255.0);
                    for x in 0..width {
                        colors[x] = r * red[x] * slope(&at_red[x])
                            + g * green[x] * slope(&at_green[x])
                            + b * blue[x] * slope(&at_blue[x]);
                    }
                }
                if let Some(map) = map {
                    let map = rows::row(map, 0, y);
                    colors.iter_mut().zip(map).for_each(|(color, map)| *color *= map);
                }
            }
        };
        fft.rows(threads, &mut self.by_row, at_row);

        let (update, [first, second]) = optimiser.next();
        let slices = [&mut self.by_column[..], &mut parameters[..], first, second];
        let climb = |number: usize, slices: [&mut [f32]; 4]| {
            let [waves, parameters, first, second] = slices;
            for (line, waves) in waves.chunks_mut(2 * height).enumerate() {
                let column = (number + line) % columns;
                // The waves that are kept stand for their mirror images as well.
                let times = if (2 * column).is_multiple_of(width) { 1.0 } else { 2.0 };
                let scale = &scale[column * height..][..height];
                for (wave, scale) in waves.chunks_exact_mut(2).zip(scale) {
                    wave[0] *= times * scale;
                    wave[1] *= times * scale;
                }
            }
            update.apply(waves, [first, second]);
            for ((line, waves), parameters) in
                waves.chunks_mut(2 * height).enumerate().zip(parameters.chunks_mut(2 * height))
            {
                let column = (number + line) % columns;
                let scale = &scale[column * height..][..height];
                let waves = waves.chunks_exact_mut(2).zip(parameters.chunks_exact_mut(2));
                for ((wave, parameter), scale) in waves.zip(scale) {
                    for (wave, parameter) in wave.iter_mut().zip(parameter) {
                        *parameter += *length * *wave;
                        *wave = scale * *parameter;
                    }
                }
            }
        };
        fft.columns_and_back(threads, &self.by_row, slices, climb);

        fft.rows_back(threads, &self.by_column, picture, |y, colors, row| {
            let (first, others) = colors.split_at(width);
            let (second, third) = others.split_at(width);
            for (c, row) in row.into_iter().enumerate() {
                let start = rows::row(start, c, y);
                for (x, value) in row.iter_mut().enumerate() {
                    *value = m[c][0] * first[x] + m[c][1] * second[x] + m[c][2] * third[x];
                }
                if let Some(map) = map {
                    let map = rows::row(map, 0, y);
                    row.iter_mut().zip(map).for_each(|(value, map)| *value *= map);
                }
                let values = row.iter_mut().zip(start);
                match bound {
                    Bound::Sigmoid => values.for_each(|(x, start)| *x = sigmoid(*x + start)),
                    Bound::Clip => {
                        values.for_each(|(x, start)| *x = (*x + start).clamp(0.0, 255.0))
                    }
                    Bound::None => values.for_each(|(x, start)| *x += start),
                }
            }
        });
    }
}

/// The factor of each wave of pictures of `size`, by column and row: √(height · width) / 4, divided by
/// its frequency in cycles a pixel (the least one for the mean), and by the height · width that the
/// inverse transform is divided by.
fn scale(size: Size) -> Vec<f32> {
    let Size { height, width } = size;
    let least = 1.0 / height.max(width) as f64;
    let whole = 0.25 / ((height * width) as f64).sqrt();
    let columns = (0..width / 2 + 1).map(|k| k as f64 / width as f64);
    columns
        .flat_map(|across| {
            (0..height).map(move |k| {
                let down = k.min(height - k) as f64 / height as f64;
                (whole / (across * across + down * down).sqrt().max(least)) as f32
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
