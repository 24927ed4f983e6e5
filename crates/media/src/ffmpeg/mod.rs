//! The installed ffmpeg: calling it, and what ffprobe says about files.

mod probe;
mod process;

pub(crate) use probe::{ProbeOutput, ProbeStream};
pub use process::{FfmpegError, check};
pub(crate) use process::{INSTALL, Program, Running, input};
