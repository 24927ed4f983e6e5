//! Pictures for the studio: planes on their way to a page, and dreams on their way to a file.

use std::path::Path;
use std::sync::Arc;

use dream::{Filter, Tensor};
use graph::Size;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use media::{BitDepth, Image, ImageFormat};
use studio::{Dream, Failure, Picture};

use super::failure::failed;
use crate::picture::encode;

/// From this quality on, a JPEG's colours are as fine as its brightness.
const FINE: u8 = 90;

/// A picture's planes of 0–255.
pub(super) struct Planes(pub(super) Tensor);

impl Picture for Planes {
    fn size(&self) -> (u32, u32) {
        let Size { height, width } = self.0.shape.size();
        (width as u32, height as u32)
    }

    fn jpeg(&self, longest: u32, quality: u8) -> Vec<u8> {
        jpeg(&self.0, longest, quality)
    }
}

/// A dream that is whole.
pub(super) struct Dreamt {
    image: Image,
    recipe: String,
}

impl Dreamt {
    pub(super) fn new(image: Image, recipe: String) -> Self {
        Self { image, recipe }
    }
}

impl Picture for Dreamt {
    fn size(&self) -> (u32, u32) {
        let Size { height, width } = self.image.size();
        (width as u32, height as u32)
    }

    fn jpeg(&self, longest: u32, quality: u8) -> Vec<u8> {
        match self.image.is_transparent() {
            true => jpeg(self.image.clone().flatten().color(), longest, quality),
            false => jpeg(self.image.color(), longest, quality),
        }
    }
}

impl Dream for Dreamt {
    fn recipe(&self) -> &str {
        &self.recipe
    }

    fn file(&self, extension: &str) -> Result<Vec<u8>, Failure> {
        let format = ImageFormat::of_extension(extension)
            .ok_or_else(|| Failure::new("usage", format!("No pictures end in .{extension}.")))?;
        let name = format!("dream.{extension}");
        encode(&self.image, format, &self.recipe, Path::new(&name)).map_err(failed)
    }

    fn pixels(&self) -> Vec<u8> {
        let Size { height, width } = self.image.size();
        let mut bytes: Vec<u8> = [width as u32, height as u32].map(u32::to_le_bytes).concat();
        let sixteen = self.image.depth() == BitDepth::Sixteen;
        bytes.push(if sixteen { 16 } else { 8 });
        for plane in std::iter::once(self.image.color()).chain(self.image.alpha()) {
            match sixteen {
                true => bytes.extend(
                    plane
                        .data
                        .iter()
                        .flat_map(|value| ((value * 257.0).round() as u16).to_le_bytes()),
                ),
                false => bytes.extend(plane.data.iter().map(|value| value.round() as u8)),
            }
        }
        bytes
    }

    fn picture(self: Arc<Self>) -> Arc<dyn Picture> {
        self
    }
}

/// Planes of 0–255 as a JPEG whose longest side has at most so many pixels.
pub(super) fn jpeg(planes: &Tensor, longest: u32, quality: u8) -> Vec<u8> {
    let size = planes.shape.size();
    // What is larger than the format can hold is made smaller as well.
    let longest = longest.clamp(1, 65_500) as usize;
    let small = (size.width.max(size.height) > longest)
        .then(|| dream::resize(planes, size.with_longest(longest), Filter::Triangle));
    let planes = small.as_ref().unwrap_or(planes);
    let size = planes.shape.size();
    let Ok(image) = Image::from_planes(planes.clone(), None) else { return Vec::new() };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(match quality >= FINE {
        true => SamplingFactor::R_4_4_4,
        false => SamplingFactor::R_4_2_0,
    });
    let (width, height) = (size.width as u16, size.height as u16);
    match encoder.encode(&image.to_rgb8(), width, height, ColorType::Rgb) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
