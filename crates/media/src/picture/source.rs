//! A picture that is opened once: its content says what it is, its header is checked, and the same
//! open file goes to the decoder.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use graph::{Size, Storage};
use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader};
use tiff::decoder::Decoder;
use tiff::decoder::ifd::Value;
use tiff::tags::Tag;

use super::facts::{END_MISSING, ENDLESS, Facts, most_bytes};
use super::samples::{Samples, upright};
use super::strips::Strips;
use super::{ImageError, ImageFormat, Limits, jpeg};
use crate::kind::SNIFF_BYTES;
use crate::xmp;
use crate::{FileKind, check_regular};

/// The most pixels a picture may have: no header is believed beyond it.
const MOST_PIXELS: u64 = 1 << 30;

/// More than such a picture can take; decoders calculate with their limits, so these have one too.
const MOST_BYTES: u64 = 1 << 40;

/// The most that a PNG's chunks beside the pixels may take, and a row of them.
const MOST_BESIDE: u64 = 1 << 26;

/// The last chunk of a PNG.
const PNG_END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// A file, or bytes in memory.
pub(super) trait Stream: BufRead + Seek {}

impl<S: BufRead + Seek> Stream for S {}

/// A picture whose format is known, and of which nothing else has been read.
pub(super) struct Source<'a> {
    name: String,
    format: ImageFormat,
    stream: Box<dyn Stream + 'a>,
}

impl ImageFormat {
    /// The format of a file by its content; its name does not matter.
    ///
    /// # Errors
    /// A file that cannot be opened, is empty, or is no picture of these formats.
    pub fn of_file(path: &Path) -> Result<Self, ImageError> {
        Ok(Source::open(path)?.format)
    }
}

impl Source<'static> {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Self, ImageError> {
        let name = path.display().to_string();
        // Some systems open a folder and cannot read it, others deny access to it.
        let file = match path.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => check_regular(path).and_then(|()| File::open(path)),
        };
        match file {
            Ok(file) => Self::new(name, Box::new(BufReader::new(file))),
            Err(source) => Err(ImageError::Read { name, source }),
        }
    }
}

impl<'a> Source<'a> {
    /// Takes bytes for a file's.
    pub(super) fn of_bytes(bytes: &'a [u8]) -> Result<Self, ImageError> {
        Self::new("the image".to_owned(), Box::new(Cursor::new(bytes)))
    }

    fn new(name: String, mut stream: Box<dyn Stream + 'a>) -> Result<Self, ImageError> {
        let mut start = Vec::new();
        let read = (&mut stream).take(SNIFF_BYTES as u64).read_to_end(&mut start);
        if let Err(source) = read.and_then(|_| stream.rewind()) {
            return Err(ImageError::Read { name, source });
        }
        if start.is_empty() {
            return Err(ImageError::Empty { name });
        }
        let kind = FileKind::sniff(&start);
        match kind.and_then(ImageFormat::of_kind) {
            Some(format) => Ok(Self { name, format, stream }),
            None => Err(ImageError::NotSupported { name, kind }),
        }
    }

    /// What its content says it is.
    pub(super) fn format(&self) -> ImageFormat {
        self.format
    }

    /// The bytes of a TIFF's tag; `None` for other formats. `image`'s decoder allows tags no more
    /// memory than the pixels take, which in a small picture is too little.
    pub(super) fn tiff_tag(&mut self, tag: Tag) -> Option<Vec<u8>> {
        if self.format != ImageFormat::Tiff {
            return None;
        }
        let mut limits = tiff::decoder::Limits::default();
        limits.decoding_buffer_size = xmp::MOST_BYTES * size_of::<Value>();
        let value = Decoder::new(&mut self.stream)
            .and_then(|decoder| decoder.with_limits(limits).get_tag_u8_vec(tag));
        self.stream.rewind().ok()?;
        value.ok()
    }

