//! What a recipe says about a video: how much of one frame's dream goes over into the next.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::{Recipe, choice};

/// How many times as much as `persistence` says is lost: what moves between pixels loses some
/// sharpness, and steps on another frame do not lead quite where the last one's did. Measured, so that
/// dreams are as strong as on single pictures.
const WEAR: f64 = 1.15;

documented! {
    /// How the dreams on a video's frames depend on each other.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Video {
        /// How a frame's dream follows from the last one's. Default: `flow`.
        #[serde(deserialize_with = "choice::read")]
        pub coherence: Coherence,
    }
}

/// How a frame's dream follows from the last one's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Coherence {
    /// What the last dream added to its frame moves along with what it was added to (optical flow).
    Flow {
        /// How much of a frame's dream lives on in the next one, 0–0.99; the rest is dreamt anew.
        /// Default: 0.8.
        #[serde(default = "Coherence::usual_persistence")]
        persistence: f64,
    },
    /// The last dream shows through, wherever things have moved since.
    Blend {
        /// The last dream's share of what a frame's dream starts from, 0–0.99; the rest is the frame.
        /// Default: 0.5.
        #[serde(default = "Coherence::usual_share")]
        share: f64,
    },
    /// Not at all: each frame is dreamt on as a picture by itself.
    Independent,
}

impl Default for Coherence {
    fn default() -> Self {
        Self::flow()
    }
}

impl Coherence {
    /// `Flow` with the usual persistence.
    pub fn flow() -> Self {
        Self::Flow { persistence: Self::usual_persistence() }
    }

    /// `Blend` with the usual share.
    pub fn blend() -> Self {
        Self::Blend { share: Self::usual_share() }
    }

    pub(crate) fn usual_persistence() -> f64 {
        0.8
    }

    pub(crate) fn usual_share() -> f64 {
        0.5
    }

    /// Whether a frame's dream depends on the one before; if not, frames can be dreamt in any order,
    /// at the same time and on different machines.
    pub fn depends_on_last(self) -> bool {
        self != Coherence::Independent
    }
}

impl Video {
    /// The steps on each octave, and the length of each, of a frame that starts with what the last
    /// dream left it: as much as was lost, so that dreams become neither stronger nor weaker. They are
    /// as few as can be without any being longer than the recipe's.
    pub fn share(&self, recipe: &Recipe) -> (u32, f32) {
        let lost = match self.coherence {
            Coherence::Flow { persistence } => (1.0 - persistence) * WEAR,
            Coherence::Blend { share } => 1.0 - share,
            Coherence::Independent => 1.0,
        };
        recipe.ascent.share(lost.min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ascent;

    #[test]
    fn what_is_carried_is_not_dreamt_again() {
        let ascent = Ascent { iterations: 10, step: 2.0, ..Ascent::default() };
        let recipe = Recipe { ascent, ..Recipe::default() };
        let share = |coherence| Video { coherence }.share(&recipe);
        let flow = |persistence| share(Coherence::Flow { persistence });
        assert_eq!(flow(0.5), (6, (2.0 * 0.5 * 10.0 * WEAR / 6.0) as f32));
        assert_eq!(flow(0.1), (10, 2.0));
        assert_eq!(share(Coherence::Blend { share: 0.5 }), (5, 2.0));
        assert_eq!(share(Coherence::Blend { share: 0.75 }), (3, 5.0 / 3.0));
        assert_eq!(share(Coherence::Independent), (10, 2.0));
    }
}
