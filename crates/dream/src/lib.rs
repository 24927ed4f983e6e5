//! The dream itself: recipe, plan and loop. A recipe, a network and a picture go in, a picture comes
//! out; files, flags and screens are somebody else's concern.

pub mod flow;
mod levels;
mod motion;
mod sample;

pub use levels::Levels;
pub use motion::{Motion, MotionError, MotionPreset};
pub use sample::{sample, warp};
