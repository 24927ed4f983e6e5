//! How a recipe writes its anchor: in pixels, or as `full`.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use toml::Value;

use super::Octaves;

/// What a recipe calls the anchor that is always the full size.
const WORD: &str = "full";

pub(super) fn serialize<S: Serializer>(anchor: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    match *anchor {
        Octaves::FULL => WORD.serialize(serializer),
        pixels => pixels.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match word(&value) {
        Some(full) => Ok(full),
        None => u32::deserialize(value).map_err(|error| D::Error::custom(error.message())),
    }
}

/// As a keyframe sets it.
pub(super) fn in_keyframe<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match word(&value) {
        Some(full) => Ok(Some(f64::from(full))),
        None => f64::deserialize(value).map(Some).map_err(|e| D::Error::custom(e.message())),
    }
}

fn word(value: &Value) -> Option<u32> {
    (value.as_str() == Some(WORD)).then_some(Octaves::FULL)
}
