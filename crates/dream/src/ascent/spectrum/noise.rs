//! Noise as a spectrum of small random numbers, which feature visualisations start from.

use graph::{Size, Storage, Tensor};
use kernels::Context;

use super::{Fft2, Spectrum, SpectrumState};
use crate::ascent::optimiser::OptimiserState;
use crate::image::black_in;
use crate::random::Random;
use crate::{Ascent, Bound, Optimiser, Parametrisation};

/// The numbers' standard deviation (lucid's `param/spatial.py`).
const DEVIATION: f64 = 0.01;

/// A grey picture with faint large clouds: what the sigmoid makes of a spectrum of normally distributed
/// numbers. They are drawn from the noise's stream by row, column and colour, the real part before the
/// imaginary one, each two by Box and Muller's rule.
pub(crate) fn noise(cx: &Context, (storage, size): (&Storage, Size), seed: u64) -> Tensor {
    let ascent = Ascent {
        parametrisation: Parametrisation::Spectrum,
        bound: Bound::Sigmoid,
        ..Ascent::default()
    };
    let fft = Fft2::new(size, cx.level());
    let mut picture = black_in(storage, size);
    let still = picture.clone();
    picture.data.fill(127.5);
    let mut state = SpectrumState::new(cx.threads(), &fft, &ascent, &picture);
    let mut random = Random::of_noise(seed);
    let (height, columns) = (size.height, fft.columns());
    for y in 0..height {
        for column in 0..columns {
            for color in 0..3 {
                let length = (-2.0 * (1.0 - f64::from(random.unit())).ln()).sqrt();
                let (sin, cos) = (std::f64::consts::TAU * f64::from(random.unit())).sin_cos();
                let at = 2 * ((color * columns + column) * height + y);
                let parts = [cos, sin].map(|part| (DEVIATION * length * part) as f32);
                state.parameters[at..at + 2].copy_from_slice(&parts);
            }
        }
    }
    let mut optimiser = OptimiserState::new(Optimiser::Plain, (picture.storage(), 0));
    let mut spectrum = Spectrum::new((&ascent, ascent.step), cx, &fft, state);
    spectrum.step(&mut picture, &still, 0.0, &mut optimiser, None);
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn noise_is_its_seeds_and_faint() {
        let (cx, size) = (context(), Size::new(60, 81));
        let first = noise(&cx, (&Storage::default(), size), 3);
        assert_eq!(first, noise(&cx, (&Storage::default(), size), 3));
        assert_ne!(first, noise(&cx, (&Storage::default(), size), 4));
        let count = first.data.len() as f32;
        let mean = first.data.iter().sum::<f32>() / count;
        let variance = first.data.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
        assert!((mean - 127.5).abs() < 8.0, "{mean}");
        assert!((0.1..10.0).contains(&variance.sqrt()), "{}", variance.sqrt());
    }
}
