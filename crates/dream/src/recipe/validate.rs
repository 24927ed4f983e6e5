//! What each setting of a recipe may be.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{
    Ascent, Coherence, Detail, Finish, Motion, Normalisation, Octaves, Optimiser, PartialRecipe,
    Penalty, Recipe, RecipeError, SCHEMA, Tiles, Zoom,
};

/// The largest side of a dream, in pixels.
const LARGEST: u32 = 65_535;

impl Recipe {
    /// Whether every setting is within its range.
    ///
    /// # Errors
    /// The first that is not, with its range and a way out.
    pub fn validate(&self) -> Result<(), RecipeError> {
        range("schema", self.schema, SCHEMA..=SCHEMA, "leave it as it is")?;
        self.octaves.validate()?;
        self.ascent.validate()?;
        self.penalty.validate()?;
        self.finish.validate()?;
        range("pictures", self.pictures, 1..=64, "4 are usual, 1 is a picture by itself")?;
        if let Some(diversity) = self.diversity {
            range("diversity", diversity, 0.0..=10.0, "0.5 is usual, 0 is none")?;
        }
        let last_seed = i64::MAX as u64 - u64::from(self.pictures - 1);
        range("seed", self.seed, 0..=last_seed, "recipes store seeds of 63 bits")?;
        if let Some(size) = self.size {
            range("size", size, 1..=LARGEST, "leave it out for the picture's own size")?;
        }
        if let Some(noise) = self.noise {
            range("noise.width", noise.width, 1..=LARGEST, "640 is a start")?;
            range("noise.height", noise.height, 1..=LARGEST, "400 is a start")?;
        }
        match self.tiles {
            Tiles::Whole => {}
            Tiles::Rolled { size } => tile_size("tiles.rolled.size", size)?,
            Tiles::Scattered { size } => tile_size("tiles.scattered.size", size)?,
            Tiles::Exact { size } => {
                range("tiles.exact.size", size, 0..=LARGEST, "0 is what memory allows")?;
            }
        }
        match self.video.as_ref().map(|video| video.coherence) {
            Some(Coherence::Flow { persistence }) => {
                video_persistence("video.coherence.flow.persistence", persistence)?;
            }
            Some(Coherence::Blend { share }) => video_share("video.coherence.blend.share", share)?,
            Some(Coherence::Independent) | None => {}
        }
        if let Some(zoom) = &self.zoom {
            zoom.validate()?;
            // Between two keyframes that are within the ranges, so is everything.
            let still = self.without_keyframes();
            for key in &zoom.keyframes {
                let alone = || {
                    key.set.validate()?;
                    still.keyed(std::slice::from_ref(key), key.at)
                };
                alone().map_err(|error| error.in_keyframe(key.at))?;
            }
        }
        for (name, guide) in &self.guides {
            check_name("guides", name)?;
            guide.validate(name)?;
        }
        for name in self.vectors.keys() {
            check_name("vectors", name)?;
        }
        for (name, region) in &self.regions {
            check_name("regions", name)?;
            region.validate(name)?;
        }
        for (term, number) in self.objective.iter().zip(1..) {
            term.validate(number, &self.vectors)?;
        }
        if !self.objective.is_empty() && self.objective.iter().all(|term| term.weight == 0.0) {
            return Err(RecipeError::NoWeight);
        }
        Ok(())
    }
}

impl Octaves {
    fn validate(&self) -> Result<(), RecipeError> {
        range("octaves.count", self.count, 1..=32, "one octave dreams at the anchor alone")?;
        range("octaves.anchor", self.anchor, 1..=Octaves::FULL, "640 is usual")?;
        range("octaves.scale", self.scale, 1.01..=16.0, "1.4 is usual")?;
        if let Detail::Blend { share } = self.detail {
            detail_share("octaves.detail.blend.share", share)?;
        }
        range("octaves.blur", self.blur, 0.0..=64.0, "0 is none")
    }
}

impl Ascent {
    fn validate(&self) -> Result<(), RecipeError> {
        let downhill = "give layers a weight below 0 to go downhill";
        range("ascent.iterations", self.iterations, 1..=100_000, "10 on each octave are usual")?;
        range("ascent.step", self.step, 0.0..=1000.0, downhill)?;
        range("ascent.strength", self.strength, 0.0..=10.0, "1 is usual, 0 is the picture")?;
        range("ascent.jitter", self.jitter, 0..=4096, "32 is usual, 0 is none")?;
        if let Normalisation::Laplacian { levels } = self.normalisation {
            laplacian_levels("ascent.normalisation.laplacian.levels", levels)?;
        }
        for scale in self.wobble.scale {
            range("ascent.wobble.scale", scale, 0.5..=2.0, "[0.9, 1.1] is usual")?;
        }
        range("ascent.wobble.angle", self.wobble.angle, 0.0..=180.0, "10 is usual, 0 is none")?;
        if let Optimiser::Adam { betas } = self.optimiser {
            for beta in betas {
                range("ascent.optimiser.adam.betas", beta, 0.0..=0.9999, "[0.9, 0.999] is usual")?;
            }
        }
        range("ascent.refine", self.refine, 0.0..=4.0, "1 is as long as below the anchor")?;
        range(
            "ascent.chroma",
            self.chroma,
            0.0..=4.0,
            "1 is usual, 0 keeps the picture's colours",
        )?;
        range("ascent.smoothing", self.smoothing, 0.0..=64.0, "0 is none")?;
        let growth = self.smoothing_growth;
        range("ascent.smoothing_growth", growth, 0.0..=64.0, "0 keeps it the same")
    }
}

