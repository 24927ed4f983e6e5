//! What a recipe holds against a dream: how its values are kept smooth, near the picture, and free of
//! grain.

use serde::{Deserialize, Serialize};

use super::choice;
use super::documented::documented;

documented! {
    /// What is held against a dream at every step, as forces in pixel values: 1 is as strong as the dream's
    /// own gradient is on average, whatever the network.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Penalty {
        /// How much the differences between neighbours are held against it (total variation): less grain
        /// and clearer figures. 0.1 to 0.5 are usual. Default: 0.
        pub tv: f32,
        /// How much it is pulled back to the picture. 0.5 to 2 are usual. Default: 0.
        pub pull: f32,
        /// How much of what a blur would take away is held against it. 0.03 to 0.1 are usual. Default: 0.
        pub blur: f32,
        /// What is judged: what the dream has added, or the picture as a whole. Noise is judged as a
        /// whole in any case. Default: `dream`.
        #[serde(deserialize_with = "choice::read")]
        pub of: PenaltyOf,
        /// The power of the differences: 1 leaves edges, 2 melts them. Default: 1.
        pub tv_exponent: f32,
        /// The power of the distance that pulls: the higher, the more freely the dream moves near the
        /// picture and the harder it is held farther away. Default: 2.
        pub pull_exponent: f32,
        /// Width of the blur, as a standard deviation in pixels. Default: 1.
        pub blur_width: f32,
    }
}

impl Default for Penalty {
    fn default() -> Self {
        Self {
            tv: 0.0,
            pull: 0.0,
            blur: 0.0,
            of: PenaltyOf::Dream,
            tv_exponent: 1.0,
            pull_exponent: 2.0,
            blur_width: 1.0,
        }
    }
}

impl Penalty {
    /// Whether there is any.
    pub(crate) fn is_any(&self) -> bool {
        self.tv != 0.0 || self.pull != 0.0 || self.blur != 0.0
    }
}

/// What penalties judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyOf {
    /// What the dream has added to the picture, whose own texture stays.
    #[default]
    Dream,
    /// The picture with the dream in it; `pull` pulls to grey then.
    Picture,
}
