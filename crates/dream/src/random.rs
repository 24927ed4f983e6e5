//! All that is random, from a generator whose numbers are specified: ChaCha with 8 rounds, its key
//! the recipe's seed as `rand_core` spreads 64 bits over it.
//!
//! A dream draws in this order, octave by octave from the smallest, step by step: with jitter or
//! rolled tiles, the shift to the right, then down; with scattered tiles, the left edge of the first
//! column, then the upper edge of each column from left to right.

use net::{Shape, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// One of `0..count`, which must not be empty. Takes 32 bits: `⌊bits · count / 2³²⌋`.
    pub(crate) fn below(&mut self, count: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(count)) >> 32) as u32
    }

    /// One of the 2²⁴ evenly spaced numbers of [0, 1).
    fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }
}

/// How far noise strays from its middle grey, in pixel values.
const NOISE_SPREAD: f32 = 50.0;

/// A noise to dream on: every value even between 117 − 50 and 117 + 50, drawn row by row, red, green,
/// blue in turn.
pub fn noise(width: usize, height: usize, seed: u64) -> Tensor {
    let mut random = Random::new(seed);
    let mut picture = Tensor::zeros(Shape::new(3, height, width));
    let plane = picture.shape.plane();
    for pixel in 0..plane {
        for channel in 0..3 {
            picture.data[channel * plane + pixel] =
                117.0 + NOISE_SPREAD * (2.0 * random.unit() - 1.0);
        }
    }
    picture
}
