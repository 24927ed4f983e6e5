//! Folders of frames: `img_0.jpg`, `img_1.jpg`, … in the order of their numbers, each made from the
//! one before.

mod folder;
mod motion_args;
mod run;
mod state;
mod watch;

pub(crate) use folder::Frames;
pub(crate) use motion_args::MotionArgs;
pub(crate) use run::Job;
pub(crate) use state::{State, Store};
