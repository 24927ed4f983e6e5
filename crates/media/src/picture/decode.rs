//! Pictures in: limits first, then decoding, orientation, colour space.

use std::path::Path;

use graph::Size;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};
use tiff::tags::Tag;

use super::image::{BitDepth, Image, planes};
use super::source::{Source, failed};
use super::{ImageError, ImageFormat, color};

/// What a picture that is read may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory, the decoded picture included. Default: 4 GiB.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 32 }
    }
}

impl Limits {
    /// No more than this many bytes of memory.
    pub fn memory(memory: u64) -> Self {
        Self { memory }
    }
}

impl Image {
    /// Reads a PNG, JPEG, WebP, TIFF or BMP file, whatever its name, within the default [`Limits`].
    ///
    /// # Errors
    /// No such file, not a picture, damaged or cut off, or too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ImageError> {
        Self::read(path, &Limits::default())
    }

    /// Reads a picture file within `limits`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, ImageError> {
        decode(Source::open(path.as_ref())?, limits)
    }

    /// Reads a picture from the bytes of its file, within the default [`Limits`].
    ///
    /// # Errors
    /// Not a picture, damaged or cut off, or too large.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageError> {
        Self::decode_within(bytes, &Limits::default())
    }

    /// Reads a picture from the bytes of its file, within `limits`.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_within(bytes: &[u8], limits: &Limits) -> Result<Self, ImageError> {
        decode(Source::of_bytes(bytes)?, limits)
    }
}

fn decode(mut source: Source<'_>, limits: &Limits) -> Result<Image, ImageError> {
    let (name, format) = (source.name().to_owned(), source.format());
    let mut profile = source.tiff_tag(Tag::IccProfile);
    let mut decoder = source.into_decoder(limits.memory)?;
    let (width, height) = decoder.dimensions();
    let size = Size::new(height as usize, width as usize);
    let has_alpha = decoder.color_type().has_alpha();
    // The file's own samples, those turned upright, and every channel as f32.
    let needed = decoder
        .total_bytes()
        .saturating_mul(2)
        .saturating_add(size.pixels() * (3 + u64::from(has_alpha)) * 4);
    let available = limits.memory;
    if needed > available {
        return Err(ImageError::Memory { name, size: Some(size), needed, available });
    }
    if format != ImageFormat::Tiff {
        profile = decoder.icc_profile().ok().flatten();
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)
        .map_err(|error| failed(&name, limits.memory, &error))?;
    image.apply_orientation(orientation);

    let size = Size::new(image.height() as usize, image.width() as usize);
    let channels = usize::from(image.color().channel_count());
    let ((mut color, alpha), depth) = if let Some(samples) = image.as_flat_samples_u16() {
        (planes(size, channels, samples.samples), BitDepth::Sixteen)
    } else if let Some(samples) = image.as_flat_samples_f32() {
        (planes(size, channels, samples.samples), BitDepth::Sixteen)
    } else {
        (planes(size, channels, image.as_bytes()), BitDepth::Eight)
    };
    drop(image);
    let mut notes = Vec::new();
    if let Some(profile) = profile
        && let Err(problem) = color::to_srgb(&mut color, channels < 3, &profile)
    {
        notes.push(format!("{problem}; the colours are taken for sRGB"));
    }
    Ok(Image::from_planes(color, alpha)?.with_depth(depth).with_notes(notes))
}