    /// The headers of a picture of a size that can be, which is read within `limits`.
    ///
    /// # Errors
    /// A header that makes no sense, a file that is no picture after all, or one that is too large.
    pub(super) fn open_within(self, limits: &Limits) -> Result<Opened<'a>, ImageError> {
        let Self { name, format, mut stream } = self;
        let (memory, storage) = (limits.memory, limits.storage.clone());
        let read = |source| ImageError::Read { name: name.clone(), source };
        let mut facts = Facts::of(format, &name, &mut stream)?;
        stream.rewind().map_err(read)?;
        let mut lacks_end = false;
        if format == ImageFormat::Png
            && let Some(file) = png_without_end(&mut stream).map_err(read)?
        {
            // Whether more is missing, the decoder says.
            lacks_end = true;
            facts.notes.push(END_MISSING.to_owned());
            stream = Box::new(Cursor::new(file));
        }
        stream.rewind().map_err(read)?;
        let mut scanned = None;
        if format == ImageFormat::Jpeg {
            let (scan, file) = scan_jpeg(&name, stream, memory)?;
            let headers =
                if scan.is_rare() { scan.with_plain_sampling(&file) } else { file.clone() };
            stream = Box::new(Cursor::new(headers));
            lacks_end = !scan.has_end;
            scanned = Some((scan, file));
        }
        let strips = match format == ImageFormat::Tiff && storage.as_scratch().is_some() {
            true => Strips::open(stream),
            false => Err(stream),
        };
        let is_strips = strips.is_ok();
        let mut decoder: Box<dyn ImageDecoder + 'a> = match strips {
            Ok(strips) => Box::new(strips),
            Err(stream) => {
                let mut reader = ImageReader::with_format(stream, codec(format));
                let mut most_allocated = image::Limits::no_limits();
                // A PNG's limit is that of what it has beside its pixels, packed or not.
                let most = if format == ImageFormat::Png { MOST_BESIDE } else { MOST_BYTES };
                most_allocated.max_alloc = Some(memory.min(most));
                reader.limits(most_allocated);
                match reader.into_decoder() {
                    Ok(decoder) => Box::new(decoder),
                    Err(_) if lacks_end => return Err(ImageError::Truncated { name }),
                    Err(image::ImageError::Unsupported(_)) if facts.refusal.is_some() => {
                        let problem = facts.refusal.unwrap_or_default();
                        return Err(ImageError::Variety { name, problem });
                    }
                    Err(image::ImageError::Limits(_))
                        if format == ImageFormat::Png && memory > most =>
                    {
                        return Err(ImageError::Damaged { name, problem: ENDLESS.to_owned() });
                    }
                    Err(error) => return Err(failed(&name, memory, &error)),
                }
            }
        };
        let (width, height) = decoder.dimensions();
        check_dimensions(&name, width, height)?;
        facts.add(&mut *decoder);
        let size = Size::new(height as usize, width as usize);
        let has_alpha = decoder.color_type().has_alpha();
        let file = scanned.as_ref().map_or(0, |(scan, _)| scan.length);
        let samples = decoder.total_bytes();
        let planes = size.pixels() * (3 + u64::from(has_alpha)) * 4;
        let needed = match storage.as_scratch() {
            // A JPEG's bytes, which its two decoders copy; what is kept of the samples beside what decoders are asked
            // for; and the samples and every channel as f32.
            None => file.saturating_mul(3).saturating_add(samples.saturating_mul(2) + planes),
            Some(scratch) => {
                let room = scratch.room();
                let lying = samples.saturating_add(planes);
                if lying > room {
                    let place = scratch.place();
                    return Err(ImageError::Scratch { name, size, needed: lying, room, place });
                }
                // How many times decoders keep the samples for themselves.
                let kept = match (format, is_strips) {
                    (ImageFormat::Png | ImageFormat::Bmp, _) | (_, true) => 0,
                    (ImageFormat::Tiff, false) => 1,
                    (ImageFormat::WebP, _) => 2,
                    (ImageFormat::Jpeg, _) => 4,
                };
                file.saturating_mul(3).saturating_add(samples.saturating_mul(kept))
            }
        };
        if needed > memory {
            let (size, available) = (Some(size), memory);
            return Err(ImageError::Memory { name, size, needed, available });
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Opened { name, memory, storage, decoder, scanned, lacks_end, facts, orientation })
    }
}

/// A picture whose headers have been read and found right.
pub(super) struct Opened<'a> {
    name: String,
    memory: u64,
    storage: Storage,
    decoder: Box<dyn ImageDecoder + 'a>,
    /// What the markers of a JPEG say, and its bytes.
    scanned: Option<(jpeg::Scan, Vec<u8>)>,
    /// Whether the end of a JPEG or PNG is missing, and maybe more.
    lacks_end: bool,
    /// What is known beside the samples.
    pub(super) facts: Facts,
    /// How it is turned upright.
    pub(super) orientation: Orientation,
}

