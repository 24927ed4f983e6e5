//! What each knob of a recipe may be.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::{Recipe, RecipeError};

/// The largest side of a dream, in pixels.
const LARGEST: u32 = 65_535;

impl Recipe {
    /// Whether every knob is within its range.
    ///
    /// # Errors
    /// The first that is not, with its range and a way out.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let stays = "leave it out for the default";
        range("octaves", self.octaves, 1..=32, "one octave dreams at full size alone")?;
        range("octave_scale", self.octave_scale, 1.01..=16.0, "1.4 is usual")?;
        range("iterations", self.iterations, 1..=100_000, "10 on each octave are usual")?;
        range("step", self.step, 0.0..=1000.0, "give layers a weight below 0 to go downhill")?;
        range("jitter", self.jitter, 0..=4096, "32 is usual, 0 is none")?;
        range("seed", self.seed, 0..=i64::MAX as u64, "recipes store seeds of 63 bits")?;
        if let Some(size) = self.size {
            range("size", size, 1..=LARGEST, "leave it out for the picture's own size")?;
        }
        if let Some(noise) = self.noise {
            range("noise.width", noise.width, 1..=LARGEST, "640 is a start")?;
            range("noise.height", noise.height, 1..=LARGEST, "400 is a start")?;
        }
        range("laplacian_levels", self.laplacian_levels, 1..=12, "4 is usual")?;
        range("smoothing", self.smoothing, 0.0..=64.0, "0 is none")?;
        range("smoothing_growth", self.smoothing_growth, 0.0..=64.0, "0 keeps it the same")?;
        range("tile_size", self.tile_size, 32..=16_384, "400 and 512 are usual")?;
        range("blend", self.blend, 0.0..=1.0, stays)?;
        range("blur", self.blur, 0.0..=64.0, "0 is none")?;
        if let Some(video) = &self.video {
            range("video.carry", video.carry, 0.0..=0.99, "0.8 is usual, 0 carries nothing")?;
            range("video.blend", video.blend, 0.0..=0.99, "0.5 is usual, 0 mixes nothing")?;
        }
        if let Some(movie) = &self.movie {
            movie.validate()?;
            for key in &movie.keys {
                self.at(key.at)?;
            }
        }
        for layer in &self.layers {
            range("weight", layer.weight, -1e6..=1e6, "1 is usual")?;
        }
        if !self.layers.is_empty() && self.layers.iter().all(|layer| layer.weight == 0.0) {
            return Err(RecipeError::NoWeight);
        }
        Ok(())
    }
}

fn range<T: PartialOrd + Display>(
    knob: &'static str,
    value: T,
    allowed: RangeInclusive<T>,
    way_out: &'static str,
) -> Result<(), RecipeError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{} to {}", allowed.start(), allowed.end());
    Err(RecipeError::Range { knob, value: value.to_string(), allowed, way_out })
}
