//! The dream itself: recipe, plan and loop. A recipe, a network and a picture go in, a picture comes
//! out; files, flags and screens are somebody else's concern.
//!
//! A [`Recipe`] holds every knob. A [`Plan`] is a recipe resolved against a network, a picture's size
//! and a machine: whatever can be refused is refused there. [`dream`] follows the plan and tells an
//! [`Observer`] after every step.

mod color_stats;
mod dreamer;
mod evaluator;
mod fade;
mod flicker;
pub mod flow;
mod gaussian;
mod jitter;
mod laplacian;
mod motion;
mod observer;
mod octave;
mod plan;
mod random;
mod recipe;
mod refusal;
mod resample;
mod rows;
mod sample;
mod temporal;
#[cfg(test)]
mod testing;
mod tiles;
mod transform;
mod video;
mod zoom;

pub use color_stats::ColorStats;
pub use dreamer::dream;
pub use flicker::{Change, Flicker, Reading};
pub use graph::{Size, Tensor};
pub use observer::{Observer, Progress};
pub use plan::{Machine, Plan};
pub use random::noise;
pub use recipe::{
    Ascent, Coherence, Detail, Keyframe, ModelId, Motion, MotionPreset, NoiseStart, Normalisation,
    Octaves, PartialAscent, PartialMotion, PartialOctaves, PartialRecipe, PartialZoom, Preset,
    Recipe, RecipeError, SCHEMA, Setting, Term, Tiles, Video, Zoom,
};
pub use refusal::{DreamError, PlanError};
pub use resample::{Filter, resize};
pub use sample::{sample, warp};
pub use temporal::TemporalState;
pub use video::VideoDreamer;
pub use zoom::ZoomDreamer;
