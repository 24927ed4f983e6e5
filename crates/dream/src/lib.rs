//! The dream itself: recipe, plan and loop. A recipe, a network and a picture go in, a picture comes
//! out; files, flags, clocks and screens are somebody else's concern.
//!
//! A [`Recipe`] holds every setting. A [`Plan`] is a recipe resolved against a network, a picture's
//! size and a [`Machine`]: whatever can be refused is refused there. [`dream()`] follows the plan and
//! tells an [`Observer`] after every step. [`ZoomDreamer`] and [`VideoDreamer`] dream frame by frame.

mod ascent;
mod color;
mod dreamer;
mod error;
pub mod flow;
mod image;
mod objective;
mod observer;
mod octaves;
mod parallel;
mod plan;
mod random;
mod recipe;
#[cfg(test)]
mod testing;
mod video;
mod zoom;

pub use color::ColorStats;
pub use dreamer::dream;
pub use error::{DreamError, PlanError};
pub use graph::{Size, Tensor};
pub use image::{Filter, resize, sample};
pub use observer::{Observer, Progress};
pub use plan::{Machine, Plan};
pub use random::noise;
pub use recipe::{
    Ascent, Coherence, Detail, Keyframe, ModelId, Motion, MotionPreset, NoiseStart, Normalisation,
    Octaves, PartialAscent, PartialMotion, PartialOctaves, PartialRecipe, PartialZoom, Preset,
    Recipe, RecipeError, SCHEMA, Setting, Term, Tiles, Video, Zoom,
};
pub use video::{FlickerMeter, FrameMeasurement, TemporalState, VideoDreamer, WarpingError};
pub use zoom::ZoomDreamer;
