//! What a recipe says about the ascent: how a gradient becomes a step, and what a step changes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Value;

use super::choice;
use super::documented::documented;

/// The fewest steps that Adam takes on an octave for a part of a climb, where the recipe has as many: its first
/// moves every number by as much, whatever it is for, and only the second weighs them. In movies two suffice,
/// as each frame goes on from the one before, whose steps were others: what they have in common grows.
const LEAST_OF_ADAM: u32 = 2;

documented! {
    /// Gradient ascent: how steps are taken on each octave.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Ascent {
        /// Steps on each octave. Default: 10.
        pub iterations: u32,
        /// How far each step goes: on pixels in values of 0–255 for a gradient whose mean magnitude,
        /// standard deviation or RMS, as `normalisation` says, is 1; on a spectrum, of whose numbers
        /// Adam moves each by about as much, 0.05 is usual. Default: 1.5.
        pub step: f32,
        /// How much dream there is: how many times the whole climb is taken, in as few steps as can be without
        /// any being longer. 0 is the picture, 0.5 half a dream, 2 two dreams one upon the other. Default: 1.
        pub strength: f32,
        /// How the picture is turned and scaled about its middle, by other amounts at every step, before the
        /// network sees it.
        pub wobble: Wobble,
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
        /// How the gradient becomes a step. Default: `plain`.
        #[serde(deserialize_with = "choice::read")]
        pub optimiser: Optimiser,
        /// What the steps change: the picture's pixels or its spectrum. Default: `pixels`.
        #[serde(deserialize_with = "choice::read")]
        pub parametrisation: Parametrisation,
        /// How every step keeps the picture within 0–255, if at all. Default: `clip`.
        #[serde(alias = "clamp", deserialize_with = "Bound::read")]
        pub bound: Bound,
        /// How colourful the dream is: 0 adds only brightness, so that the picture keeps its colours;
        /// above 1, colours grow wilder. Default: 1.
        pub chroma: f32,
        /// Whether steps are shorter on layers that see little of the picture at once, whose patterns grow
        /// in fewer steps: √(n/64) times as long where one sees n pixels, fewer than 64. Default: false.
        pub by_depth: bool,
        /// How long steps are on octaves above the anchor, where figures gain detail, as a share of `step`.
        /// Default: 1.
        pub refine: f32,
    }
}

impl Default for Ascent {
    fn default() -> Self {
        Self {
            iterations: 10,
            step: 1.5,
            strength: 1.0,
            wobble: Wobble::default(),
            jitter: 32,
            normalisation: Normalisation::MeanAbs,
            smoothing: 0.0,
            smoothing_growth: 0.0,
            optimiser: Optimiser::Plain,
            parametrisation: Parametrisation::Pixels,
            bound: Bound::Clip,
            chroma: 1.0,
            by_depth: false,
            refine: 1.0,
        }
    }
}

impl Ascent {
    /// The same, its strength in its steps.
    pub(crate) fn whole(&self) -> Self {
        let (iterations, step) = match self.strength {
            1.0 => (self.iterations, self.step),
            _ => self.share(1.0),
        };
        Self { iterations, step, strength: 1.0, ..self.clone() }
    }

    /// The steps that make `part`, 0–1, of the whole climb of this strength, and the length of each: as few as can be
    /// without any being longer than this ascent's, and without Adam, which needs some to find its way,
    /// having fewer than [`LEAST_OF_ADAM`].
    pub(crate) fn share(&self, part: f64) -> (u32, f32) {
        let share = f64::from(self.iterations) * part * f64::from(self.strength);
        // Not one step more because of a fraction that rounding left over.
        let least = match self.optimiser {
            Optimiser::Adam { .. } if share > 0.0 => LEAST_OF_ADAM.min(self.iterations),
            _ => 1,
        };
        let steps = (share - 1e-9).ceil().max(f64::from(least));
        (steps as u32, (f64::from(self.step) * share / steps) as f32)
    }
}

documented! {
    /// How the picture is turned and scaled about its middle, by other amounts at every step.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Wobble {
        /// The least and the largest scale, 0.5–2 each; [0.9, 1.1] is usual. Default: [1, 1].
        pub scale: [f64; 2],
        /// How many degrees it is turned at the most, to both sides, 0–180; 10 is usual. Default: 0.
        pub angle: f64,
    }
}

impl Default for Wobble {
    fn default() -> Self {
        Self { scale: [1.0, 1.0], angle: 0.0 }
    }
}

impl Wobble {
    /// Whether there is any.
    pub(crate) fn is_any(&self) -> bool {
        *self != Self::default()
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

/// How a direction becomes a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimiser {
    /// As it is: steepest ascent, as all the well-known programs have it.
    #[default]
    Plain,
    /// Each number by its own mean direction, divided by how strong that has been (Kingma and Ba,
    /// "Adam", 2014). It begins anew at every octave. Made for the spectrum; on pixels it adds grain.
    Adam {
        /// How slowly the mean of the directions and that of their squares are forgotten, 0–0.9999
        /// each. Default: [0.9, 0.999].
        #[serde(default = "Optimiser::usual_betas")]
        betas: [f64; 2],
    },
}

impl Optimiser {
    /// Adam as it is usual.
    pub fn adam() -> Self {
        Optimiser::Adam { betas: Self::usual_betas() }
    }

    pub(crate) fn usual_betas() -> [f64; 2] {
        [0.9, 0.999]
    }
}

/// What the steps change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Parametrisation {
    /// The values of the pixels.
    #[default]
    Pixels,
    /// A spectrum in decorrelated colours that is added to the picture at each octave, coarse waves
    /// weighing more than fine ones: whole figures grow, and hardly any grain (Olah et al., "Feature
    /// Visualization", 2017; Mordvintsev et al., "Differentiable Image Parameterizations", 2018).
    Spectrum,
}

/// How a picture is kept within 0–255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// What is beyond 0 or 255 becomes that.
    #[default]
    Clip,
    /// The nearer a value is to 0 or 255, the less it is moved, so that none gets there: soft lights
    /// and shadows. For the spectrum alone.
    Sigmoid,
    /// Not at all until the end: TensorFlow's and Hvass' notebooks.
    None,
}

impl Bound {
    /// What recipes of version 0.2 and before say as `clamp = true` or `false`.
    pub(crate) fn clamping(clamp: bool) -> Self {
        if clamp { Bound::Clip } else { Bound::None }
    }

    /// Reads a word, or what [`Bound::clamping`] takes.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Boolean(clamp) => Ok(Bound::clamping(clamp)),
            word => Bound::deserialize(word).map_err(|error| D::Error::custom(error.message())),
        }
    }

    /// As [`Bound::read`], of what may be missing.
    pub(super) fn read_option<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Self>, D::Error> {
        Bound::read(deserializer).map(Some)
    }
}
