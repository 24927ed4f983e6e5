//! Pictures: from files to float planes, and from planes to files.

#[cfg(feature = "pictures")]
mod color;
#[cfg(feature = "pictures")]
mod decode;
#[cfg(feature = "pictures")]
mod directory;
#[cfg(feature = "pictures")]
mod encode;
mod error;
#[cfg(feature = "pictures")]
mod facts;
mod format;
mod image;
mod interleave;
#[cfg(feature = "pictures")]
mod jpeg;
#[cfg(feature = "pictures")]
mod recipe;
#[cfg(feature = "pictures")]
mod samples;
#[cfg(feature = "pictures")]
mod source;
#[cfg(feature = "pictures")]
mod strips;
#[cfg(all(test, feature = "pictures"))]
mod tests;

pub use self::image::{BitDepth, Image};
#[cfg(feature = "pictures")]
pub use decode::Limits;
#[cfg(feature = "pictures")]
pub use encode::EncodeOptions;
pub use error::ImageError;
pub use format::ImageFormat;
#[cfg(feature = "pictures")]
pub(crate) use recipe::recipe_of;
