//! Movies of frames: which are seen when, and how they are compressed.

mod encoding;
mod follow;
mod playback;
mod timeline;

pub use encoding::Encoding;
pub(crate) use encoding::check_sound;
pub(crate) use follow::curve_of;
pub use playback::Playback;
pub(crate) use timeline::{Target, Timeline};
