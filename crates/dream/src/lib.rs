//! The dream itself: recipe, plan and loop. A recipe, a network and a picture go in, a picture comes
//! out; files, flags, clocks and screens are the concern of others.
//!
//! A [`Recipe`] holds every setting. A [`Plan`] is a recipe resolved against a network, a picture's
//! size and a [`Machine`]: whatever can be refused is refused there. [`dream()`] follows the plan and
//! tells an [`Observer`] after every step. [`ZoomDreamer`] and [`VideoDreamer`] dream frame by frame.
//!
//! Whatever runs the network, a [`graph::Backend`], is the caller's choice:
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use dream::{Machine, Plan, Progress, Recipe, Size};
//! use kernels::{Context, CpuLevel, Threads};
//!
//! let network = models::squeezenet()?;
//! let context = Context::new(Threads::new(0)?, CpuLevel::detect()?);
//! let backend = Arc::new(cpu::Cpu::new(context.clone()));
//! let machine = Machine { backend, context, memory: 1 << 30, scratch: Default::default() };
//!
//! let mut recipe = Recipe::for_network(&network);
//! recipe.octaves.count = 1;
//! recipe.set("ascent.iterations", "2")?;
//! let start = dream::noise(Size::new(64, 64), recipe.seed);
//! let plan = Plan::new(&recipe, &network, start.shape.size(), &machine)?;
//! let mut steps = 0;
//! let dreamt = dream::dream(&plan, start, &mut |_: &Progress<'_>| {
//!     steps += 1;
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!((dreamt.shape.size(), steps), (Size::new(64, 64), 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The feature `threads`, on by default, shares the work outside the network among threads; results do
//! not depend on it.

mod ascent;
mod assets;
mod checkpoint;
mod color;
mod dreamer;
mod error;
mod evaluate;
mod finish;
pub mod flow;
mod image;
mod objective;
mod observer;
mod octaves;
mod parallel;
mod plan;
mod random;
mod recipe;
mod regions;
mod standstill;
#[cfg(test)]
mod testing;
mod video;
mod zoom;

pub use assets::Assets;
pub use checkpoint::Checkpoint;
pub use color::ColorStats;
pub use dreamer::{dream, dream_from, dream_together};
pub use error::{DreamError, PlanError};
pub use evaluate::{Evaluated, evaluate};
pub use graph::{Size, Tensor};
pub use image::{Filter, resize, sample};
pub use objective::{TermError, answered_picture, channel_answers, class_count, class_number};
pub use observer::{Observer, Progress};
pub use plan::{Machine, Plan, Tiling};
pub use random::noise;
pub use recipe::{
    Ascent, Balance, Bound, CURVE_RATE, Change, Channels, ClassId, Coherence, Detail, Finish,
    FinishCurve, Follow, Guide, Keyframe, Kind, Measure, ModelId, Motion, MotionPreset, NoiseKind,
    NoiseStart, Normalisation, Octaves, Optimiser, Parametrisation, PartialAscent, PartialMotion,
    PartialOctaves, PartialPenalty, PartialRecipe, PartialWobble, PartialZoom, Penalty, PenaltyOf,
    Pick, Preset, Recipe, RecipeError, Region, Rhythm, SCHEMA, Setting, Term, Tiles, Vector, Video,
    Wobble, WorthTrying, Zoom, guide_layer, has_known_layers, measured_objective, worth_trying,
};
pub use video::{FlickerMeter, FrameMeasurement, TemporalState, VideoDreamer, WarpingError};
pub use zoom::ZoomDreamer;
