//! Pictures, movies and videos for DeepDream.

mod fault;
#[cfg(feature = "ffmpeg")]
mod ffmpeg;
mod kind;
#[cfg(feature = "movies")]
pub mod movie;
mod picture;
#[cfg(feature = "ffmpeg")]
mod rate;
mod recipe;
#[cfg(feature = "ffmpeg")]
mod timing;
#[cfg(feature = "video")]
pub mod video;
mod xmp;

pub use fault::Fault;
pub use kind::FileKind;
pub use picture::{BitDepth, EncodeOptions, Image, ImageError, ImageFormat, Limits};
pub use recipe::{RecipeError, recipe_of};
#[cfg(feature = "ffmpeg")]
pub use {
    ffmpeg::{FfmpegError, check as check_ffmpeg},
    rate::FrameRate,
    timing::{Timestamps, Timing},
};
