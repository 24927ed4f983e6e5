//! Presets: this program's own looks, and the rules and units of well-known DeepDream programs, each an
//! edit of a recipe's fields.

use std::fmt;
use std::str::FromStr;

use graph::Network;
use serde::{Deserialize, Serialize};

use super::{
    Ascent, Bound, Coherence, Detail, ModelId, NoiseKind, Normalisation, Octaves, Optimiser,
    Parametrisation, Recipe, Tiles, default_objective, defaults,
};
use crate::Filter;

/// Whose rules a dream follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The settings chosen for the network: those of `figures`.
    #[default]
    Default,
    /// Whole figures in clean colours, by Adam on a spectrum.
    Figures,
    /// What a layer, a channel or a class looks like by itself, from noise.
    Visualise,
    /// The default up to version 0.2: steepest ascent on pixels.
    Classic,
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
    pub const ALL: [Preset; 8] = [
        Preset::Default,
        Preset::Figures,
        Preset::Visualise,
        Preset::Classic,
        Preset::Google,
        Preset::Tensorflow,
        Preset::TensorflowLaplacian,
        Preset::Hvass,
    ];

    /// Its name in recipes and flags.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Default => "default",
            Preset::Figures => "figures",
            Preset::Visualise => "visualise",
            Preset::Classic => "classic",
            Preset::Google => "google",
            Preset::Tensorflow => "tensorflow",
            Preset::TensorflowLaplacian => "tensorflow-laplacian",
            Preset::Hvass => "hvass",
        }
    }

    /// What it does, as the rest of a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Preset::Default => {
                "what is used where nothing else is asked for: the settings of figures"
            }
            Preset::Figures => "whole figures in clean colours, by Adam on a spectrum",
            Preset::Visualise => {
                "what a layer, a channel or a class looks like by itself; made for noise"
            }
            Preset::Classic => "the default up to version 0.2: steepest ascent on pixels",
            Preset::Google => "Google's notebook of 2015: stronger and grainier than classic",
            Preset::Tensorflow => "TensorFlow's notebook: Google's rules, in tiles",
            Preset::TensorflowLaplacian => {
                "TensorFlow's notebook with its Laplacian pyramid: soft, in large and small alike"
            }
            Preset::Hvass => {
                "Hvass Laboratories' tutorial 14: long steps in tiles, with blurred gradients"
            }
        }
    }

    /// `recipe` with the preset's rules; what it has none for stays.
    pub(crate) fn applied_to(self, recipe: Recipe) -> Recipe {
        let recipe = Recipe { preset: self, ..recipe };
        match self {
            Preset::Default => recipe,
            Preset::Figures => figures(recipe),
            Preset::Visualise => visualise(recipe),
            Preset::Classic => classic(recipe),
            Preset::Google => google(recipe),
            Preset::Tensorflow => tensorflow(recipe),
            Preset::TensorflowLaplacian => laplacian(recipe),
            Preset::Hvass => hvass(recipe),
        }
    }
}

/// Adam moves every number of the spectrum by as much, coarse waves before fine ones, so that whole figures
/// grow and no grain between them; the sigmoid keeps lights and shadows soft. Less colour than the gradient
/// asks for leaves the picture its own.
fn figures(recipe: Recipe) -> Recipe {
    Recipe {
        tiles: Tiles::Whole,
        subtract_mean: true,
        octaves: Octaves { count: 5, ..Octaves::default() },
        ascent: Ascent {
            iterations: 15,
            step: 0.04,
            optimiser: Optimiser::adam(),
            parametrisation: Parametrisation::Spectrum,
            bound: Bound::Sigmoid,
            chroma: 0.6,
            by_depth: true,
            refine: 0.2,
            ..Ascent::default()
        },
        ..recipe
    }
}

/// One octave, so that nothing is cropped, and as many steps as a picture out of nothing takes.
fn visualise(recipe: Recipe) -> Recipe {
    let mut recipe = figures(recipe);
    recipe.octaves.count = 1;
    recipe.octaves.anchor = 224;
    recipe.ascent.iterations = 128;
    recipe.ascent.jitter = 8;
    recipe.ascent.step = 0.03;
    recipe.ascent.refine = 1.0;
    recipe.noise_kind = NoiseKind::Spectrum;
    recipe
}

