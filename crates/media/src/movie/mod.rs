//! Movies: frames in, a file out. MP4 (H.264), GIF and animated PNG are written with nothing
//! installed, the rest through ffmpeg.

mod apng;
mod error;
mod external;
mod format;
mod gif;
mod h264;
mod ivf;
mod mp4;
mod recipe;
mod sequence;
mod sound;
mod spec;
#[cfg(test)]
mod tests;
mod writer;
mod yuv;

pub use error::MovieError;
pub use format::{Codec, Container, MovieFormat};
pub(crate) use recipe::recipe_of;
pub use sequence::{Sequence, Shot};
pub use sound::Sound;
use spec::FrameSink;
pub use spec::{MovieSpec, Quality};
pub use writer::MovieWriter;
