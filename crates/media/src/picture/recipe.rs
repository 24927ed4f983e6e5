//! The recipe that a picture carries in its XMP.

use std::path::Path;

use tiff::tags::Tag;

use super::source::Source;
use super::{ImageError, ImageFormat, Limits};
use crate::xmp;

/// TIFF's tag for XMP.
pub(super) const XMP_TAG: Tag = Tag::Unknown(700);

/// The text of the recipe in a picture's metadata, if there is one.
///
/// # Errors
/// A file that is no picture, or one that is cut off.
pub(crate) fn recipe_of(path: &Path, limits: &Limits) -> Result<Option<String>, ImageError> {
    let mut source = Source::open(path)?;
    let packet = match source.format() {
        ImageFormat::Tiff => source.tiff_tag(XMP_TAG),
        _ => source.open_within(limits)?.xmp(),
    };
    Ok(packet.as_deref().and_then(xmp::unpack))
}
