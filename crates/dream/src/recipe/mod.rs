//! The recipe: every setting of a dream, as nested data.
//!
//! A saved recipe says everything that decides the picture, so that the same recipe on the same
//! picture gives the same dream again. Presets are edits of it; flags, forms and files are spellings
//! of it. [`Recipe::schema`] numbers its layout; the flat recipes of version 0.1, which have no such
//! number, are read as well.

mod anchor;
mod before;
mod channels;
mod choice;
mod class;
mod default_layers;
mod defaults;
mod documented;
mod error;
mod interpolate;
mod keyframes;
mod legacy;
mod measured;
mod names;
mod partial;
mod preset;
mod set;
mod settings;
mod term;
mod text;
mod validate;
mod video;
mod zoom;

use std::collections::BTreeMap;

use graph::Size;
use serde::{Deserialize, Serialize};

use crate::Filter;
use documented::documented;

pub use channels::Channels;
pub use class::ClassId;
pub(crate) use default_layers::default_objective;
pub use default_layers::{WorthTrying, worth_trying};
pub use error::RecipeError;
pub(crate) use keyframes::Fading;
pub use keyframes::Keyframe;
pub use measured::measured_objective;
pub use partial::{PartialAscent, PartialMotion, PartialOctaves, PartialRecipe, PartialZoom};
pub use preset::Preset;
pub use settings::Setting;
pub use term::{Balance, Measure, Term, Vector};
pub use video::{Coherence, Video};
pub use zoom::{Motion, MotionPreset, Zoom};

/// The layout of recipes that this program writes.
pub const SCHEMA: u32 = 1;

documented! {
    /// Everything that decides a dream, beside the picture it starts from.
    ///
    /// `Recipe::default()` holds the values each field's "Default" names; the defaults that were chosen
    /// for a network come from [`Recipe::for_network`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Recipe {
        /// Layout of the recipe. Default: 1.
        pub schema: u32,
        /// Version of the program that made the recipe. Default: this program's.
        pub version: String,
        /// The network. Default: whichever network the recipe is used with.
        pub model: ModelId,
        /// The rules the other settings started from. It changes nothing by itself, except that
        /// settings missing in a recipe's text take this preset's values. Default: `default`.
        #[serde(deserialize_with = "choice::read")]
        pub preset: Preset,
        /// Seed of all that is random. Default: 0.
        pub seed: u64,
        /// Longest side of the dream in pixels, its proportions kept; without it, the picture's own
        /// size. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub size: Option<u32>,
        /// Start from noise of this size instead of a picture. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub noise: Option<NoiseStart>,
        /// What the dream climbs towards: layers, channels and classes with their weights. Default: the
        /// network's own default layers.
        pub objective: Vec<Term>,
        /// What the weights of several terms mean: `shares` of the gradient, `raw` factors, or `auto`,
        /// which is `raw` where every term is a whole layer, else `shares`. Default: `auto`.
        pub balance: Balance,
        /// Directions in layers' channels, by the names that terms give them. Default: none.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub vectors: BTreeMap<String, Vector>,
        /// Whether the network sees the picture whole or in tiles. Default: `whole`.
        #[serde(deserialize_with = "choice::read")]
        pub tiles: Tiles,
        /// Whether the network's mean is subtracted from what it sees, as it was in training.
        /// Default: true.
        pub subtract_mean: bool,
        /// The sizes the picture is dreamt on in.
        pub octaves: Octaves,
        /// How the picture climbs towards the objective.
        pub ascent: Ascent,
        /// How the frames of a zoom follow from each other. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub zoom: Option<Zoom>,
        /// How the dreams on a video's frames depend on each other. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub video: Option<Video>,
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: ModelId::default(),
            preset: Preset::Default,
            seed: 0,
            size: None,
            noise: None,
            objective: Vec::new(),
            balance: Balance::Auto,
            vectors: BTreeMap::new(),
            tiles: Tiles::Whole,
            subtract_mean: true,
            octaves: Octaves::default(),
            ascent: Ascent::default(),
            zoom: None,
            video: None,
        }
    }
}

documented! {
    /// Which network a recipe is for.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ModelId {
        /// The network's name, for people and for finding it. Default: empty, for any network.
        pub name: String,
        /// SHA-256 of the network's file, in hexadecimal: what decides. Default: empty, for any
        /// network.
        pub hash: String,
    }
}

