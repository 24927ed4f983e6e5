//! Pictures out: into files' bytes, with a recipe in their metadata.

use std::io::{BufWriter, Cursor, Seek, Write};
use std::path::Path;

use graph::{Scratch, Size};
use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use tiff::encoder::colortype::{ColorType, RGB8, RGB16, RGBA8, RGBA16};
use tiff::encoder::{Compression, Predictor, TiffEncoder, TiffKind, TiffValue};
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
        let format = ImageFormat::of_name(path)?;
        let unwritten = |source| ImageError::Write { path: path.to_owned(), source };
        let place = Place::of(path).map_err(unwritten)?;
        let file = scratch_file(&place.folder()).map_err(unwritten)?;
        let mut writer = BufWriter::new(file.as_file());
        self.encode_into(format, &EncodeOptions::default(), &mut writer)?;
        writer.flush().map_err(unwritten)?;
        drop(writer);
        place.put(file, true, &|| false).map_err(unwritten)
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
        let mut file = Cursor::new(Vec::new());
        self.encode_into(format, options, &mut file)?;
        Ok(file.into_inner())
    }

    /// The same, written into an empty file.
    ///
    /// # Errors
    /// As [`Self::encode`]; [`ImageError::Encode`] also where the file cannot be written.
    pub fn encode_into<W: Write + Seek>(
        &self,
        format: ImageFormat,
        options: &EncodeOptions<'_>,
        file: &mut W,
    ) -> Result<(), ImageError> {
        format.check_size(self.size())?;
        let encoder = Encoder {
            width: self.size().width as u32,
            height: self.size().height as u32,
            has_alpha: format.has_alpha() && self.alpha().is_some(),
            packet: options.recipe.map(xmp::packet),
            in_strips: self.size().pixels() > LARGE,
        };
        let failed = |problem| ImageError::Encode { format, problem };
        let has_alpha = encoder.has_alpha;
        if self.depth() == BitDepth::Sixteen && format.has_sixteen_bits() {
            let mut values = self.samples::<u16>(has_alpha);
            self.check_storage().map_err(failed)?;
            let samples = values.as_mut_slice();
            let written = match (format, has_alpha) {
                (ImageFormat::Tiff, false) => encoder.tiff::<RGB16>(samples, file),
                (ImageFormat::Tiff, true) => encoder.tiff::<RGBA16>(samples, file),
                _ => {
                    samples.iter_mut().for_each(|sample| *sample = sample.to_be());
                    encoder.png(bytemuck::cast_slice(samples), png::BitDepth::Sixteen, file)
                }
            };
            return written.map_err(failed);
        }
        let mut values = self.samples::<u8>(has_alpha);
        self.check_storage().map_err(failed)?;
        let samples = &*values.as_mut_slice();
        match (format, has_alpha) {
            (ImageFormat::Png, _) => encoder.png(samples, png::BitDepth::Eight, file),
            (ImageFormat::Jpeg, _) => {
                let mut bytes = encoder.jpeg(samples).map_err(failed)?;
                if let Some(packet) = &encoder.packet {
                    let with_xmp = jpeg::with_xmp(&bytes, packet);
                    bytes = with_xmp.ok_or(ImageError::RecipeTooLong { format })?;
                }
                file.write_all(&bytes).map_err(|error| error.to_string())
            }
            (ImageFormat::WebP, _) => encoder.webp(samples, file),
            (ImageFormat::Tiff, false) => encoder.tiff::<RGB8>(samples, file),
            (ImageFormat::Tiff, true) => encoder.tiff::<RGBA8>(samples, file),
            (ImageFormat::Bmp, _) => encoder.bmp(samples, file),
        }
        .map_err(failed)
    }
}

impl Image {
    /// Whether all that was to lie where the picture does was had.
    fn check_storage(&self) -> Result<(), String> {
        let failure = self.color().storage().as_scratch().and_then(Scratch::failure);
        failure.map_or(Ok(()), Err)
    }
}

