//! Movies of frames: which are seen when, and how they are compressed.

mod encoding;
mod playback;
mod timeline;

pub use encoding::Encoding;
pub use playback::Playback;
pub(crate) use timeline::{Target, Timeline};
