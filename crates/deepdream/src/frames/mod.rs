//! Folders of frames: `img_0.jpg`, `img_1.jpg`, … in the order of their numbers, and what a run that
//! goes on needs to know of the one before.

mod folder;
mod state;

pub use folder::Frames;
#[cfg(feature = "video")]
pub(crate) use folder::frame_path;
pub(crate) use state::{State, Store, other_recipe};
