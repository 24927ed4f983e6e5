//! All that is random, from a generator whose numbers are specified: ChaCha with 8 rounds, its key
//! the recipe's seed as `rand_core` spreads 64 bits over it.
//!
//! A dream draws its numbers step by step, from the smallest octave to the largest. Each step draws in this
//! order: with jitter or rolled tiles, the shift to the right, then the shift down; with a wobble, the scale,
//! then the angle; with scattered tiles, the left edge of the first column, then the upper edge of each column
//! from left to right.

use graph::{Shape, Size, Storage, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{Filter, resize};

/// The most that a seed may be.
pub(crate) const SEEDS: u64 = i64::MAX as u64;

/// The generator, for one seed.
#[derive(Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The generator after it has drawn `words` words of 32 bits.
    pub(crate) fn after(seed: u64, words: u64) -> Self {
        let mut random = Self::new(seed);
        random.0.set_word_pos(words.into());
        random
    }

    /// How many words of 32 bits were drawn.
    pub(crate) fn words(&self) -> u64 {
        self.0.get_word_pos() as u64
    }

    /// A number of `0..count`, which must not be empty, from 32 random bits: `⌊bits · count / 2³²⌋`.
    pub(crate) fn below(&mut self, count: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(count)) >> 32) as u32
    }

    /// The generator of noise. It has a stream of its own, so that it takes no numbers from the dream.
    pub(crate) fn of_noise(seed: u64) -> Self {
        let mut random = Self::new(seed);
        random.0.set_stream(NOISE);
        random
    }

    /// One of the 2²⁴ evenly spaced numbers of [0, 1).
    pub(crate) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }
}

/// How far each octave of noise may stray from the middle grey, in pixel values. The finest octave comes first;
/// each is half as fine as the one before.
const SPREADS: [f32; 6] = [4.0, 8.0, 12.0, 16.0, 20.0, 24.0];

/// Noise to dream on: grey of about 117 with little grain and large patches of soft colour. Every octave has
/// something to see in it, and no grain is left between the dream's figures.
///
/// Each of six octaves, coarsest first, is drawn evenly within its spread, row by row, red, green and
/// blue in turn, and enlarged to the noise's size.
pub fn noise(size: Size, seed: u64) -> Tensor {
    noise_in(&Storage::default(), size, seed)
}

/// The same that lies in `storage`.
pub(crate) fn noise_in(storage: &Storage, size: Size, seed: u64) -> Tensor {
    let Size { height, width } = size;
    let mut random = Random::of_noise(seed);
    let mut picture = Tensor::zeros_in(storage, Shape::new(3, height, width));
    picture.data.fill(117.0);
    for (octave, spread) in SPREADS.into_iter().enumerate().rev() {
        let (rows, columns) = (height.div_ceil(1 << octave), width.div_ceil(1 << octave));
        let mut patches = Tensor::zeros_in(storage, Shape::new(3, rows, columns));
        let (red, others) = patches.data.split_at_mut(rows * columns);
        let (green, blue) = others.split_at_mut(rows * columns);
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            for patch in [red, green, blue] {
                *patch = spread * (2.0 * random.unit() - 1.0);
            }
        }
        let patches = resize(&patches, size, Filter::CatmullRom);
        for (x, patch) in picture.data.iter_mut().zip(&patches.data) {
            *x += patch;
        }
    }
    picture.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
    picture
}

/// The generator's stream for noise; a dream's own draws are from stream 0.
const NOISE: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_its_seeds_and_around_grey() {
        let first = noise(Size::new(97, 130), 3);
        assert_eq!(first, noise(Size::new(97, 130), 3));
        assert_ne!(first, noise(Size::new(97, 130), 4));
        assert_eq!(first.shape, Shape::new(3, 97, 130));
        let count = first.data.len() as f32;
        let mean = first.data.iter().sum::<f32>() / count;
        let variance = first.data.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
        assert!((mean - 117.0).abs() < 10.0, "{mean}");
        assert!((8.0..40.0).contains(&variance.sqrt()), "{}", variance.sqrt());
        assert!(noise(Size::new(1, 1), 0).data.iter().all(|x| (0.0..=255.0).contains(x)));
    }

    #[test]
    fn draws_are_even_and_within_their_count() {
        let mut random = Random::new(9);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[random.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|times| (850..1150).contains(times)), "{seen:?}");
    }
}