/// More and shorter steps than Google's notebook takes, over one octave more, and a little blur of the
/// gradient: figures have the time to form, and little grain grows between them.
fn classic(recipe: Recipe) -> Recipe {
    Recipe {
        tiles: Tiles::Whole,
        subtract_mean: true,
        octaves: Octaves { count: 5, ..Octaves::default() },
        ascent: Ascent { iterations: 15, step: 1.1, smoothing: 0.4, ..Ascent::default() },
        ..recipe
    }
}

fn google(recipe: Recipe) -> Recipe {
    Recipe {
        tiles: Tiles::Whole,
        subtract_mean: true,
        octaves: Octaves {
            count: 4,
            anchor: Octaves::FULL,
            scale: 1.4,
            detail: Detail::Reinject,
            blur: 0.0,
            filter: Filter::Bilinear,
        },
        ascent: Ascent {
            iterations: 10,
            step: 1.5,
            jitter: 32,
            normalisation: Normalisation::MeanAbs,
            smoothing: 0.0,
            smoothing_growth: 0.0,
            ..Ascent::default()
        },
        ..recipe
    }
}

fn tensorflow(recipe: Recipe) -> Recipe {
    let mut recipe = google(recipe);
    recipe.tiles = Tiles::Rolled { size: 512 };
    recipe.ascent.jitter = 0;
    recipe.ascent.bound = Bound::None;
    recipe
}

fn laplacian(recipe: Recipe) -> Recipe {
    let mut recipe = tensorflow(recipe);
    recipe.octaves.count = 3;
    recipe.ascent.step = 1.0;
    recipe.ascent.normalisation = Normalisation::Laplacian { levels: 4 };
    recipe
}

fn hvass(recipe: Recipe) -> Recipe {
    Recipe {
        tiles: Tiles::Scattered { size: 400 },
        subtract_mean: false,
        octaves: Octaves {
            count: 5,
            anchor: Octaves::FULL,
            scale: 1.0 / 0.7,
            detail: Detail::Blend { share: 0.2 },
            blur: 0.5,
            filter: Filter::Lanczos,
        },
        ascent: Ascent {
            iterations: 10,
            step: 3.0,
            jitter: 0,
            normalisation: Normalisation::Std,
            smoothing: 0.5,
            smoothing_growth: 4.0,
            bound: Bound::None,
            ..Ascent::default()
        },
        ..recipe
    }
}

impl Recipe {
    /// The settings chosen for `network`: what a dream uses where nothing else is asked for.
    pub fn for_network(network: &Network) -> Recipe {
        Recipe::with_preset(network, Preset::Default)
    }

    /// A preset's settings, on the layers chosen for `network`.
    pub fn with_preset(network: &Network, preset: Preset) -> Recipe {
        let (graph, model) = (&network.graph, ModelId::of(network));
        let objective = match preset {
            Preset::Default | Preset::Figures | Preset::Visualise => defaults::figures(graph),
            _ => default_objective(graph),
        };
        Recipe { model, objective, ..Recipe::default() }.following(preset)
    }

    /// The same dream by the rules of a preset: what the preset sets is as it says; what it does not, such as
    /// the objective, the seed and the size, stays.
    pub fn following(self, preset: Preset) -> Recipe {
        match preset {
            Preset::Default => Recipe { preset, ..figures(self) },
            _ => preset.applied_to(self),
        }
    }

    /// Takes the steps that a dream on noise needs, where there is nothing yet, if the preset is one that
    /// was made for photos.
    pub fn start_from_noise(&mut self) {
        if matches!(self.preset, Preset::Default | Preset::Figures) {
            self.ascent.iterations *= 2;
        }
    }

    /// Takes what a zoom needs, whose frames go on from each other, if the preset is one that was made for
    /// pictures by themselves: two octaves, as smaller ones would begin anew what has grown already, a pace at
    /// which figures keep up with the motion, and a shoulder, as the spectrum hardly leads back what is cut off.
    pub fn start_zoom(&mut self) {
        if matches!(self.preset, Preset::Default | Preset::Figures) {
            self.octaves.count = 2;
            let zoom = self.zoom.get_or_insert_default();
            (zoom.pace, zoom.shoulder) = (3.0, 16.0);
        }
    }

    /// Takes what a video needs, if the preset is one that was made for pictures by themselves: three octaves,
    /// and more of each frame's dream for the next, which whole figures can stand and their few steps need.
    pub fn start_video(&mut self) {
        let video = self.video.get_or_insert_default();
        if matches!(self.preset, Preset::Default | Preset::Figures) {
            self.octaves.count = 3;
            video.coherence = Coherence::Flow { persistence: 0.9 };
        }
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
            format!("no preset `{name}`: use {}", names.join(", "))
        })
    }
}
