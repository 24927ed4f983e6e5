//! The spectrum against its definition and, where the shared test files are, against lucid's formulas
//! computed elsewhere.

use graph::Storage;
use kernels::{Context, CpuLevel};

use super::*;
use crate::testing::{pattern, reference, threads};
use crate::{Optimiser, Parametrisation};

/// A spectrum on one octave, with what runs it.
struct Kit {
    cx: Context,
    fft: Fft2,
    ascent: Ascent,
}

impl Kit {
    fn new(height: usize, width: usize, bound: Bound, level: CpuLevel) -> Self {
        let parametrisation = Parametrisation::Spectrum;
        let ascent = Ascent { step: 1.0, bound, parametrisation, ..Ascent::default() };
        Self {
            cx: Context::new(threads(), level),
            fft: Fft2::new(Size::new(height, width), level),
            ascent,
        }
    }

    fn spectrum(&self, picture: &Tensor) -> Spectrum<'_> {
        let state = SpectrumState::new(self.cx.threads(), &self.fft, &self.ascent, picture);
        Spectrum::new((&self.ascent, self.ascent.step), &self.cx, &self.fft, state)
    }
}

fn levels() -> Vec<CpuLevel> {
    CpuLevel::available()
}

/// Along its own gradient a linear picture changes by the gradient's square: what a step does is the
/// transpose of how it is found, at every size.
#[test]
fn the_way_back_is_the_transpose_of_the_way_there() {
    for level in levels() {
        for (height, width) in [(1, 1), (1, 2), (3, 1), (2, 5), (9, 8), (16, 9), (31, 37), (64, 48)]
        {
            let kit = Kit::new(height, width, Bound::None, level);
            let mut picture = pattern(height, width);
            let (start, direction) = (picture.clone(), pattern(height, width));
            let mut spectrum = kit.spectrum(&picture);
            let mut optimiser =
                OptimiserState::new(Optimiser::Plain, (&Storage::default(), spectrum.state.len()));
            let map = Tensor {
                data: vec![0.5; height * width].into(),
                shape: graph::Shape::new(1, height, width),
            };
            spectrum.step(&mut picture, &direction, 1e-3, &mut optimiser, Some(&map));
            let change =
                picture.data.iter().zip(&start.data).map(|(x, start)| f64::from(x - start));
            let change = change.zip(&direction.data).map(|(x, d)| x * f64::from(*d)).sum::<f64>();
            let square =
                spectrum.state.parameters.iter().map(|p| f64::from(*p).powi(2)).sum::<f64>();
            assert!(
                (change / (1e3 * square) - 1.0).abs() < 1e-4,
                "{height} x {width}: {change} {square}"
            );
        }
    }
}

/// With numbers one at a time, a picture is the wave that each stands for.
#[test]
fn each_number_is_a_wave() {
    let (height, width) = (5, 6);
    let kit = Kit::new(height, width, Bound::None, CpuLevel::Scalar);
    for (k, y, part) in [(0, 0, 0), (1, 2, 0), (2, 4, 1), (3, 1, 0), (3, 1, 1), (0, 3, 1)] {
        let mut picture = Tensor::zeros(pattern(height, width).shape);
        let still = picture.clone();
        let mut spectrum = kit.spectrum(&picture);
        let color = 1;
        let columns = width / 2 + 1;
        spectrum.state.parameters[2 * ((color * columns + k) * height + y) + part] = 1.0;
        let mut optimiser =
            OptimiserState::new(Optimiser::Plain, (&Storage::default(), spectrum.state.len()));
        spectrum.step(&mut picture, &still, 0.0, &mut optimiser, None);
        let down = y.min(height - y) as f64 / height as f64;
        let frequency = (down.powi(2) + (k as f64 / width as f64).powi(2)).sqrt().max(1.0 / 6.0);
        let once = 0.25 / ((height * width) as f64).sqrt() / frequency;
        let mirrored = if k == 0 || 2 * k == width { 1.0 } else { 2.0 };
        for at in 0..height * width {
            let (row, column) = (at / width, at % width);
            let turns = (k * column) as f64 / width as f64;
            let angle = std::f64::consts::TAU * (turns + (y * row) as f64 / height as f64);
            let wave = mirrored * once * if part == 0 { angle.cos() } else { -angle.sin() };
            for c in 0..3 {
                let wanted = f64::from(255.0 * COLORS[c][color] / LARGEST) * wave;
                let found = f64::from(picture.channel(c)[at]);
                assert!((found - wanted).abs() < 1e-3, "{k} {y} {part}: {found} for {wanted}");
            }
        }
    }
}

/// Numbers by channel, row and column as they lie in a [`Spectrum`].
fn by_column(numbers: &[f32], height: usize, columns: usize) -> Vec<f32> {
    let mut found = vec![0.0; numbers.len()];
    for (index, number) in numbers.iter().enumerate() {
        let (part, k, row) = (index % 2, index / 2 % columns, index / 2 / columns);
        let (y, channel) = (row % height, row / height);
        found[2 * ((channel * columns + k) * height + y) + part] = *number;
    }
    found
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn pictures_and_gradients_are_lucids() {
    let file = reference("fft");
    for (height, width) in [(24, 32), (25, 33), (24, 33)] {
        for level in levels() {
            let kit = Kit::new(height, width, Bound::Sigmoid, level);
            let numbers = |key: &str| file.numbers(&format!("{height}x{width}.{key}"));
            let picture = |key: &str| file.picture(&format!("{height}x{width}.{key}"));
            let mut grey = Tensor::zeros(picture("image").shape);
            grey.data.fill(127.5);
            let still = Tensor::zeros(grey.shape);
            let mut spectrum = kit.spectrum(&grey);
            spectrum.state.parameters =
                by_column(&numbers("spectrum"), height, width / 2 + 1).into();
            let before = spectrum.state.parameters.clone();
            let mut optimiser =
                OptimiserState::new(Optimiser::Plain, (&Storage::default(), spectrum.state.len()));
            let mut image = grey;
            spectrum.step(&mut image, &still, 0.0, &mut optimiser, None);
            let off = testkit::error(&image.data, &picture("image").data);
            assert!(off < 1e-5, "{height} x {width} at {level}: the image differs by {off:e}");

            spectrum.step(&mut image, &picture("pixel_gradient"), 1.0, &mut optimiser, None);
            let gradient: Vec<f32> = spectrum
                .state
                .parameters
                .iter()
                .zip(&before)
                .map(|(now, before)| now - before)
                .collect();
            let wanted = by_column(&numbers("spectrum_gradient"), height, width / 2 + 1);
            let off = testkit::error(&gradient, &wanted);
            assert!(off < 1e-5, "{height} x {width} at {level}: the gradient differs by {off:e}");
        }
    }
}
