//! Picture files in: limits first, then decoding, orientation, colour space.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use graph::{Shape, Tensor};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use img_parts::Bytes;
use img_parts::jpeg::{Jpeg, markers};
use tiff::tags::Tag;

use super::format::unreadable;
use super::{Format, Picture, colour, metadata};
use crate::exit::{Failure, Fault};
use crate::machine::in_words;

/// The most pixels a picture may have: no dream is larger, and no file's header is believed beyond it.
const MOST_PIXELS: u64 = 1 << 30;

/// More than such a picture can take; decoders calculate with their limits, so these have one too.
const MOST_BYTES: u64 = 1 << 40;

/// Reads a picture, using no more than `memory` bytes for it.
///
/// # Errors
/// No such file, not a picture, damaged or cut off, or too large.
pub(crate) fn read(path: &Path, memory: u64) -> Result<Picture, Failure> {
    let name = path.display();
    let mut decoder = open(path, memory)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS {
        let what = format!("{name}: {width}×{height} pixels are not a size that can be read");
        let most = MOST_PIXELS >> 20;
        return Err(Failure::new(Fault::Picture, what).or(format!("the most is {most} megapixels")));
    }
    // The file's own samples, and every channel as f32.
    let channels = u64::from(decoder.color_type().channel_count());
    let need = decoder.total_bytes().saturating_add(pixels * (channels.max(3) + channels) * 4);
    if need > memory {
        let what = format!(
            "{name}: reading {width}×{height} pixels takes {}, but {} are free",
            in_words(need),
            in_words(memory)
        );
        return Err(Failure::new(Fault::Memory, what).or("make the picture smaller first"));
    }
    let profile = match Format::of_file(path)? {
        Format::Tiff => metadata::tiff_tag(path, Tag::IccProfile),
        _ => decoder.icc_profile().ok().flatten(),
    };
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| damaged(path, &error))?;
    image.apply_orientation(orientation);

    let planes = Planes::of(&image);
    drop(image);
    let mut notes = Vec::new();
    let colour = colour::to_srgb(planes.colour, profile.as_deref(), &mut notes);
    let notes = notes.into_iter().map(|note| format!("{name}: {note}")).collect();
    Ok(Picture { colour, alpha: planes.alpha, deep: planes.deep, notes })
}

/// A decoder for what the file's content says it is, which takes no more than `memory` bytes.
pub(super) fn open(path: &Path, memory: u64) -> Result<impl ImageDecoder + use<>, Failure> {
    let format = Format::of_file(path)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    if format == Format::Jpeg {
        complete_jpeg(path)?;
    }
    let mut reader = ImageReader::with_format(BufReader::new(file), format.image());
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(memory.min(MOST_BYTES));
    reader.limits(limits);
    reader.into_decoder().map_err(|error| damaged(path, &error))
}

/// A JPEG that is cut off would be filled up with grey: refuses one without its end marker, which
/// cannot occur inside a scan (but does in the thumbnail before it).
fn complete_jpeg(path: &Path) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let bytes = Bytes::from(bytes);
    let complete = match Jpeg::from_bytes(bytes.clone()) {
        Ok(jpeg) => jpeg.segments().last().is_some_and(|last| {
            let scans = &bytes[bytes.len() - (last.len_with_entropy() - last.len())..];
            scans.windows(2).any(|pair| pair == [0xff, markers::EOI])
        }),
        Err(img_parts::Error::Truncated) => false,
        // Otherwise broken: for the decoder to say.
        Err(_) => true,
    };
    if complete {
        return Ok(());
    }
    let what = format!("{}: the picture is cut off: its end is missing", path.display());
    Err(Failure::new(Fault::Picture, what))
}

fn damaged(path: &Path, error: &image::ImageError) -> Failure {
    let name = path.display();
    let what = match error {
        image::ImageError::Unsupported(error) => {
            let failure = Failure::new(Fault::Picture, format!("{name}: {error}"));
            return failure.or("save it in another form first: an RGB picture of 8 or 16 bits");
        }
        image::ImageError::Limits(_) => {
            return Failure::new(Fault::Memory, format!("{name}: {error}"));
        }
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("{name}: the picture is cut off: its end is missing")
        }
        error => format!("{name}: the picture is damaged: {error}"),
    };
    Failure::new(Fault::Picture, what)
}

/// A decoded picture's values as they are in the file, 0–255, channel by channel.
struct Planes {
    /// 1 or 3 × height × width.
    colour: Tensor,
    /// 1 × height × width.
    alpha: Option<Tensor>,
    deep: bool,
}

impl Planes {
    fn of(image: &DynamicImage) -> Planes {
        if let Some(samples) = image.as_flat_samples_u16() {
            let samples = samples.samples.iter().map(|&value| f32::from(value) / 257.0);
            Self::split(image, samples, true)
        } else if let Some(samples) = image.as_flat_samples_f32() {
            let samples = samples.samples.iter().map(|value| (value * 255.0).clamp(0.0, 255.0));
            Self::split(image, samples, true)
        } else {
            Self::split(image, image.as_bytes().iter().map(|&value| f32::from(value)), false)
        }
    }

    /// Deals out `samples`, pixel after pixel, to the planes.
    fn split(image: &DynamicImage, mut samples: impl Iterator<Item = f32>, deep: bool) -> Planes {
        let channels = usize::from(image.color().channel_count());
        let (height, width) = (image.height() as usize, image.width() as usize);
        let (colours, plane) = (if channels < 3 { 1 } else { 3 }, height * width);
        let mut colour = Tensor::zeros(Shape::new(colours, height, width));
        let mut alpha = (channels > colours).then(|| Tensor::zeros(Shape::new(1, height, width)));
        for pixel in 0..plane {
            for channel in 0..colours {
                colour.data[channel * plane + pixel] = samples.next().unwrap_or(0.0);
            }
            if let Some(alpha) = &mut alpha {
                alpha.data[pixel] = samples.next().unwrap_or(0.0);
            }
        }
        Planes { colour, alpha, deep }
    }
}