impl ModelId {
    /// The network's identity.
    pub fn of(network: &graph::Network) -> Self {
        Self { name: network.name.clone(), hash: network.hash.clone() }
    }
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

impl NoiseStart {
    /// Its size.
    pub fn size(self) -> Size {
        Size::new(self.height as usize, self.width as usize)
    }
}

documented! {
    /// The sizes of the picture that are dreamt on, from small to full, and what one hands to the
    /// next.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Octaves {
        /// How many sizes of the picture are dreamt on, from small up to the anchor. Default: 4.
        pub count: u32,
        /// Longest side, in pixels, at which figures are laid out: octaves go down from there, and up
        /// from there to the full size, so that a large dream has the figures of a small one. A smaller
        /// picture is its own anchor; `full` takes any picture's full size. Default: 640.
        #[serde(with = "anchor")]
        pub anchor: u32,
        /// How much larger each octave's sides are than those of the one before. Default: 1.4.
        pub scale: f32,
        /// What an octave takes over from the picture and from the octave before. Default:
        /// `reinject`.
        #[serde(deserialize_with = "choice::read")]
        pub detail: Detail,
        /// Width, as a standard deviation in pixels, of the blur before the picture is shrunk for the
        /// next smaller octave; 0 for none. Default: 0.
        pub blur: f32,
        /// How pictures are resized from octave to octave. Default: `bilinear`.
        #[serde(deserialize_with = "choice::read")]
        pub filter: Filter,
    }
}

impl Octaves {
    /// The anchor that is always the full size, which recipes write as `full`.
    pub const FULL: u32 = 65_535;
}

impl Default for Octaves {
    fn default() -> Self {
        Self {
            count: 4,
            anchor: 640,
            scale: 1.4,
            detail: Detail::Reinject,
            blur: 0.0,
            filter: Filter::Bilinear,
        }
    }
}

documented! {
    /// Gradient ascent: how steps are taken on each octave.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Ascent {
        /// Steps on each octave. Default: 10.
        pub iterations: u32,
        /// How far each step goes, in pixel values (0–255) for a gradient whose mean magnitude,
        /// standard deviation or RMS, as `normalisation` says, is 1. Default: 1.5.
        pub step: f32,
        /// How far, in pixels, each step may shift the picture against the network's grid, in both
        /// directions; rolled tiles shift by a whole tile instead. Default: 32.
        pub jitter: u32,
        /// What the gradient is divided by. Default: `mean-abs`.
        #[serde(deserialize_with = "choice::read")]
        pub normalisation: Normalisation,
        /// Width, as a standard deviation in pixels, of the blur that the gradient goes through at an
        /// octave's first step; 0 for none. Default: 0.
        pub smoothing: f32,
        /// How much wider that blur would be after an octave's last step. Default: 0.
        pub smoothing_growth: f32,
        /// Whether every step keeps the picture within 0–255. Default: true.
        pub clamp: bool,
    }
}

impl Default for Ascent {
    fn default() -> Self {
        Self {
            iterations: 10,
            step: 1.5,
            jitter: 32,
            normalisation: Normalisation::MeanAbs,
            smoothing: 0.0,
            smoothing_growth: 0.0,
            clamp: true,
        }
    }
}

impl Ascent {
    /// The steps that make `part`, 0–1, of the whole climb, and the length of each: as few as can be
    /// without any being longer than this ascent's.
    pub(crate) fn share(&self, part: f64) -> (u32, f32) {
        let share = f64::from(self.iterations) * part;
        // Not one step more because of a fraction that rounding left over.
        let steps = (share - 1e-9).ceil().max(1.0);
        (steps as u32, (f64::from(self.step) * share / steps) as f32)
    }
}

/// What a gradient is divided by, so that a step's length does not depend on the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalisation {
    /// The mean of its magnitudes: Google's notebook.
    #[default]
    MeanAbs,
    /// Its standard deviation: TensorFlow's and Hvass' notebooks.
    Std,
    /// The root mean square of each level of its Laplacian pyramid, so that coarse and fine structure
    /// grow alike: TensorFlow's notebook.
    Laplacian {
        /// How often the gradient is halved; the pyramid has one level more than that. Default: 4.
        #[serde(default = "Normalisation::usual_levels")]
        levels: u32,
    },
}

impl Normalisation {
    pub(crate) fn usual_levels() -> u32 {
        4
    }
}

/// How the network sees a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tiles {
    /// All at once.
    #[default]
    Whole,
    /// As a grid of tiles under a picture that is rolled by up to a tile at every step; a strip of up
    /// to half a tile at the right and bottom rests at that step. TensorFlow's notebook.
    Rolled {
        /// Side of a tile in pixels. Default: 512.
        #[serde(default = "Tiles::usual_size")]
        size: u32,
    },
    /// As columns of tiles, the picture divided evenly, each column starting at a random height; each
    /// tile's gradient is divided by its own standard deviation. Hvass' notebook.
    Scattered {
        /// Side of a tile in pixels, nearly. Default: 512.
        #[serde(default = "Tiles::usual_size")]
        size: u32,
    },
}

impl Tiles {
    pub(crate) fn usual_size() -> u32 {
        512
    }
}

/// What an octave starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Detail {
    /// The picture at this size, plus what the octave before added to its own, enlarged: the
    /// picture's fine detail stays. Google's and TensorFlow's notebooks.
    #[default]
    Reinject,
    /// A mix of the picture at this size and the octave before, enlarged. Hvass' notebook.
    Blend {
        /// The picture's share of an octave's start, 0–1. Default: 0.2.
        #[serde(default = "Detail::usual_share")]
        share: f64,
    },
    /// The octave before, enlarged: the picture's fine detail is lost.
    Replace,
}

impl Detail {
    pub(crate) fn usual_share() -> f64 {
        0.2
    }
}