impl Penalty {
    fn validate(&self) -> Result<(), RecipeError> {
        range("penalty.tv", self.tv, 0.0..=10.0, "0.1 to 0.5 are usual, 0 is none")?;
        range("penalty.pull", self.pull, 0.0..=50.0, "0.5 to 2 are usual, 0 is none")?;
        range("penalty.blur", self.blur, 0.0..=1.0, "0.03 to 0.1 are usual, 0 is none")?;
        range("penalty.tv_exponent", self.tv_exponent, 1.0..=12.0, "1 is usual")?;
        range("penalty.pull_exponent", self.pull_exponent, 1.0..=12.0, "2 is usual")?;
        range("penalty.blur_width", self.blur_width, 0.1..=64.0, "1 is usual")
    }
}

impl Finish {
    fn validate(&self) -> Result<(), RecipeError> {
        range("finish.mix", self.mix, 0.0..=1.5, "1 is the dream, 0 the picture")?;
        range("finish.levels", self.levels, 0.0..=1.0, "1 leads them back, 0 lets them go")?;
        range("finish.saturation", self.saturation, 0.0..=4.0, "1 is as dreamt")?;
        range("finish.contrast", self.contrast, 0.0..=4.0, "1 is as dreamt")
    }
}

impl Zoom {
    /// Whether each value makes sense by itself.
    fn validate(&self) -> Result<(), RecipeError> {
        range("zoom.fps", self.fps, 1e-3..=1000.0, "30 frames a second are usual")?;
        range("zoom.pace", self.pace, 0.0..=1e6, "2 is usual")?;
        range("zoom.levels", self.levels, 0.0..=1.0, "1 holds them, 0 lets them go")?;
        range("zoom.shoulder", self.shoulder, 0.0..=127.0, "16 is usual, 0 cuts colours off")?;
        if let Some(length) = self.length {
            range("zoom.length", length, 0.0..=1e6, "leave it out for a motion without an end")?;
        }
        for key in &self.keyframes {
            range("zoom.keyframes.at", key.at, 0.0..=1e6, "give seconds from the first frame")?;
        }
        self.rhythm.validate()?;
        self.motion.validate()
    }
}

impl PartialRecipe {
    /// Whether the settings that count for some choices only are within their ranges.
    fn validate(&self) -> Result<(), RecipeError> {
        if let Some(size) = self.tile_size {
            range("tile_size", size, 32.0..=16_384.0, "400 and 512 are usual")?;
        }
        if let Some(share) = self.octaves.blend_share {
            detail_share("octaves.blend_share", share)?;
        }
        if let Some(levels) = self.ascent.laplacian_levels {
            range("ascent.laplacian_levels", levels, 1.0..=12.0, "4 is usual")?;
        }
        Ok(())
    }
}

impl Motion {
    fn validate(&self) -> Result<(), RecipeError> {
        range("zoom.motion.zoom", self.zoom, 1e-6..=1e6, "1 keeps the size")?;
        range("zoom.motion.rotate", self.rotate, -36000.0..=36000.0, "give degrees a second")?;
        for shift in self.shift {
            range("zoom.motion.shift", shift, -100.0..=100.0, "1 is a whole picture a second")?;
        }
        for centre in self.centre {
            range("zoom.motion.centre", centre, -10.0..=10.0, "0.5 is the middle")?;
        }
        for tint in self.tint {
            range("zoom.motion.tint", tint, -25500.0..=25500.0, "0 is none")?;
        }
        range("zoom.motion.ease_in", self.ease_in, 0.0..=86400.0, "give seconds")?;
        range("zoom.motion.ease_out", self.ease_out, 0.0..=86400.0, "give seconds")
    }
}

pub(super) fn tile_size(setting: &str, size: u32) -> Result<(), RecipeError> {
    range(setting, size, 32..=16_384, "400 and 512 are usual")
}

pub(super) fn detail_share(setting: &str, share: f64) -> Result<(), RecipeError> {
    range(setting, share, 0.0..=1.0, "leave it out for the default")
}

pub(super) fn laplacian_levels(setting: &str, levels: u32) -> Result<(), RecipeError> {
    range(setting, levels, 1..=12, "4 is usual")
}

pub(super) fn video_persistence(setting: &str, persistence: f64) -> Result<(), RecipeError> {
    range(setting, persistence, 0.0..=0.99, "0.8 is usual, 0 keeps nothing")
}

pub(super) fn video_share(setting: &str, share: f64) -> Result<(), RecipeError> {
    range(setting, share, 0.0..=0.99, "0.5 is usual, 0 mixes nothing")
}

/// Whether a name of the recipe's own choice can be one.
fn check_name(group: &str, name: &str) -> Result<(), RecipeError> {
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(RecipeError::Value {
        setting: group.to_owned(),
        value: format!("called `{name}`"),
        problem: "a name has letters, digits, `_` and `-`, up to 64 of them".into(),
    })
}

pub(super) fn range<T: PartialOrd + Display>(
    setting: &str,
    value: T,
    allowed: RangeInclusive<T>,
    way_out: &'static str,
) -> Result<(), RecipeError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let allowed = match allowed.start() == allowed.end() {
        true => allowed.start().to_string(),
        false => format!("{} to {}", allowed.start(), allowed.end()),
    };
    Err(RecipeError::Range {
        setting: setting.to_owned(),
        value: value.to_string(),
        allowed,
        way_out,
    })
}