impl Opened<'_> {
    /// Its size once it is upright.
    pub(super) fn size(&self) -> Size {
        let (width, height) = self.decoder.dimensions();
        upright(Size::new(height as usize, width as usize), self.orientation).0
    }

    /// An XMP packet.
    pub(super) fn xmp(&mut self) -> Option<Vec<u8>> {
        self.decoder.xmp_metadata().ok().flatten()
    }

    /// Its samples.
    ///
    /// # Errors
    /// It is damaged or cut off.
    pub(super) fn samples(mut self) -> Result<(Samples, Facts), ImageError> {
        let mut apart = None;
        if let Some((scan, file)) = &self.scanned {
            match jpeg::look(file, scan) {
                jpeg::Look::Cut if scan.has_end => {
                    let problem = "its data end before the picture does".to_owned();
                    return Err(ImageError::Damaged { name: self.name, problem });
                }
                jpeg::Look::Cut => return Err(ImageError::Truncated { name: self.name }),
                jpeg::Look::Unknown if self.lacks_end => {
                    return Err(ImageError::Truncated { name: self.name });
                }
                jpeg::Look::Unknown if scan.is_rare() => {
                    let problem =
                        "it is a JPEG with a rare sampling of its colours, which is not supported";
                    return Err(ImageError::Variety {
                        name: self.name,
                        problem: problem.to_owned(),
                    });
                }
                jpeg::Look::Unknown => {}
                jpeg::Look::Damaged(problem) if scan.is_rare() => {
                    return Err(ImageError::Damaged { name: self.name, problem });
                }
                jpeg::Look::Damaged(problem) => self
                    .facts
                    .notes
                    .push(format!("it is damaged, and a part of it may be wrong: {problem}")),
                jpeg::Look::Whole(samples, channels) => {
                    if self.lacks_end {
                        self.facts.notes.push(END_MISSING.to_owned());
                    }
                    apart = scan.is_rare().then_some((samples, channels));
                }
            }
        }
        self.scanned = None;
        let (width, height) = self.decoder.dimensions();
        let size = Size::new(height as usize, width as usize);
        let samples = match apart {
            Some((samples, channels)) => Samples::made(size, channels, &samples),
            None => {
                let decoded = Samples::decoded(self.decoder, &self.storage);
                Some(decoded.map_err(|error| match self.lacks_end {
                    true => ImageError::Truncated { name: self.name.clone() },
                    false => failed(&self.name, self.memory, &error),
                })?)
            }
        };
        match samples {
            None => Err(ImageError::Truncated { name: self.name }),
            Some(samples) => Ok((samples, self.facts)),
        }
    }
}

fn codec(format: ImageFormat) -> image::ImageFormat {
    match format {
        ImageFormat::Png => image::ImageFormat::Png,
        ImageFormat::Jpeg => image::ImageFormat::Jpeg,
        ImageFormat::WebP => image::ImageFormat::WebP,
        ImageFormat::Tiff => image::ImageFormat::Tiff,
        ImageFormat::Bmp => image::ImageFormat::Bmp,
    }
}

/// What the markers of a JPEG say, and its bytes: its decoders read all of them before anything else.
fn scan_jpeg(
    name: &str,
    mut stream: Box<dyn Stream + '_>,
    memory: u64,
) -> Result<(jpeg::Scan, Vec<u8>), ImageError> {
    let name = || name.to_owned();
    let read = |source| ImageError::Read { name: name(), source };
    let scan = jpeg::scan(&mut stream).map_err(read)?;
    if let Some(problem) = scan.beyond {
        return Err(ImageError::Variety { name: name(), problem: problem.to_owned() });
    }
    if let Some((width, height)) = scan.size {
        check_dimensions(&name(), width, height)?;
    }
    if scan.is_endless {
        return Err(ImageError::Damaged { name: name(), problem: ENDLESS.to_owned() });
    }
    if scan.length > memory {
        let (needed, available) = (scan.length, memory);
        return Err(ImageError::Memory { name: name(), size: None, needed, available });
    }
    let mut file = Vec::new();
    stream.rewind().map_err(read)?;
    stream.take(scan.length).read_to_end(&mut file).map_err(read)?;
    Ok((scan, file))
}

/// The bytes of a PNG that lacks its last chunk, with that chunk; `None` for one that has it, or that is
/// longer than any of its size.
fn png_without_end(stream: &mut dyn Stream) -> io::Result<Option<Vec<u8>>> {
    let length = stream.seek(SeekFrom::End(0))?;
    let mut part = |at: u64, most: u64| {
        let mut part = Vec::new();
        stream.seek(SeekFrom::Start(at))?;
        (&mut *stream).take(most).read_to_end(&mut part).map(|_| part)
    };
    if part(length.saturating_sub(PNG_END.len() as u64), u64::MAX)? == PNG_END {
        return Ok(None);
    }
    let size = part(16, 8)?;
    let side = |at: usize| {
        size.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    };
    if length > most_bytes(side(0), side(4)) {
        return Ok(None);
    }
    let mut file = part(0, length)?;
    if file.windows(PNG_END.len()).any(|window| window == PNG_END) {
        return Ok(None);
    }
    let begun = (1..PNG_END.len()).rev().find(|&count| file.ends_with(&PNG_END[..count]));
    file.truncate(file.len() - begun.unwrap_or(0));
    file.extend_from_slice(&PNG_END);
    Ok(Some(file))
}

fn check_dimensions(name: &str, width: u32, height: u32) -> Result<(), ImageError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS {
        let (name, most) = (name.to_owned(), MOST_PIXELS);
        return Err(ImageError::Dimensions { name, width, height, most });
    }
    Ok(())
}

/// What a decoder's failure means for a picture that is called `name`.
pub(super) fn failed(name: &str, memory: u64, error: &image::ImageError) -> ImageError {
    let name = name.to_owned();
    match error {
        image::ImageError::Unsupported(error) => {
            ImageError::Variety { name, problem: error.to_string().trim().to_owned() }
        }
        image::ImageError::Limits(_) => {
            let (size, needed) = (None, memory.saturating_add(1));
            ImageError::Memory { name, size, needed, available: memory }
        }
        image::ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { name }
        }
        error => ImageError::Damaged { name, problem: error.to_string().trim().to_owned() },
    }
}
