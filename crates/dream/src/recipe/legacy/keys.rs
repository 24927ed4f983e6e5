//! The keyframes of version 0.1's movies, which set flat settings.

use serde::de::DeserializeOwned;
use toml::Value;

use super::{Flat, Grid, Key, LayerWeight, Norm, Start};
use crate::recipe::{Bound, Keyframe, PartialRecipe, RecipeError};

/// What was the same for a whole movie.
const FIXED: [&str; 8] = ["version", "model", "preset", "size", "noise", "seed", "movie", "video"];

/// The keyframes that do what `keys` did to the movie of `flat`.
pub(super) fn keyframes(flat: &Flat, keys: &[Key]) -> Result<Vec<Keyframe>, RecipeError> {
    let keyframe = |key: &Key| {
        let mut set = PartialRecipe::default();
        for (name, value) in &key.set {
            assign(flat, &mut set, name, value).map_err(|error| error.in_keyframe(key.at))?;
        }
        Ok(Keyframe { at: key.at, set })
    };
    keys.iter().map(keyframe).collect()
}

fn assign(
    flat: &Flat,
    set: &mut PartialRecipe,
    name: &str,
    value: &Value,
) -> Result<(), RecipeError> {
    let PartialRecipe { octaves, ascent, zoom, .. } = set;
    match name {
        "octaves" => octaves.count = Some(read(name, value)?),
        "octave_scale" => octaves.scale = Some(read(name, value)?),
        "detail" => octaves.detail = Some(flat.detail(read::<Start>(name, value)?)),
        "blend" => octaves.blend_share = Some(read(name, value)?),
        "blur" => octaves.blur = Some(read(name, value)?),
        "filter" => octaves.filter = Some(read(name, value)?),
        "iterations" => ascent.iterations = Some(read(name, value)?),
        "step" => ascent.step = Some(read(name, value)?),
        "jitter" => ascent.jitter = Some(read(name, value)?),
        "normalisation" => {
            ascent.normalisation = Some(flat.normalisation(read::<Norm>(name, value)?));
        }
        "laplacian_levels" => ascent.laplacian_levels = Some(read(name, value)?),
        "smoothing" => ascent.smoothing = Some(read(name, value)?),
        "smoothing_growth" => ascent.smoothing_growth = Some(read(name, value)?),
        "clip" => ascent.bound = Some(Bound::clamping(read(name, value)?)),
        "pace" => zoom.pace = Some(read(name, value)?),
        "levels" => zoom.levels = Some(read(name, value)?),
        "motion" => zoom.motion = read(name, value)?,
        "layers" => {
            let layers: Vec<LayerWeight> = read(name, value)?;
            set.objective = Some(layers.into_iter().map(LayerWeight::term).collect());
        }
        "tiles" => set.tiles = Some(flat.tiles(read::<Grid>(name, value)?)),
        "tile_size" => set.tile_size = Some(read(name, value)?),
        "subtract_mean" => set.subtract_mean = Some(read(name, value)?),
        name if FIXED.contains(&name) => {
            return Err(RecipeError::Fixed { setting: name.to_owned() });
        }
        name => {
            let near = Vec::new();
            return Err(RecipeError::Unknown { path: name.to_owned(), near, line: None });
        }
    }
    Ok(())
}

fn read<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, RecipeError> {
    T::deserialize(value.clone()).map_err(|error| RecipeError::Value {
        setting: name.to_owned(),
        value: value.to_string(),
        problem: error.message().to_owned(),
    })
}
