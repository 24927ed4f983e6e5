//! Presets: the rules and units of well-known DeepDream programs, each an edit of a recipe's fields.

use std::fmt;
use std::str::FromStr;

use graph::Network;
use serde::{Deserialize, Serialize};

use crate::{Detail, Filter, ModelId, Normalisation, Recipe, Tiles, defaults};

/// Whose rules a dream follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// This program's own: the settings chosen for the network.
    #[default]
    Default,
    /// Google's notebook of 2015: the whole picture, jitter of 32, mean magnitude.
    Google,
    /// TensorFlow's notebook: Google's rules on rolled tiles of 512, without clipping.
    Tensorflow,
    /// TensorFlow's notebook with its Laplacian pyramid: soft, in large and small alike.
    TensorflowLaplacian,
    /// Hvass Laboratories' tutorial 14: five octaves, scattered tiles, blurred gradients.
    Hvass,
}

impl Preset {
    /// Every preset, in the order in which they are offered.
    pub const ALL: [Preset; 5] = [
        Preset::Default,
        Preset::Google,
        Preset::Tensorflow,
        Preset::TensorflowLaplacian,
        Preset::Hvass,
    ];

    /// Its name in recipes and flags.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Default => "default",
            Preset::Google => "google",
            Preset::Tensorflow => "tensorflow",
            Preset::TensorflowLaplacian => "tensorflow-laplacian",
            Preset::Hvass => "hvass",
        }
    }

    /// Sets the fields the preset has rules for; all else stays.
    pub(crate) fn edit(self, recipe: &mut Recipe) {
        recipe.preset = self;
        match self {
            Preset::Default => {}
            Preset::Google => google(recipe),
            Preset::Tensorflow => tensorflow(recipe),
            Preset::TensorflowLaplacian => {
                tensorflow(recipe);
                recipe.octaves = 3;
                recipe.step = 1.0;
                recipe.normalisation = Normalisation::Laplacian;
                recipe.laplacian_levels = 4;
            }
            Preset::Hvass => hvass(recipe),
        }
    }
}

fn google(recipe: &mut Recipe) {
    let rules = Recipe::default();
    recipe.octaves = 4;
    recipe.octave_scale = 1.4;
    recipe.iterations = 10;
    recipe.step = 1.5;
    recipe.jitter = 32;
    recipe.normalisation = Normalisation::MeanAbs;
    recipe.smoothing = 0.0;
    recipe.smoothing_growth = 0.0;
    recipe.tiles = Tiles::Whole;
    recipe.tile_size = rules.tile_size;
    recipe.detail = Detail::Carry;
    recipe.blend = rules.blend;
    recipe.blur = 0.0;
    recipe.filter = Filter::Bilinear;
    recipe.clip = true;
    recipe.subtract_mean = true;
}

fn tensorflow(recipe: &mut Recipe) {
    google(recipe);
    recipe.jitter = 0;
    recipe.tiles = Tiles::Rolled;
    recipe.tile_size = 512;
    recipe.clip = false;
}

fn hvass(recipe: &mut Recipe) {
    google(recipe);
    recipe.octaves = 5;
    recipe.octave_scale = 1.0 / 0.7;
    recipe.step = 3.0;
    recipe.jitter = 0;
    recipe.normalisation = Normalisation::Std;
    recipe.smoothing = 0.5;
    recipe.smoothing_growth = 4.0;
    recipe.tiles = Tiles::Scattered;
    recipe.tile_size = 400;
    recipe.detail = Detail::Blend;
    recipe.blend = 0.2;
    recipe.blur = 0.5;
    recipe.filter = Filter::Lanczos;
    recipe.clip = false;
    recipe.subtract_mean = false;
}

impl Recipe {
    /// The settings chosen for `network`: what a dream uses where nothing else is asked for.
    pub fn for_network(network: &Network) -> Recipe {
        Recipe::with_preset(network, Preset::Default)
    }

    /// A preset's settings, on the layers chosen for `network`.
    pub fn with_preset(network: &Network, preset: Preset) -> Recipe {
        let mut recipe = defaults::recipe(&network.graph);
        recipe.model = ModelId::of(network);
        preset.edit(&mut recipe);
        recipe
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
            format!("there is no preset `{name}`: use {}", names.join(", "))
        })
    }
}
