//! What a recipe says about the finish: what is done to a dream once, at its end.

use serde::{Deserialize, Serialize};

use super::choice;
use super::documented::documented;

documented! {
    /// What is done to the dream once, at its end. On a video, it is done to each frame that is written,
    /// and not to what the next one goes on from.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Finish {
        /// How much of the dream is mixed with the picture, 0–1.5: 0 is the picture, 0.5 half of both, 1 the
        /// dream, and above 1 there is more of it than was dreamt. Default: 1.
        pub mix: f32,
        /// How far brightness, contrast and colours are led back to the picture's, 0–1. Default: 0.
        pub levels: f64,
        /// How colourful the result is, 0–4: 0 is grey, 1 as it was dreamt. Default: 1.
        pub saturation: f32,
        /// How far the result's values are from their mean, 0–4: 1 is as they were dreamt. Default: 1.
        pub contrast: f32,
        /// What becomes of colours that more saturation or contrast drives apart: on a `soft` curve they come
        /// ever slower to black, white and the purest colour there is, on a `straight` one they are cut off
        /// there. Default: `soft`.
        #[serde(deserialize_with = "choice::read")]
        pub curve: FinishCurve,
    }
}

/// How saturation and contrast above 1 end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinishCurve {
    /// Ever slower, so that nothing is cut off.
    #[default]
    Soft,
    /// Cut off at 0 and 255.
    Straight,
}

impl Finish {
    /// Whether it changes anything.
    pub fn is_any(&self) -> bool {
        *self != Self { curve: self.curve, ..Self::default() }
    }
}

impl Default for Finish {
    fn default() -> Self {
        let curve = FinishCurve::Soft;
        Self { mix: 1.0, levels: 0.0, saturation: 1.0, contrast: 1.0, curve }
    }
}
