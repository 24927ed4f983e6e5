//! The flat recipes of version 0.1, which have no `schema`: read exactly, and never written again.

mod keys;

use std::collections::BTreeMap;

use graph::Network;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::names::as_written;
use super::{
    Ascent, Balance, Bound, Coherence, Detail, ModelId, Motion, NoiseStart, Normalisation, Octaves,
    Preset, Recipe, RecipeError, SCHEMA, Term, Tiles, Video, Zoom, before, text, validate,
};
use crate::Filter;

/// A recipe as version 0.1 wrote it.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flat {
    version: String,
    model: ModelId,
    preset: Preset,
    layers: Vec<LayerWeight>,
    octaves: u32,
    octave_scale: f32,
    iterations: u32,
    step: f32,
    jitter: u32,
    seed: u64,
    size: Option<u32>,
    noise: Option<NoiseStart>,
    normalisation: Norm,
    laplacian_levels: u32,
    smoothing: f32,
    smoothing_growth: f32,
    tiles: Grid,
    tile_size: u32,
    detail: Start,
    blend: f64,
    blur: f32,
    filter: Filter,
    clip: bool,
    subtract_mean: bool,
    movie: Option<Movie>,
    video: Option<FlatVideo>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a layer and its weight, { name = \"LAYER\", weight = 1.0 }"
)]
struct LayerWeight {
    name: String,
    #[serde(default = "one")]
    weight: f32,
}

