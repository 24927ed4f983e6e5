//! Pictures in files: read into the tensor a dream works on, and written from it.
//!
//! Inside the program a picture is sRGB in `f32`, 0–255, upright, its transparency a plane of its own.
//! Whatever a file has instead (16 bits, grey, another colour space, a turned camera) ends here.

mod colour;
mod decode;
mod encode;
mod format;
pub(crate) mod metadata;

pub(crate) use decode::read;
pub(crate) use encode::Encoding;
pub(crate) use format::Format;
pub(crate) use metadata::recipe_of;

use graph::Tensor;

/// A picture as it came from a file.
pub(crate) struct Picture {
    /// 3 × height × width, sRGB, 0–255.
    pub(crate) colour: Tensor,
    /// 1 × height × width, 0 (clear) to 255 (opaque), if the file has transparency.
    pub(crate) alpha: Option<Tensor>,
    /// Whether the file has more than 8 bits for each value.
    pub(crate) deep: bool,
    /// What was left aside in reading it, for the user to know.
    pub(crate) notes: Vec<String>,
}

impl Picture {
    /// An opaque picture of 8 bits that no file stood for.
    pub(crate) fn of(colour: Tensor) -> Self {
        Self { colour, alpha: None, deep: false, notes: Vec::new() }
    }
}
