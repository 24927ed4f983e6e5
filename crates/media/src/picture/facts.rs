//! What a picture's file says beside its samples: in which colours they are, what its transparency means,
//! what else is in it that is left aside.

use std::io::{self, Read, SeekFrom};

use exif::{Exif, In, Tag as ExifTag};
use image::ImageDecoder;
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, IfdDecoder};
use tiff::tags::{IfdPointer, Tag};

use super::color::ColorSpace;
use super::directory::Directory;
use super::source::Stream;
use super::{ImageError, ImageFormat};
use crate::{FileKind, xmp};

/// The most pages of a file that are looked at.
const MOST_PAGES: usize = 1000;

/// The most chunks of a file that are looked at.
const MOST_CHUNKS: usize = 10_000;

/// The most pictures within a page that are looked at: a camera's preview, its sensor's samples.
const MOST_INSIDE: usize = 16;

/// Tags of a camera's raw file that `tiff` has no name for, and what they say in one: that it is a DNG,
/// and that its samples are those of a sensor.
const DNG_VERSION: Tag = Tag::Unknown(50706);
const SENSOR: [u32; 2] = [32803, 34892];

/// Where a BMP has its colour profile: in the file, or in another.
const EMBEDDED: u32 = u32::from_be_bytes(*b"MBED");
const LINKED: u32 = u32::from_be_bytes(*b"LINK");

/// The most bytes of a colour profile; the largest are of printers and have about two million.
pub(super) const MOST_PROFILE: usize = 1 << 24;

/// What is noted of a profile that does not unpack, or that has more bytes.
const PROFILE_UNUSED: &str = "its colour profile is broken or too large, and is not used";

/// What is wrong with a file that goes on and on.
pub(super) const ENDLESS: &str = "it is longer than any picture of its size";

/// What is noted of a file that lacks nothing but its end.
pub(super) const END_MISSING: &str = "the end of the file is missing; all of the picture is there";

/// What the samples mean, and what is left aside.
#[derive(Default)]
pub(super) struct Facts {
    /// The colour space; `None` for sRGB.
    pub(super) space: Option<ColorSpace>,
    /// The colour space where that one cannot be used.
    pub(super) otherwise: Option<ColorSpace>,
    /// What a TIFF is called where no decoder takes it.
    pub(super) refusal: Option<String>,
    /// Whether the colours are multiplied with the transparency.
    pub(super) is_associated: bool,
    /// Notes, in sentences without a full stop.
    pub(super) notes: Vec<String>,
}

impl Facts {
    /// What the headers of a file of `format` say. The stream is left anywhere.
    ///
    /// # Errors
    /// [`ImageError::NotSupported`] for a camera's raw file in the clothes of a TIFF, and
    /// [`ImageError::Variety`] for a TIFF that begins with a thumbnail of another page.
    pub(super) fn of(
        format: ImageFormat,
        name: &str,
        stream: &mut dyn Stream,
    ) -> Result<Self, ImageError> {
        let mut facts = Self::default();
        match format {
            ImageFormat::Png => facts.png(name, stream)?,
            ImageFormat::Tiff => facts.tiff(name, stream)?,
            ImageFormat::Bmp => facts.bmp(stream).unwrap_or_default(),
            ImageFormat::WebP => facts.webp(name, stream)?,
            ImageFormat::Jpeg => {}
        }
        Ok(facts)
    }

