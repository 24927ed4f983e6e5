//! Jobs: plain requests that any face can fill in and run. Each has a `run` that takes [`Events`] and a
//! [`CancelToken`](crate::CancelToken), and gives back a [`Report`] or a typed error. Several may run at
//! once in one process.
//!
//! [`Events`]: crate::Events

mod batch;
mod channels;
mod foresee;
mod frames;
mod gallery;
#[cfg(feature = "video")]
mod movie;
mod series;
mod still;
mod together;
#[cfg(feature = "video")]
mod video;
#[cfg(feature = "video")]
mod zoom;

use std::path::PathBuf;

use dream::Recipe;

pub use batch::BatchJob;
#[cfg(feature = "studio")]
pub(crate) use channels::ranking;
pub use channels::{ChannelsJob, RankedChannel, Ranking};
pub use foresee::{Cost, Foreseen, Outcome};
pub use frames::{FramesJob, Length};
pub use gallery::GalleryJob;
#[cfg(feature = "video")]
pub use movie::MovieJob;
pub use series::SeriesCost;
pub use still::{Source, StillJob};
#[cfg(feature = "video")]
pub use video::VideoJob;
#[cfg(feature = "video")]
pub use zoom::ZoomJob;

/// What a job has made.
#[derive(Clone, Debug)]
pub struct Report {
    /// The files and folders that were made.
    pub wrote: Vec<PathBuf>,
    /// The recipe of what was dreamt, with nothing left to choose.
    pub recipe: Option<Recipe>,
}
