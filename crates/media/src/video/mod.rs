//! Reading videos with the installed ffmpeg: what a file is, when each of its frames is shown, and the
//! frames themselves.

mod decode;
mod error;
mod index;
mod source;

pub use decode::FrameDecoder;
pub use error::VideoError;
pub use index::{FrameIndex, Segment};
pub use source::VideoSource;
