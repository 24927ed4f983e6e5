//! The recipe: every knob of a dream, in one place.
//!
//! A saved recipe says everything that decides the picture, so that the same recipe on the same
//! picture gives the same dream again. Presets are edits of it; flags, forms and files are spellings
//! of it.

use serde::{Deserialize, Serialize};

use crate::{Filter, Movie, Preset, Video};

/// Everything that decides a dream, beside the picture it starts from.
///
/// `Recipe::default()` holds the values each field's "Default" names; the defaults that were chosen
/// for a network come from [`Recipe::for_network`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Version of the program that made the recipe. Default: this program's.
    pub version: String,
    /// The network. Default: empty, which means whichever network the recipe is used with.
    pub model: ModelId,
    /// The rules the other fields started from. It changes nothing by itself, except that fields
    /// missing in a recipe's text take this preset's values. Default: `default`.
    pub preset: Preset,
    /// Layers whose activations are to grow, with their weights. Default: empty, which means the
    /// network's own default layers.
    pub layers: Vec<LayerWeight>,
    /// How many sizes of the picture are dreamt on, from small to full. Default: 4.
    pub octaves: u32,
    /// How much larger each octave's sides are than those of the one before. Default: 1.4.
    pub octave_scale: f32,
    /// Steps on each octave. Default: 10.
    pub iterations: u32,
    /// How far each step goes, in pixel values (0–255) for a gradient whose mean magnitude, standard
    /// deviation or RMS, as `normalisation` says, is 1. Default: 1.5.
    pub step: f32,
    /// How far, in pixels, each step may shift the picture against the network's grid, in both
    /// directions; rolled tiles shift by a whole tile instead. Default: 32.
    pub jitter: u32,
    /// Seed of all that is random. Default: 0.
    pub seed: u64,
    /// Longest side of the dream in pixels, its proportions kept; without it, the picture's own size.
    /// Default: none.
    pub size: Option<u32>,
    /// Start from noise of this size instead of a picture. Default: none.
    pub noise: Option<NoiseStart>,
    /// What the gradient is divided by. Default: `mean-abs`.
    pub normalisation: Normalisation,
    /// How often `laplacian` normalisation halves the gradient; it has one level more than that.
    /// Default: 4.
    pub laplacian_levels: u32,
    /// Width, as a standard deviation in pixels, of the blur that the gradient goes through at an
    /// octave's first step; 0 for none. Default: 0.
    pub smoothing: f32,
    /// How much wider that blur would be after an octave's last step. Default: 0.
    pub smoothing_growth: f32,
    /// Whether the network sees the picture whole or in tiles. Default: `whole`.
    pub tiles: Tiles,
    /// Side of a tile in pixels, where there are tiles. Default: 512.
    pub tile_size: u32,
    /// What an octave takes over from the picture and from the octave before. Default: `carry`.
    pub detail: Detail,
    /// With `detail = "blend"`: the picture's share of an octave's start, 0–1. Default: 0.2.
    pub blend: f32,
    /// Width, as a standard deviation in pixels, of the blur before the picture is shrunk for the next
    /// smaller octave; 0 for none. Default: 0.
    pub blur: f32,
    /// How pictures are resized from octave to octave. Default: `bilinear`.
    pub filter: Filter,
    /// Whether every step keeps the picture within 0–255. Default: true.
    pub clip: bool,
    /// Whether the network's mean is subtracted from what it sees, as it was in training. Default:
    /// true.
    pub subtract_mean: bool,
    /// For a movie: how its frames follow from each other. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movie: Option<Movie>,
    /// For a video: how the dreams on its frames hang together. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: ModelId::default(),
            preset: Preset::Default,
            layers: Vec::new(),
            octaves: 4,
            octave_scale: 1.4,
            iterations: 10,
            step: 1.5,
            jitter: 32,
            seed: 0,
            size: None,
            noise: None,
            normalisation: Normalisation::MeanAbs,
            laplacian_levels: 4,
            smoothing: 0.0,
            smoothing_growth: 0.0,
            tiles: Tiles::Whole,
            tile_size: 512,
            detail: Detail::Carry,
            blend: 0.2,
            blur: 0.0,
            filter: Filter::Bilinear,
            clip: true,
            subtract_mean: true,
            movie: None,
            video: None,
        }
    }
}

/// Which network a recipe is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelId {
    /// Its name, for people and for finding it.
    pub name: String,
    /// SHA-256 of its file, in hexadecimal: what decides. Empty for any.
    pub hash: String,
}

impl ModelId {
    /// The network's identity.
    pub fn of(network: &graph::Network) -> Self {
        Self { name: network.name.clone(), hash: network.hash.clone() }
    }
}

/// A layer and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerWeight {
    /// The layer's name in the model file.
    pub name: String,
    /// Factor of its part of the objective, `½ · Σ activation²`; below 0, the layer is calmed instead.
    /// Default: 1.
    #[serde(default = "one")]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

/// Size of a noise to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseStart {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// What a gradient is divided by, so that a step's length does not depend on the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// The mean of its magnitudes: Google's notebook.
    #[default]
    MeanAbs,
    /// Its standard deviation: TensorFlow's and Hvass' notebooks.
    Std,
    /// The root mean square of each level of its Laplacian pyramid, so that coarse and fine structure
    /// grow alike: TensorFlow's notebook.
    Laplacian,
}

/// How the network sees a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tiles {
    /// All at once.
    #[default]
    Whole,
    /// As a grid of tiles under a picture that is rolled by up to a tile at every step; a strip of up
    /// to half a tile at the right and bottom rests at that step. TensorFlow's notebook.
    Rolled,
    /// As columns of tiles, the picture divided evenly, each column starting at a random height; each
    /// tile's gradient is divided by its own standard deviation. Hvass' notebook.
    Scattered,
}

/// What an octave starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// The picture at this size, plus what the octave before added to its own, enlarged: the
    /// picture's fine detail stays. Google's and TensorFlow's notebooks.
    #[default]
    Carry,
    /// A mix of the picture at this size and the octave before, enlarged. Hvass' notebook.
    Blend,
    /// The octave before, enlarged: the picture's fine detail is lost.
    Replace,
}
