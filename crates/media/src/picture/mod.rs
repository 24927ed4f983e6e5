//! Pictures: from files to float planes, and from planes to files.

mod color;
mod decode;
mod encode;
mod error;
mod format;
mod image;
mod interleave;
mod jpeg;
mod recipe;
mod source;

pub use self::image::{BitDepth, Image};
pub use decode::Limits;
pub use encode::EncodeOptions;
pub use error::ImageError;
pub use format::ImageFormat;
pub(crate) use recipe::recipe_of;
