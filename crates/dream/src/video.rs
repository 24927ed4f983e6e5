//! What a recipe says about a video: how much of one frame's dream goes over into the next.

use serde::{Deserialize, Serialize};

use crate::Recipe;

/// How many times as much as `carry` says is lost: what moves between pixels loses some sharpness, and
/// steps on another frame do not lead quite where the last one's did. Measured, so that dreams are as
/// strong as on single pictures.
const WEAR: f64 = 1.15;

/// How the dreams on a video's frames hang together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Video {
    /// How a frame's dream follows from the last one's. Default: `flow`.
    pub coherence: Coherence,
    /// With `coherence = "flow"`: how much of the last frame's dream lives on in the next, 0–0.99; the
    /// rest is dreamt anew. Default: 0.8.
    pub carry: f64,
    /// With `coherence = "blend"`: the last dream's share of what a frame's dream starts from, 0–0.99;
    /// the rest is the frame. Default: 0.5.
    pub blend: f64,
}

impl Default for Video {
    fn default() -> Self {
        Self { coherence: Coherence::Flow, carry: 0.8, blend: 0.5 }
    }
}

/// How a frame's dream follows from the last one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coherence {
    /// What the last dream added to its frame moves along with what it was added to (optical flow).
    #[default]
    Flow,
    /// The last dream shows through, wherever things have moved since.
    Blend,
    /// Not at all: each frame is dreamt on as a picture by itself.
    Independent,
}

impl Coherence {
    /// Whether a frame's dream depends on the one before; if not, frames can be dreamt in any order,
    /// at the same time and on different machines.
    pub fn depends_on_last(self) -> bool {
        self != Coherence::Independent
    }
}

impl Video {
    /// What part of the last dream's strength a frame starts with.
    pub(crate) fn carried(&self) -> f64 {
        match self.coherence {
            Coherence::Flow => self.carry,
            Coherence::Blend => self.blend,
            Coherence::Independent => 0.0,
        }
    }

    /// The steps on each octave, and the length of each, of a frame that starts with what the last
    /// dream left it: as much as was lost, so that dreams become neither stronger nor weaker. They are
    /// as few as can be without any being longer than the recipe's.
    pub(crate) fn share(&self, recipe: &Recipe) -> (u32, f32) {
        let lost =
            (1.0 - self.carried()) * if self.coherence == Coherence::Flow { WEAR } else { 1.0 };
        let share = f64::from(recipe.iterations) * lost.min(1.0);
        // Not one step more because of a fraction that rounding left over.
        let steps = (share - 1e-9).ceil().max(1.0);
        (steps as u32, (f64::from(recipe.step) * share / steps) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_is_not_dreamt_again() {
        let recipe = Recipe { iterations: 10, step: 2.0, ..Recipe::default() };
        let share = |coherence, part| Video { coherence, carry: part, blend: part }.share(&recipe);
        assert_eq!(share(Coherence::Flow, 0.5), (6, (2.0 * 0.5 * 10.0 * WEAR / 6.0) as f32));
        assert_eq!(share(Coherence::Flow, 0.1), (10, 2.0));
        assert_eq!(share(Coherence::Blend, 0.5), (5, 2.0));
        assert_eq!(share(Coherence::Blend, 0.75), (3, 5.0 / 3.0));
        assert_eq!(share(Coherence::Independent, 0.9), (10, 2.0));
    }
}
