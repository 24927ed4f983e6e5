//! The curve of a sound that a zoom goes by.

use std::path::Path;

use dream::CURVE_RATE;
use media::sound::{self, Heard};

use crate::{Error, Fault, Knob, Result};

/// The longest curve that a recipe holds, in seconds.
const LONGEST: f64 = 30.0 * 60.0;

/// How much of a sound is listened to at the least, in seconds, so that its beat is known.
const BEAT: f64 = 60.0;

/// The curve of the sound of the file at `path`, as recipes have it, for a movie of so many `seconds`: nothing
/// counts that is not played in it.
///
/// # Errors
/// A file without sound, or one in which there is nothing to go by.
pub(crate) fn curve_of(path: &Path, heard: Heard, seconds: f64) -> Result<Vec<u8>> {
    let seconds = seconds.min(LONGEST);
    let listened = match heard {
        Heard::Beat => seconds.max(BEAT),
        Heard::Loudness => seconds,
    };
    let curve = sound::curve(path, heard, listened, CURVE_RATE)
        .map_err(|error| Error::from(error).at(path))?;
    let count = (seconds * f64::from(CURVE_RATE)).ceil() as usize;
    let played = curve.iter().take(count);
    let curve: Vec<u8> = played.map(|value| (100.0 * value).round() as u8).collect();
    if curve.iter().any(|value| *value > 0) {
        return Ok(curve);
    }
    let nothing = match heard {
        Heard::Beat => "no beats were found",
        Heard::Loudness => "there is nothing to be heard",
    };
    let what = format!("{nothing} in the first {seconds:.0} s of {}", path.display());
    Err(Error::new(Fault::Usage, what).at(path).turn(Knob::Sound, "Name another sound."))
}
