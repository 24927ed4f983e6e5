//! The curve of a sound that a zoom goes by.

use std::path::Path;

use dream::CURVE_RATE;
use media::sound::{self, Heard};

use crate::{Error, Fault, Knob, Result};

/// How much of a sound is heard, in seconds: a recipe holds the curve of that.
const LONGEST: f64 = 30.0 * 60.0;

/// The curve of the sound of the file at `path` as recipes have it; its first half hour counts.
///
/// # Errors
/// A file without sound, or one in which there is nothing to go by.
pub(crate) fn curve_of(path: &Path, heard: Heard) -> Result<Vec<u8>> {
    let curve = sound::curve(path, heard, LONGEST, CURVE_RATE)
        .map_err(|error| Error::from(error).at(path))?;
    let curve: Vec<u8> = curve.iter().map(|value| (100.0 * value).round() as u8).collect();
    if curve.iter().any(|value| *value > 0) {
        return Ok(curve);
    }
    let nothing = match heard {
        Heard::Beat => "no beats were found",
        Heard::Loudness => "there is nothing to be heard",
    };
    let what = format!("{nothing} in {}", path.display());
    Err(Error::new(Fault::Usage, what).at(path).turn(Knob::Sound, "Name another sound."))
}
