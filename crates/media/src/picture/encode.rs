//! Pictures out: into files' bytes, with a recipe in their metadata.

use std::io::{Cursor, Write};
use std::path::Path;

use graph::Size;
use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use tiff::encoder::colortype::{ColorType, RGB8, RGB16, RGBA8, RGBA16};
use tiff::encoder::{Compression, Predictor, TiffEncoder, TiffValue};
use tiff::tags::Tag;

use super::image::{BitDepth, Image};
use super::recipe::XMP_TAG;
use super::{ImageError, ImageFormat, jpeg};
use crate::{Place, scratch_file, xmp};

/// JPEG's scale of 1–100; the colours are stored at full resolution.
const JPEG_QUALITY: u8 = 95;

/// What goes into a file beside the picture.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct EncodeOptions<'a> {
    /// A recipe's text, for the file's metadata. BMP has no place for it. Default: none.
    pub recipe: Option<&'a str>,
}

impl<'a> EncodeOptions<'a> {
    /// With this recipe in the metadata.
    pub fn with_recipe(recipe: &'a str) -> Self {
        Self { recipe: Some(recipe) }
    }
}

impl ImageFormat {
    /// The format to write for a file of this name.
    ///
    /// # Errors
    /// An extension of no known format.
    pub fn of_name(path: &Path) -> Result<Self, ImageError> {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        Self::of_extension(extension).ok_or_else(|| ImageError::Name { path: path.to_owned() })
    }

    /// Refuses a size that its files cannot hold.
    ///
    /// # Errors
    /// A side that is too long.
    pub fn check_size(self, size: Size) -> Result<(), ImageError> {
        let most = self.longest_side();
        match size.longest() as u64 > u64::from(most) {
            true => Err(ImageError::TooLarge { format: self, size, most }),
            false => Ok(()),
        }
    }
}

impl Image {
    /// Writes a file in the format its name says, in place of one that is there. The file appears
    /// whole or not at all.
    ///
    /// # Errors
    /// A name that says no format, or as [`Self::encode`], or whatever keeps the file from being
    /// written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ImageError> {
        let path = path.as_ref();
        let bytes = self.encode(ImageFormat::of_name(path)?, &EncodeOptions::default())?;
        let written = Place::of(path).and_then(|place| {
            let mut file = scratch_file(&place.folder())?;
            file.write_all(&bytes)?;
            place.put(file, true, &|| false)
        });
        match written {
            Ok(()) => Ok(()),
            Err(source) => Err(ImageError::Write { path: path.to_owned(), source }),
        }
    }

    /// The bytes of a file. Where the format has 16 bits, it gets them if the image's
    /// [depth](Self::depth) says so; where it has no transparency, the image is laid on white.
    ///
    /// # Errors
    /// A side or a recipe that is too long for the format.
    pub fn encode(
        &self,
        format: ImageFormat,
        options: &EncodeOptions<'_>,
    ) -> Result<Vec<u8>, ImageError> {
        format.check_size(self.size())?;
        let encoder = Encoder {
            width: self.size().width as u32,
            height: self.size().height as u32,
            has_alpha: format.has_alpha() && self.alpha().is_some(),
            packet: options.recipe.map(xmp::packet),
        };
        let failed = |problem| ImageError::Encode { format, problem };
        let deep = self.depth() == BitDepth::Sixteen && format.has_sixteen_bits();
        if deep {
            let samples: Vec<u16> = self.samples(encoder.has_alpha);
            return match (format, encoder.has_alpha) {
                (ImageFormat::Tiff, false) => encoder.tiff::<RGB16>(&samples),
                (ImageFormat::Tiff, true) => encoder.tiff::<RGBA16>(&samples),
                _ => {
                    let bytes = samples.into_iter().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
                    encoder.png(&bytes, png::BitDepth::Sixteen)
                }
            }
            .map_err(failed);
        }
        let samples: Vec<u8> = self.samples(encoder.has_alpha);
        match (format, encoder.has_alpha) {
            (ImageFormat::Png, _) => encoder.png(&samples, png::BitDepth::Eight),
            (ImageFormat::Jpeg, _) => {
                let file = encoder.jpeg(&samples).map_err(failed)?;
                let Some(packet) = encoder.packet else { return Ok(file) };
                return jpeg::with_xmp(&file, &packet).ok_or(ImageError::RecipeTooLong { format });
            }
            (ImageFormat::WebP, _) => encoder.webp(&samples),
            (ImageFormat::Tiff, false) => encoder.tiff::<RGB8>(&samples),
            (ImageFormat::Tiff, true) => encoder.tiff::<RGBA8>(&samples),
            (ImageFormat::Bmp, _) => encoder.bmp(&samples),
        }
        .map_err(failed)
    }
}

/// What every format's encoder needs beside the samples.
struct Encoder {
    width: u32,
    height: u32,
    has_alpha: bool,
    /// XMP with the recipe.
    packet: Option<String>,
}

impl Encoder {
    fn png(&self, bytes: &[u8], depth: png::BitDepth) -> Result<Vec<u8>, String> {
        let mut file = Vec::with_capacity(bytes.len());
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(match self.has_alpha {
            true => png::ColorType::Rgba,
            false => png::ColorType::Rgb,
        });
        encoder.set_depth(depth);
        // Its files are a little larger than the smallest, and written many times as fast.
        encoder.set_compression(png::Compression::Fast);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        if let Some(packet) = &self.packet {
            encoder
                .add_itxt_chunk(xmp::PNG_KEYWORD.to_owned(), packet.clone())
                .map_err(|error| error.to_string())?;
        }
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(bytes).and_then(|()| writer.finish()))
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn jpeg(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY)
            .write_image(bytes, self.width, self.height, ExtendedColorType::Rgb8)
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn webp(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = Vec::new();
        let mut encoder = image_webp::WebPEncoder::new(&mut file);
        if let Some(packet) = &self.packet {
            encoder.set_xmp_metadata(packet.clone().into_bytes());
        }
        let color = match self.has_alpha {
            true => image_webp::ColorType::Rgba8,
            false => image_webp::ColorType::Rgb8,
        };
        encoder.encode(bytes, self.width, self.height, color).map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn tiff<C: ColorType>(&self, samples: &[C::Inner]) -> Result<Vec<u8>, String>
    where
        [C::Inner]: TiffValue,
    {
        let mut file = Cursor::new(Vec::new());
        let written = TiffEncoder::new(&mut file).and_then(|encoder| {
            let mut encoder =
                encoder.with_compression(Compression::Lzw).with_predictor(Predictor::Horizontal);
            let mut image = encoder.new_image::<C>(self.width, self.height)?;
            if let Some(packet) = &self.packet {
                image.encoder().write_tag(XMP_TAG, packet.as_bytes())?;
            }
            if self.has_alpha {
                const UNASSOCIATED: &[u16] = &[2];
                image.encoder().write_tag(Tag::ExtraSamples, UNASSOCIATED)?;
            }
            image.write_data(samples)
        });
        written.map_err(|error| error.to_string())?;
        Ok(file.into_inner())
    }

    fn bmp(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = Vec::new();
        BmpEncoder::new(&mut file)
            .write_image(bytes, self.width, self.height, self.color())
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn color(&self) -> ExtendedColorType {
        if self.has_alpha { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 }
    }
}