/// What every format's encoder needs beside the samples.
struct Encoder {
    width: u32,
    height: u32,
    has_alpha: bool,
    /// XMP with the recipe.
    packet: Option<String>,
    /// Whether the picture is so large that no more than a strip of it is to be packed in memory.
    in_strips: bool,
}

/// Pixels from which on a PNG is packed strip by strip, wherever the picture lies, so that its bytes are the same.
const LARGE: u64 = 1 << 24;

/// Bytes of a strip.
const STRIP: usize = 1 << 20;

/// What a file of 32-bit offsets holds.
const MOST_OFFSET: u64 = u32::MAX as u64;

impl Encoder {
    fn png(&self, bytes: &[u8], depth: png::BitDepth, file: &mut impl Write) -> Result<(), String> {
        let mut encoder = png::Encoder::new(file, self.width, self.height);
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
        let write = |mut writer: png::Writer<_>| {
            match self.in_strips {
                false => writer.write_image_data(bytes)?,
                true => {
                    let mut strips = writer.stream_writer_with_size(STRIP)?;
                    strips.write_all(bytes)?;
                    strips.finish()?;
                }
            }
            writer.finish()
        };
        encoder.write_header().and_then(write).map_err(|error| error.to_string())
    }

    fn jpeg(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY)
            .write_image(bytes, self.width, self.height, ExtendedColorType::Rgb8)
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn webp(&self, bytes: &[u8], file: &mut impl Write) -> Result<(), String> {
        let mut encoder = image_webp::WebPEncoder::new(file);
        if let Some(packet) = &self.packet {
            encoder.set_xmp_metadata(packet.clone().into_bytes());
        }
        let color = match self.has_alpha {
            true => image_webp::ColorType::Rgba8,
            false => image_webp::ColorType::Rgb8,
        };
        encoder.encode(bytes, self.width, self.height, color).map_err(|error| error.to_string())
    }

    /// Of more than a classic file has offsets for, a BigTIFF.
    fn tiff<C: ColorType>(
        &self,
        samples: &[C::Inner],
        file: &mut (impl Write + Seek),
    ) -> Result<(), String>
    where
        [C::Inner]: TiffValue,
    {
        // LZW makes codes of up to twelve bits of what it cannot pack.
        let most = size_of_val(samples) as u64 / 2 * 3 + STRIP as u64;
        let written = match most > MOST_OFFSET {
            false => TiffEncoder::new(file).and_then(|tiff| self.strips::<C, _, _>(tiff, samples)),
            true => {
                TiffEncoder::new_big(file).and_then(|tiff| self.strips::<C, _, _>(tiff, samples))
            }
        };
        written.map_err(|error| error.to_string())
    }

    fn strips<C: ColorType, W: Write + Seek, K: TiffKind>(
        &self,
        encoder: TiffEncoder<W, K>,
        samples: &[C::Inner],
    ) -> tiff::TiffResult<()>
    where
        [C::Inner]: TiffValue,
    {
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
    }

    fn bmp(&self, bytes: &[u8], file: &mut impl Write) -> Result<(), String> {
        BmpEncoder::new(file)
            .write_image(bytes, self.width, self.height, self.color())
            .map_err(|error| error.to_string())
    }

    fn color(&self) -> ExtendedColorType {
        if self.has_alpha { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bigtiff_is_the_same_picture() {
        let packet = Some(xmp::packet("seed = 1"));
        let encoder = Encoder { width: 5, height: 4, has_alpha: false, packet, in_strips: false };
        let samples: Vec<u16> = (0..60).map(|at| at * 999).collect();
        let mut file = Cursor::new(Vec::new());
        let big = TiffEncoder::new_big(&mut file).unwrap();
        encoder.strips::<RGB16, _, _>(big, &samples).unwrap();
        let bytes = file.into_inner();
        assert_eq!(bytes[..4], *b"II+\0");
        let image = Image::decode(&bytes).unwrap();
        assert_eq!((image.size(), image.depth()), (Size::new(4, 5), BitDepth::Sixteen));
        assert_eq!(
            image.color().data[0..20],
            samples.iter().step_by(3).map(|x| f32::from(*x) / 257.0).collect::<Vec<_>>()
        );
    }
}
