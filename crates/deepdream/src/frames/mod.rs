//! Folders of frames: `img_0.jpg`, `img_1.jpg`, … in the order of their numbers, and what a run that
//! goes on needs to know of the one before.

mod folder;
mod level;
mod state;
mod store;

pub use folder::Frames;
pub(crate) use folder::frame_path;
pub(crate) use level::check_level;
pub(crate) use state::{State, other_recipe};
pub(crate) use store::Store;
