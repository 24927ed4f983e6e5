//! The recipe: every setting of a dream, as nested data.
//!
//! A saved recipe says everything that decides the picture, so that the same recipe on the same
//! picture gives the same dream again. Presets are edits of it; flags, forms and files are spellings
//! of it. [`Recipe::schema`] numbers its layout; the flat recipes of version 0.1, which have no such
//! number, are read as well.

mod anchor;
mod ascent;
mod before;
mod channels;
mod choice;
mod class;
mod default_layers;
mod defaults;
mod documented;
mod error;
mod finish;
mod guide;
mod interpolate;
mod keyframes;
mod kind;
mod legacy;
mod measured;
mod names;
mod partial;
mod penalty;
mod preset;
mod region;
mod rhythm;
mod set;
mod settings;
mod term;
mod text;
mod together;
mod types;
mod validate;
mod video;
mod zoom;

use std::collections::BTreeMap;

use graph::Size;
use serde::{Deserialize, Serialize};

use crate::Filter;
use documented::documented;

pub use ascent::{Ascent, Bound, Normalisation, Optimiser, Parametrisation, Wobble};
pub use channels::Channels;
pub use class::ClassId;
pub(crate) use default_layers::default_objective;
pub use default_layers::{WorthTrying, guide_layer, has_known_layers, worth_trying};
pub use error::RecipeError;
pub use finish::{Finish, FinishCurve};
pub use guide::{Guide, Pick};
pub(crate) use keyframes::Fading;
pub use keyframes::Keyframe;
pub use kind::Kind;
pub use measured::measured_objective;
pub use partial::{
    PartialAscent, PartialMotion, PartialOctaves, PartialPenalty, PartialRecipe, PartialWobble,
    PartialZoom,
};
pub use penalty::{Penalty, PenaltyOf};
pub use preset::Preset;
pub use region::{Follow, Region};
pub use rhythm::{CURVE_RATE, Rhythm};
pub use settings::Setting;
pub use term::{Balance, Measure, Term, Vector};
pub use text::Change;
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
        /// What noise is like where a dream starts from it. Default: `soft`.
        pub noise_kind: NoiseKind,
        /// How many pictures are dreamt together from noise, 1–64, the seed of each one more than that of
        /// the one before. Channels that are left to the picture are chosen on the first. Default: 1.
        #[serde(skip_serializing_if = "is_one")]
        pub pictures: u32,
        /// How far pictures that are dreamt together keep apart from each other, as a share of what
        /// drives each of them, 0–10; 0 lets each go its own way. Default: none, which is 0.5 for several
        /// pictures.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub diversity: Option<f32>,
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
        /// What is held against the dream at every step.
        pub penalty: Penalty,
        /// What is done to the dream once, at its end.
        pub finish: Finish,
        /// How the frames of a zoom follow from each other. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub zoom: Option<Zoom>,
        /// How the dreams on a video's frames depend on each other. Default: none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub video: Option<Video>,
        /// Pictures whose forms terms of the objective take, by name. Default: none.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub guides: BTreeMap<String, Guide>,
        /// Where parts of the objective count, by name. Default: none, which means everywhere.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub regions: BTreeMap<String, Region>,
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
            noise_kind: NoiseKind::Soft,
            pictures: 1,
            diversity: None,
            objective: Vec::new(),
            balance: Balance::Auto,
            vectors: BTreeMap::new(),
            tiles: Tiles::Whole,
            subtract_mean: true,
            octaves: Octaves::default(),
            ascent: Ascent::default(),
            penalty: Penalty::default(),
            finish: Finish::default(),
            zoom: None,
            video: None,
            guides: BTreeMap::new(),
            regions: BTreeMap::new(),
        }
    }
}

/// Recipes of one picture need not say so.
fn is_one(pictures: &u32) -> bool {
    *pictures == 1
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

/// What noise is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// Soft patches of colour of all sizes, with something to see in at every octave.
    #[default]
    Soft,
    /// Grey with the faintest clouds, as feature visualisations start: what is seen at the end is the
    /// network's alone.
    Spectrum,
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
    /// As parts that overlap by as much as layers see beyond each, so that the dream is the one that the whole
    /// picture has, but for rounding: no seams, at any size, in little memory and more time.
    Exact {
        /// The longest side of a part in pixels; 0 for the largest that memory allows, which the dream's recipe
        /// says then. Default: 0.
        #[serde(default)]
        size: u32,
    },
}

impl Tiles {
    /// Whether each step sees the picture as it is: at once, or in parts that make no difference.
    pub(crate) fn is_seamless(self) -> bool {
        matches!(self, Tiles::Whole | Tiles::Exact { .. })
    }

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
