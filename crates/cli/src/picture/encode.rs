//! Pictures into files' bytes, with the recipe inside.

use std::io::Cursor;

use graph::Tensor;
use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use img_parts::Bytes;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use tiff::encoder::colortype::{ColorType, RGB8, RGB16, RGBA8, RGBA16};
use tiff::encoder::{Compression, Predictor, TiffEncoder, TiffValue};
use tiff::tags::Tag;

use super::{Format, metadata};

/// JPEG's scale of 1–100; the colours are stored at full resolution.
const JPEG_QUALITY: u8 = 95;

/// What begins JPEG's segment for XMP.
const XMP_SEGMENT: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Where PNG's readers look for XMP.
const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// A picture that is to become a file.
pub(crate) struct Encoding<'a> {
    /// 3 × height × width, sRGB, 0–255.
    pub(crate) colour: &'a Tensor,
    /// 1 × height × width, 0–255. Where the format has no transparency, the picture is laid on white.
    pub(crate) alpha: Option<&'a Tensor>,
    /// Whether to write 16 bits for each value, where the format can.
    pub(crate) deep: bool,
    /// The recipe's text; BMP has no place for it.
    pub(crate) recipe: &'a str,
}

impl Encoding<'_> {
    /// The file's bytes.
    ///
    /// # Errors
    /// What the format cannot hold: a side or a recipe that is too long.
    pub(crate) fn encode(&self, format: Format) -> Result<Vec<u8>, String> {
        let deep = self.deep && format.has_sixteen_bits();
        let samples = self.samples(format.has_alpha());
        // A tensor's values are floats beyond 8 bits: rounded to the nearest, halves up.
        let eight = || samples.iter().map(|value| (value + 0.5) as u8).collect::<Vec<u8>>();
        let sixteen = || samples.iter().map(|value| (value * 257.0 + 0.5) as u16).collect();
        let packet = metadata::packet(self.recipe);
        match format {
            Format::Png if deep => {
                let bytes: Vec<u16> = sixteen();
                let bytes: Vec<u8> = bytes.into_iter().flat_map(u16::to_be_bytes).collect();
                self.png(&bytes, png::BitDepth::Sixteen, packet)
            }
            Format::Png => self.png(&eight(), png::BitDepth::Eight, packet),
            Format::Jpeg => self.jpeg(&eight(), &packet),
            Format::WebP => self.webp(&eight(), packet),
            Format::Tiff => match (deep, self.alpha.is_some()) {
                (false, false) => self.tiff::<RGB8>(&eight(), &packet),
                (false, true) => self.tiff::<RGBA8>(&eight(), &packet),
                (true, false) => self.tiff::<RGB16>(&sixteen(), &packet),
                (true, true) => self.tiff::<RGBA16>(&sixteen(), &packet),
            },
            Format::Bmp => self.bmp(&eight()),
        }
    }

    fn size(&self) -> Result<(u32, u32), String> {
        let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
        Ok((side(self.colour.shape.width)?, side(self.colour.shape.height)?))
    }

    /// Pixel after pixel, 0–255: red, green, blue, and alpha if the picture and the format have it.
    fn samples(&self, with_alpha: bool) -> Vec<f32> {
        let (red, rest) = self.colour.data.split_at(self.colour.shape.plane());
        let (green, blue) = rest.split_at(red.len());
        let colours = red.iter().zip(green).zip(blue);
        let colours = colours.map(|((&r, &g), &b)| [r, g, b].map(|value| value.clamp(0.0, 255.0)));
        let Some(alpha) = self.alpha else { return colours.collect::<Vec<_>>().into_flattened() };
        let both = colours.zip(alpha.data.iter().map(|alpha| alpha.clamp(0.0, 255.0)));
        if with_alpha {
            let samples = both.map(|([red, green, blue], alpha)| [red, green, blue, alpha]);
            return samples.collect::<Vec<_>>().into_flattened();
        }
        let on_white = both.map(|(colour, alpha)| {
            let cover = alpha / 255.0;
            colour.map(|value| value * cover + 255.0 * (1.0 - cover))
        });
        on_white.collect::<Vec<_>>().into_flattened()
    }

    fn extended(&self) -> ExtendedColorType {
        if self.alpha.is_some() { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 }
    }

    fn png(&self, bytes: &[u8], depth: png::BitDepth, packet: String) -> Result<Vec<u8>, String> {
        let (width, height) = self.size()?;
        let mut file = Vec::with_capacity(bytes.len());
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(match self.alpha {
            Some(_) => png::ColorType::Rgba,
            None => png::ColorType::Rgb,
        });
        encoder.set_depth(depth);
        // Its files are a little larger than the smallest, and written many times as fast.
        encoder.set_compression(png::Compression::Fast);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        encoder
            .add_itxt_chunk(XMP_KEYWORD.to_owned(), packet)
            .and_then(|()| encoder.write_header())
            .and_then(|mut writer| writer.write_image_data(bytes).and_then(|()| writer.finish()))
            .map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn jpeg(&self, bytes: &[u8], packet: &str) -> Result<Vec<u8>, String> {
        let (width, height) = self.size()?;
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY)
            .write_image(bytes, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| error.to_string())?;
        let contents = [XMP_SEGMENT, packet.as_bytes()].concat();
        if contents.len() > usize::from(u16::MAX) - 2 {
            return Err("the recipe is too long for a JPEG: write a PNG".into());
        }
        let mut jpeg = Jpeg::from_bytes(file.into()).map_err(|error| error.to_string())?;
        // After the segment that says it is a JPEG.
        let segment = JpegSegment::new_with_contents(markers::APP1, Bytes::from(contents));
        jpeg.segments_mut().insert(1, segment);
        Ok(jpeg.encoder().bytes().to_vec())
    }

    fn webp(&self, bytes: &[u8], packet: String) -> Result<Vec<u8>, String> {
        let (width, height) = self.size()?;
        let mut file = Vec::new();
        let mut encoder = image_webp::WebPEncoder::new(&mut file);
        encoder.set_xmp_metadata(packet.into_bytes());
        let colour = match self.alpha {
            Some(_) => image_webp::ColorType::Rgba8,
            None => image_webp::ColorType::Rgb8,
        };
        encoder.encode(bytes, width, height, colour).map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn tiff<C: ColorType>(&self, samples: &[C::Inner], packet: &str) -> Result<Vec<u8>, String>
    where
        [C::Inner]: TiffValue,
    {
        let (width, height) = self.size()?;
        let mut file = Cursor::new(Vec::new());
        let written = TiffEncoder::new(&mut file).and_then(|encoder| {
            let mut encoder =
                encoder.with_compression(Compression::Lzw).with_predictor(Predictor::Horizontal);
            let mut image = encoder.new_image::<C>(width, height)?;
            image.encoder().write_tag(metadata::XMP_TAG, packet.as_bytes())?;
            if self.alpha.is_some() {
                const UNASSOCIATED: &[u16] = &[2];
                image.encoder().write_tag(Tag::ExtraSamples, UNASSOCIATED)?;
            }
            image.write_data(samples)
        });
        written.map_err(|error| error.to_string())?;
        Ok(file.into_inner())
    }

    fn bmp(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (width, height) = self.size()?;
        let mut file = Vec::new();
        BmpEncoder::new(&mut file)
            .write_image(bytes, width, height, self.extended())
            .map_err(|error| error.to_string())?;
        Ok(file)
    }
}