    /// Adds what every decoder knows: the ICC profile and the camera's data.
    pub(super) fn add(&mut self, decoder: &mut dyn ImageDecoder) {
        let mut profile = decoder.icc_profile().ok().flatten();
        if profile.as_ref().is_some_and(|profile| profile.len() > MOST_PROFILE) {
            profile = None;
            if !self.notes.iter().any(|note| note == PROFILE_UNUSED) {
                self.note(PROFILE_UNUSED);
            }
        }
        let profile = profile.map(ColorSpace::Icc);
        // Of a PNG, code points that can be used stand above a profile.
        if !matches!(self.space, Some(ColorSpace::CodePoints(..) | ColorSpace::Icc(_))) {
            self.space = profile.or(self.space.take());
        }
        let exif = decoder.exif_metadata().ok().flatten();
        let read = |bytes| exif::Reader::new().continue_on_error(true).read_raw(bytes);
        let read = exif.map(read).map(|read| read.or_else(|e| e.distill_partial_result(|_| {})));
        if let Some(Ok(exif)) = read {
            self.exif(&exif);
        }
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// In the order of the PNG specification: cICP, iCCP, sRGB, and last gAMA and cHRM.
    fn png(&mut self, name: &str, stream: &mut dyn Stream) -> Result<(), ImageError> {
        let (has_profile, end) = chunks_of_png(stream).unwrap_or_default();
        let limits = png::Limits { bytes: MOST_PROFILE };
        let mut decoder = png::Decoder::new_with_limits(stream, limits);
        decoder.set_ignore_text_chunk(true);
        let Ok(reader) = decoder.read_info() else { return Ok(()) };
        let info = reader.info();
        if end > most_bytes(info.width, info.height) {
            let (name, problem) = (name.to_owned(), ENDLESS.to_owned());
            return Err(ImageError::Damaged { name, problem });
        }
        let frames = info.animation_control.map_or(1, |control| control.num_frames);
        if frames > 1 {
            self.note(format!("it moves: only the first of its {frames} frames is used"));
        }
        if let Some(points) = info.coding_independent_code_points {
            match (points.color_primaries, points.transfer_function) {
                (_, 16) => self.note(hdr("PQ")),
                (_, 18) => self.note(hdr("HLG")),
                (2, _) | (_, 2) => {}
                _ if !points.is_video_full_range_image => {
                    self.note("its samples do not use their full range, which is not supported");
                }
                (1, 13) => return Ok(()),
                (primaries, transfer) => {
                    self.space = Some(ColorSpace::CodePoints(primaries, transfer));
                    return Ok(());
                }
            }
        }
        if has_profile && info.icc_profile.is_none() {
            self.note(PROFILE_UNUSED);
        }
        if info.srgb.is_some() {
            return Ok(());
        }
        let value = |scaled: png::ScaledFloat| scaled.into_scaled() as f32 / 1e5;
        let gamma = info.gama_chunk.map(value);
        let xy = info.chrm_chunk.map(|chrm| {
            let (white, red, green, blue) = (chrm.white, chrm.red, chrm.green, chrm.blue);
            [white.0, white.1, red.0, red.1, green.0, green.1, blue.0, blue.1].map(value)
        });
        let calibrated = ColorSpace::calibrated(gamma, xy);
        match info.icc_profile {
            Some(_) => self.otherwise = calibrated,
            None => self.space = calibrated,
        }
        Ok(())
    }

    fn tiff(&mut self, name: &str, stream: &mut dyn Stream) -> Result<(), ImageError> {
        let mut limits = tiff::decoder::Limits::default();
        limits.decoding_buffer_size = xmp::MOST_BYTES * size_of::<Value>();
        let directory = Directory::first(stream);
        if directory.as_ref().is_some_and(Directory::is_linear_raw) {
            let (name, kind) = (name.to_owned(), Some(FileKind::CameraRaw));
            return Err(ImageError::NotSupported { name, kind });
        }
        self.refusal = directory.as_ref().map(Directory::refusal);
        let read = stream.rewind().ok().and_then(|()| Decoder::new(stream).ok());
        let Some(decoder) = read else { return Ok(()) };
        let mut decoder = decoder.with_limits(limits);
        let mut first = decoder.image_ifd();
        let is_thumbnail = number(&mut first, Tag::NewSubfileType) & 1 == 1;
        let extra = first.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).ok().flatten();
        let extra = extra.unwrap_or_default();
        self.is_associated = extra.first() == Some(&1);
        if extra.len() > 1 || extra.first() == Some(&0) {
            self.note("it has more channels than colours and transparency, which are left out");
        }
        let profile = first.find_tag(Tag::IccProfile).ok().flatten();
        self.space = profile.and_then(|value| value.into_u8_vec().ok()).map(ColorSpace::Icc);
        let has = |tags: &[Tag]| tags.iter().any(|tag| first.find_entry(*tag).is_some());
        let beside = [
            has(&[Tag::Make, Tag::Model]),
            has(&[Tag::ExifDirectory]),
            has(&[Tag::GpsDirectory]),
            has(&[Tag::Artist, Tag::Copyright]),
        ];
        let mut is_raw = has(&[DNG_VERSION]);
        self.left_aside(beside);
        let mut directories: Vec<IfdPointer> = Vec::new();
        let (mut pages, mut next) = (0, decoder.ifd_pointer());
        while let Some(pointer) = next.take().filter(|_| directories.len() < MOST_PAGES) {
            let Ok(directory) = decoder.read_directory(pointer) else { break };
            next = directory.next().filter(|next| !directories.contains(next));
            directories.push(pointer);
            let mut tags = decoder.read_directory_tags(&directory);
            pages += u32::from(number(&mut tags, Tag::NewSubfileType) & 1 == 0);
            is_raw |= is_sensor(&mut tags);
            let inside = tags.find_tag(Tag::SubIfd).ok().flatten();
            let inside = inside.and_then(|value| value.into_ifd_vec().ok()).unwrap_or_default();
            for pointer in inside.into_iter().take(MOST_INSIDE) {
                let Ok(directory) = decoder.read_directory(pointer) else { continue };
                is_raw |= is_sensor(&mut decoder.read_directory_tags(&directory));
            }
        }
        let name = name.to_owned();
        if is_raw {
            return Err(ImageError::NotSupported { name, kind: Some(FileKind::CameraRaw) });
        }
        if is_thumbnail && pages > 0 {
            let problem = "it begins with a small copy of the picture on another page".to_owned();
            return Err(ImageError::Variety { name, problem });
        }
        if pages > 1 {
            self.note(format!("only the first of its {pages} pages is used"));
        }
        Ok(())
    }

