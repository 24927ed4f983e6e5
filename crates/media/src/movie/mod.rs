//! Movies: frames in, a file out. MP4 (H.264, with the feature `h264`), GIF and animated PNG are
//! written with nothing installed, the rest through ffmpeg.

mod apng;
mod error;
mod external;
mod format;
mod gif;
#[cfg(feature = "h264")]
mod h264;
mod ivf;
#[cfg(feature = "h264")]
mod mp4;
mod recipe;
mod sequence;
mod sound;
mod spec;
#[cfg(test)]
mod tests;
mod verify;
mod writer;
#[cfg(feature = "h264")]
mod yuv;

pub use error::MovieError;
pub use format::{Codec, Container, MovieFormat};
pub(crate) use recipe::recipe_of;
pub use sequence::{Sequence, Shot};
pub use sound::Sound;
use spec::FrameSink;
pub use spec::{MovieSpec, Quality};
pub use writer::MovieWriter;