fn one() -> f32 {
    1.0
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Norm {
    MeanAbs,
    Std,
    Laplacian,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Grid {
    Whole,
    Rolled,
    Scattered,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Start {
    Carry,
    Blend,
    Replace,
}

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Movie {
    fps: f64,
    length: Option<f64>,
    pace: f64,
    levels: f64,
    motion: Motion,
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    at: f64,
    set: Table,
}

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FlatVideo {
    coherence: Follow,
    carry: f64,
    blend: f64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Follow {
    Flow,
    Blend,
    Independent,
}

/// Reads a recipe without a schema. What it leaves out is what its preset said for the network.
pub(super) fn read(
    text: &str,
    table: Table,
    network: Option<&Network>,
) -> Result<Recipe, RecipeError> {
    let nested = ["objective", "ascent", "zoom"].iter().any(|name| table.contains_key(*name))
        || ["octaves", "tiles"].iter().any(|name| table.get(*name).is_some_and(|v| v.is_table()));
    if nested {
        let what = format!("it has no schema: write `schema = {SCHEMA}` as its first line");
        return Err(RecipeError::Text(what));
    }
    // First for what is wrong and where; then, as a table, over the preset's own values.
    let said: Flat = toml::from_str(text).map_err(|error| RecipeError::of_text(&error))?;
    let base = Flat::from(before::values(network, said.preset));
    let mut merged =
        Table::try_from(base).expect("numbers, words and lists of them can be written");
    merged.extend(table);
    let flat: Flat = text::of_table(&merged).map_err(RecipeError::Text)?;
    flat.validate()?;
    let recipe = flat.nested()?;
    recipe.validate().map_err(as_written)?;
    Ok(recipe)
}

/// The settings that version 0.1 wrote into every recipe, by name.
pub(super) fn names() -> Table {
    let mut names = text::names(&Flat::default());
    // These go with words that the others have.
    for part in ["laplacian_levels", "tile_size", "blend"] {
        names.remove(part);
    }
    names
}

impl Flat {
    /// Whether what may not have a place in a nested recipe is within its range.
    fn validate(&self) -> Result<(), RecipeError> {
        validate::tile_size("tile_size", self.tile_size)?;
        validate::laplacian_levels("laplacian_levels", self.laplacian_levels)?;
        validate::detail_share("blend", self.blend)?;
        if let Some(video) = &self.video {
            validate::video_persistence("video.carry", video.carry)?;
            validate::video_share("video.blend", video.blend)?;
        }
        Ok(())
    }

    fn nested(self) -> Result<Recipe, RecipeError> {
        let keyframes = match &self.movie {
            Some(movie) => keys::keyframes(&self, &movie.keys)?,
            None => Vec::new(),
        };
        Ok(Recipe {
            schema: SCHEMA,
            tiles: self.tiles(self.tiles),
            octaves: Octaves {
                count: self.octaves,
                anchor: Octaves::FULL,
                scale: self.octave_scale,
                detail: self.detail(self.detail),
                blur: self.blur,
                filter: self.filter,
            },
            ascent: Ascent {
                iterations: self.iterations,
                step: self.step,
                jitter: self.jitter,
                normalisation: self.normalisation(self.normalisation),
                smoothing: self.smoothing,
                smoothing_growth: self.smoothing_growth,
                bound: Bound::clamping(self.clip),
                ..Ascent::default()
            },
            version: self.version,
            model: self.model,
            preset: self.preset,
            seed: self.seed,
            size: self.size,
            noise: self.noise,
            objective: self.layers.into_iter().map(LayerWeight::term).collect(),
            balance: Balance::Auto,
            vectors: BTreeMap::new(),
            subtract_mean: self.subtract_mean,
            zoom: self.movie.map(|movie| Zoom {
                fps: movie.fps,
                length: movie.length,
                pace: movie.pace,
                levels: movie.levels,
                motion: movie.motion,
                keyframes,
                ..Zoom::default()
            }),
            video: self.video.map(FlatVideo::nested),
            ..Recipe::default()
        })
    }

    fn tiles(&self, grid: Grid) -> Tiles {
        match grid {
            Grid::Whole => Tiles::Whole,
            Grid::Rolled => Tiles::Rolled { size: self.tile_size },
            Grid::Scattered => Tiles::Scattered { size: self.tile_size },
        }
    }

    fn detail(&self, start: Start) -> Detail {
        match start {
            Start::Carry => Detail::Reinject,
            Start::Blend => Detail::Blend { share: self.blend },
            Start::Replace => Detail::Replace,
        }
    }

    fn normalisation(&self, norm: Norm) -> Normalisation {
        match norm {
            Norm::MeanAbs => Normalisation::MeanAbs,
            Norm::Std => Normalisation::Std,
            Norm::Laplacian => Normalisation::Laplacian { levels: self.laplacian_levels },
        }
    }
}

impl LayerWeight {
    fn term(self) -> Term {
        Term::layer(self.name).weighing(self.weight)
    }
}

impl FlatVideo {
    fn nested(self) -> Video {
        let coherence = match self.coherence {
            Follow::Flow => Coherence::Flow { persistence: self.carry },
            Follow::Blend => Coherence::Blend { share: self.blend },
            Follow::Independent => Coherence::Independent,
        };
        Video { coherence }
    }
}

/// A preset's values, as version 0.1 had them.
impl From<Recipe> for Flat {
    fn from(recipe: Recipe) -> Self {
        let Recipe { octaves, ascent, .. } = recipe;
        let (tiles, tile_size) = match recipe.tiles {
            Tiles::Whole | Tiles::Exact { .. } => (Grid::Whole, Tiles::usual_size()),
            Tiles::Rolled { size } => (Grid::Rolled, size),
            Tiles::Scattered { size } => (Grid::Scattered, size),
        };
        let (detail, blend) = match octaves.detail {
            Detail::Reinject => (Start::Carry, Detail::usual_share()),
            Detail::Blend { share } => (Start::Blend, share),
            Detail::Replace => (Start::Replace, Detail::usual_share()),
        };
        let (normalisation, laplacian_levels) = match ascent.normalisation {
            Normalisation::MeanAbs => (Norm::MeanAbs, Normalisation::usual_levels()),
            Normalisation::Std => (Norm::Std, Normalisation::usual_levels()),
            Normalisation::Laplacian { levels } => (Norm::Laplacian, levels),
        };
        let layer = |term: Term| LayerWeight { name: term.layer, weight: term.weight };
        Self {
            version: recipe.version,
            model: recipe.model,
            preset: recipe.preset,
            layers: recipe.objective.into_iter().map(layer).collect(),
            octaves: octaves.count,
            octave_scale: octaves.scale,
            iterations: ascent.iterations,
            step: ascent.step,
            jitter: ascent.jitter,
            seed: recipe.seed,
            size: None,
            noise: None,
            normalisation,
            laplacian_levels,
            smoothing: ascent.smoothing,
            smoothing_growth: ascent.smoothing_growth,
            tiles,
            tile_size,
            detail,
            blend,
            blur: octaves.blur,
            filter: octaves.filter,
            clip: ascent.bound != Bound::None,
            subtract_mean: recipe.subtract_mean,
            movie: None,
            video: None,
        }
    }
}

impl Default for Flat {
    fn default() -> Self {
        Self::from(Recipe::default())
    }
}

impl Default for Movie {
    fn default() -> Self {
        let Zoom { fps, length, pace, levels, motion, .. } = Zoom::default();
        Self { fps, length, pace, levels, motion, keys: Vec::new() }
    }
}

impl Default for FlatVideo {
    fn default() -> Self {
        let (carry, blend) = (Coherence::usual_persistence(), Coherence::usual_share());
        Self { coherence: Follow::Flow, carry, blend }
    }
}