    /// The fields of `BITMAPV4HEADER` and `BITMAPV5HEADER` that follow the masks; `None` where a file has
    /// none.
    fn bmp(&mut self, stream: &mut dyn Stream) -> Option<()> {
        let mut header = Vec::new();
        (&mut *stream).take(138).read_to_end(&mut header).ok()?;
        let word = |at: usize| {
            let bytes = header.get(at..at + 4)?;
            Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let length = word(14)?;
        match word(70)? {
            0 if length >= 108 => {
                let corner =
                    |at: usize| Some([word(at)?, word(at + 4)?, word(at + 8)?].map(f64::from));
                let corners = [corner(74)?, corner(86)?, corner(98)?];
                let white = [0, 1, 2].map(|axis| corners.iter().map(|corner| corner[axis]).sum());
                let mut xy = [0.0; 8];
                for (xy, corner) in xy.chunks_exact_mut(2).zip([white].iter().chain(&corners)) {
                    let sum: f64 = corner.iter().sum();
                    xy.copy_from_slice(&[(corner[0] / sum) as f32, (corner[1] / sum) as f32]);
                }
                let gamma = 65_536.0 / word(110)? as f32;
                self.space = ColorSpace::calibrated(Some(gamma), Some(xy));
            }
            EMBEDDED if length >= 124 => {
                let (at, size) = (u64::from(word(126)?), u64::from(word(130)?));
                let mut profile = Vec::new();
                stream.seek(SeekFrom::Start(14 + at)).ok()?;
                stream.take(size.min(xmp::MOST_BYTES as u64)).read_to_end(&mut profile).ok()?;
                self.space = Some(ColorSpace::Icc(profile));
            }
            LINKED if length >= 124 => {
                self.note("its colour profile is in another file; the colours are taken for sRGB");
            }
            _ => {}
        }
        Some(())
    }

    fn webp(&mut self, name: &str, stream: &mut dyn Stream) -> Result<(), ImageError> {
        // What makes no sense is the decoder's to say.
        let Ok(decoder) = image_webp::WebPDecoder::new(&mut *stream) else { return Ok(()) };
        let frames = if decoder.is_animated() { decoder.num_frames() } else { 1 };
        let (width, height) = decoder.dimensions();
        if frames > 1 {
            self.note(format!("it moves: only the first of its {frames} frames is used"));
        }
        let Ok((lacks, largest)) = chunks_of_webp(stream) else { return Ok(()) };
        let name = || name.to_owned();
        if largest > most_bytes(width, height) {
            return Err(ImageError::Damaged { name: name(), problem: ENDLESS.to_owned() });
        }
        match lacks {
            Some(true) => return Err(ImageError::Truncated { name: name() }),
            Some(false) => self.note(END_MISSING),
            None => {}
        }
        Ok(())
    }

    /// Which colours a camera says it has made, and what else it says, which is left aside.
    fn exif(&mut self, exif: &Exif) {
        let field = |tag| exif.get_field(tag, In::PRIMARY);
        let text = |tag| field(tag).map(|field| field.display_value().to_string());
        let number = |tag| field(tag).and_then(|field| field.value.get_uint(0));
        if self.space.is_none() {
            let is_adobe = text(ExifTag::InteroperabilityIndex).is_some_and(|t| t.contains("R03"));
            if is_adobe || number(ExifTag::ColorSpace) == Some(2) {
                self.space = Some(ColorSpace::AdobeRgb);
            } else if number(ExifTag::ColorSpace) == Some(65535) {
                let gamma = field(ExifTag::Gamma).and_then(|field| match &field.value {
                    exif::Value::Rational(values) => values.first().map(|value| value.to_f32()),
                    _ => None,
                });
                self.space =
                    gamma.and_then(|gamma| ColorSpace::calibrated(Some(1.0 / gamma), None));
            }
        }
        let has = |tags: &[ExifTag]| tags.iter().any(|tag| field(*tag).is_some());
        self.left_aside([
            has(&[ExifTag::Make, ExifTag::Model, ExifTag::LensModel]),
            has(&[ExifTag::DateTimeOriginal, ExifTag::DateTime]),
            has(&[ExifTag::GPSLatitude, ExifTag::GPSLongitude]),
            has(&[ExifTag::Artist, ExifTag::Copyright]),
        ]);
    }

    /// Notes which data beside the picture there are.
    fn left_aside(&mut self, has: [bool; 4]) {
        let names = has.into_iter().zip(["camera", "time", "place", "author"]);
        let names: Vec<&str> = names.filter(|(has, _)| *has).map(|(_, name)| name).collect();
        if !names.is_empty() {
            self.note(format!("its EXIF data ({}) are not carried over", names.join(", ")));
        }
    }
}

/// Whether bytes are missing at the end of a WebP, and if so, whether some are the picture's; and how large
/// its largest chunk says it is.
fn chunks_of_webp(stream: &mut dyn Stream) -> io::Result<(Option<bool>, u64)> {
    let length = stream.seek(SeekFrom::End(0))?;
    let word = |stream: &mut dyn Stream, at: u64| {
        let mut word = [0; 4];
        stream.seek(SeekFrom::Start(at))?;
        stream.read_exact(&mut word).map(|()| word)
    };
    let said = u64::from(u32::from_le_bytes(word(stream, 4)?)) + 8;
    let (mut lacks, mut largest, mut at) = ((length < said).then_some(false), 0, 12);
    for _ in 0..MOST_CHUNKS {
        if at + 8 > length {
            break;
        }
        let name = word(stream, at)?;
        let size = u64::from(u32::from_le_bytes(word(stream, at + 4)?));
        let end = at + 8 + size;
        largest = largest.max(size);
        if matches!(&name, b"VP8 " | b"VP8L" | b"ANMF" | b"ALPH") && end > length {
            lacks = Some(true);
        }
        at = end + end % 2;
    }
    Ok((lacks, largest))
}

/// Whether a PNG has a chunk with a colour profile, and where its last chunk ends in the file.
fn chunks_of_png(stream: &mut dyn Stream) -> io::Result<(bool, u64)> {
    let length = stream.seek(SeekFrom::End(0))?;
    let (mut has_profile, mut at) = (false, 8);
    for _ in 0..MOST_CHUNKS {
        let mut head = [0; 8];
        stream.seek(SeekFrom::Start(at))?;
        if stream.read_exact(&mut head).is_err() {
            break;
        }
        has_profile |= &head[4..] == b"iCCP";
        at += 12 + u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        if &head[4..] == b"IEND" {
            break;
        }
    }
    stream.rewind().map(|()| (has_profile, at.min(length)))
}

/// The most bytes that a file of one picture of this size has: even noise takes no more than a tenth for its
/// pixels, and profiles, thumbnails and notes of the camera take the rest.
pub(super) fn most_bytes(width: u32, height: u32) -> u64 {
    (u64::from(width) * u64::from(height)).saturating_mul(48).saturating_add(1 << 26)
}

fn hdr(curve: &str) -> String {
    format!("its colours are HDR ({curve}), which is not supported: they will look pale")
}

fn number(tags: &mut IfdDecoder<'_>, tag: Tag) -> u32 {
    tags.find_tag_unsigned(tag).ok().flatten().unwrap_or(0)
}

/// Whether a directory's samples are those of a camera's sensor.
fn is_sensor(tags: &mut IfdDecoder<'_>) -> bool {
    SENSOR.contains(&number(tags, Tag::PhotometricInterpretation))
}
