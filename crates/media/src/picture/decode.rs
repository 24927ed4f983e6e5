//! Pictures in: limits first, then decoding, orientation, colour space.

use std::path::Path;

use graph::{Size, Storage, Tensor};

use super::facts::Facts;
use super::image::Image;
use super::source::Source;
use super::{ImageError, color};

/// What a picture that is read may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory, the decoded picture included. Default: 4 GiB.
    pub memory: u64,
    /// Whether ffprobe may be asked for the recipe of a movie. Default: yes.
    pub ffprobe: bool,
    /// Where the planes of a picture are to lie, and its samples while it is read. Default: in memory.
    pub storage: Storage,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 32, ffprobe: true, storage: Storage::default() }
    }
}

impl Limits {
    /// No more than this many bytes of memory.
    pub fn memory(memory: u64) -> Self {
        Self { memory, ..Self::default() }
    }

    /// The same for pictures that are to lie elsewhere than in the memory.
    #[must_use]
    pub fn in_storage(self, storage: &Storage) -> Self {
        Self { storage: storage.clone(), ..self }
    }

    /// The same without another program's help.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { ffprobe: false, ..self }
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

    /// The size that a picture file would have once it is read, told by its headers alone.
    ///
    /// # Errors
    /// As [`Self::open`], as far as headers tell; [`ImageError::Memory`] for a picture that would take
    /// more than `limits` allow.
    pub fn size_of_file(path: impl AsRef<Path>, limits: &Limits) -> Result<Size, ImageError> {
        Ok(Source::open(path.as_ref())?.open_within(limits)?.size())
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

/// The planes of what a file holds.
fn decode(source: Source<'_>, limits: &Limits) -> Result<Image, ImageError> {
    let opened = source.open_within(limits)?;
    let orientation = opened.orientation;
    let (samples, Facts { space, otherwise, is_associated, mut notes, .. }) = opened.samples()?;
    let (depth, is_grey) = (samples.depth(), samples.is_grey());
    let (mut color, alpha) = samples.planes(orientation);
    drop(samples);
    if let Some(alpha) = alpha.as_ref().filter(|_| is_associated) {
        divide(&mut color, alpha);
    }
    let mut spaces = space.into_iter().chain(otherwise).peekable();
    while let Some(space) = spaces.next() {
        let Err(problem) = color::to_srgb(&mut color, is_grey, &space) else { break };
        let instead = if spaces.peek().is_some() { "what the file says beside it" } else { "sRGB" };
        notes.push(format!("{problem}; the colours are taken for {instead}"));
    }
    Ok(Image::from_planes(color, alpha)?.with_depth(depth).with_notes(notes))
}

/// Colours that were multiplied with `alpha` as they were before; what is clear is black.
fn divide(color: &mut Tensor, alpha: &Tensor) {
    for plane in color.data.chunks_exact_mut(alpha.data.len()) {
        for (value, alpha) in plane.iter_mut().zip(&alpha.data) {
            *value = if *alpha > 0.0 { (*value * 255.0 / alpha).min(255.0) } else { 0.0 };
        }
    }
}
