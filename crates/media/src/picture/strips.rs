//! A TIFF that is read strip by strip into where its samples lie: `image`'s decoder reads all of them into memory of
//! its own first, which a large file need not fit in.

use image::error::{LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageResult};
use tiff::decoder::{Decoder, Limits};
use tiff::tags::{SampleFormat, Tag};
use tiff::{ColorType as Colors, TiffError};

use super::source::Stream;

/// What the tables of a file may take.
const MOST_OF_A_TABLE: usize = 1 << 28;

/// How files are packed whose strips, of any length, are unpacked bit by bit: not at all, by LZW, by Deflate under
/// its two numbers, and by runs.
const STREAMED: [u16; 5] = [1, 5, 8, 32_773, 32_946];

/// A TIFF of the usual kinds: grey or RGB, with or without alpha, of whole numbers of 8 or 16 bits, pixel by pixel.
pub(super) struct Strips<'a> {
    decoder: Decoder<Box<dyn Stream + 'a>>,
    dimensions: (u32, u32),
    color: ColorType,
}

impl<'a> Strips<'a> {
    /// Opens a file; gives the stream back where it is of another kind.
    pub(super) fn open(mut stream: Box<dyn Stream + 'a>) -> Result<Self, Box<dyn Stream + 'a>> {
        let kind = Decoder::new(&mut stream).ok().and_then(|mut decoder| kind(&mut decoder));
        let _ = stream.rewind();
        let Some((dimensions, color)) = kind else { return Err(stream) };
        let mut limits = Limits::unlimited();
        limits.ifd_value_size = MOST_OF_A_TABLE;
        match Decoder::new(stream) {
            Ok(decoder) => Ok(Self { decoder: decoder.with_limits(limits), dimensions, color }),
            // What could be opened before.
            Err(_) => Err(Box::new(std::io::Cursor::new([]))),
        }
    }
}

/// The size and colours of a file of the usual kinds.
fn kind<R: Stream>(decoder: &mut Decoder<R>) -> Option<((u32, u32), ColorType)> {
    let color = match decoder.colortype().ok()? {
        Colors::Gray(8) => ColorType::L8,
        Colors::Gray(16) => ColorType::L16,
        Colors::GrayA(8) => ColorType::La8,
        Colors::GrayA(16) => ColorType::La16,
        Colors::RGB(8) => ColorType::Rgb8,
        Colors::RGB(16) => ColorType::Rgb16,
        Colors::RGBA(8) => ColorType::Rgba8,
        Colors::RGBA(16) => ColorType::Rgba16,
        _ => return None,
    };
    let packed = decoder.find_tag_unsigned::<u16>(Tag::Compression).ok()?.unwrap_or(1);
    let layout = decoder.image_buffer_layout().ok()?;
    let dimensions = decoder.dimensions().ok()?;
    let bytes = u64::from(dimensions.0) * u64::from(dimensions.1);
    let bytes = bytes * u64::from(color.bytes_per_pixel());
    let is_usual = layout.sample_format == SampleFormat::Uint && layout.planes == 1;
    let is_usual = is_usual && STREAMED.contains(&packed);
    (is_usual && layout.complete_len as u64 == bytes).then_some((dimensions, color))
}

impl ImageDecoder for Strips<'_> {
    fn dimensions(&self) -> (u32, u32) {
        self.dimensions
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn icc_profile(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.decoder.get_tag_u8_vec(Tag::IccProfile).ok())
    }

    fn orientation(&mut self) -> ImageResult<Orientation> {
        let tag = self.decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
        Ok(tag.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms))
    }

    fn read_image(mut self, samples: &mut [u8]) -> ImageResult<()> {
        self.decoder.read_image_bytes(samples).map_err(|error| match error {
            TiffError::IoError(error) => image::ImageError::IoError(error),
            TiffError::LimitsExceeded => {
                image::ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
            }
            error => image::ImageError::Decoding(image::error::DecodingError::new(
                image::ImageFormat::Tiff.into(),
                error,
            )),
        })
    }

    fn read_image_boxed(self: Box<Self>, samples: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(samples)
    }
}
