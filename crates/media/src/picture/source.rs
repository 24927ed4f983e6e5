//! A picture that is opened once: its content says what it is, its header is checked, and the same
//! open file goes to the decoder.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use image::{ImageDecoder, ImageReader};
use tiff::decoder::Decoder;
use tiff::decoder::ifd::Value;
use tiff::tags::Tag;

use super::{ImageError, ImageFormat, jpeg};
use crate::FileKind;
use crate::kind::SNIFF_BYTES;
use crate::xmp;

/// The most pixels a picture may have: no header is believed beyond it.
const MOST_PIXELS: u64 = 1 << 30;

/// More than such a picture can take; decoders calculate with their limits, so these have one too.
const MOST_BYTES: u64 = 1 << 40;

/// A file, or bytes in memory.
pub(super) trait Stream: BufRead + Seek {}

impl<S: BufRead + Seek> Stream for S {}

/// A picture whose format is known, and of which nothing else has been read.
pub(super) struct Source<'a> {
    name: String,
    format: ImageFormat,
    bytes: u64,
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
            false => File::open(path),
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
        let bytes = (&mut stream)
            .take(SNIFF_BYTES as u64)
            .read_to_end(&mut start)
            .and_then(|_| stream.seek(io::SeekFrom::End(0)))
            .and_then(|bytes| stream.rewind().map(|()| bytes));
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(source) => return Err(ImageError::Read { name, source }),
        };
        if start.is_empty() {
            return Err(ImageError::Empty { name });
        }
        let kind = FileKind::sniff(&start);
        match kind.and_then(ImageFormat::of_kind) {
            Some(format) => Ok(Self { name, format, bytes, stream }),
            None => Err(ImageError::NotSupported { name, kind }),
        }
    }

    /// What errors call the picture.
    pub(super) fn name(&self) -> &str {
        &self.name
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

    /// A decoder that takes no more than `memory` bytes, for a picture that is complete, as far as
    /// its format tells early, and of a size that can be.
    pub(super) fn into_decoder(
        mut self,
        memory: u64,
    ) -> Result<impl ImageDecoder + 'a, ImageError> {
        let name = self.name;
        if self.format == ImageFormat::Jpeg {
            let scan = jpeg::scan(&mut self.stream)
                .and_then(|scan| self.stream.rewind().map(|()| scan))
                .map_err(|source| ImageError::Read { name: name.clone(), source })?;
            if !scan.complete {
                return Err(ImageError::Truncated { name });
            }
            if let Some((width, height)) = scan.size {
                check_dimensions(&name, width, height)?;
            }
            // Its decoder reads the whole file before anything else.
            if self.bytes > memory {
                let (needed, available) = (self.bytes, memory);
                return Err(ImageError::Memory { name, size: None, needed, available });
            }
        }
        let mut reader = ImageReader::with_format(self.stream, codec(self.format));
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(memory.min(MOST_BYTES));
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(|error| failed(&name, memory, &error))?;
        let (width, height) = decoder.dimensions();
        check_dimensions(&name, width, height)?;
        Ok(decoder)
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
            ImageError::Variety { name, problem: error.to_string() }
        }
        image::ImageError::Limits(_) => {
            let (size, needed) = (None, memory.saturating_add(1));
            ImageError::Memory { name, size, needed, available: memory }
        }
        image::ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { name }
        }
        error => ImageError::Damaged { name, problem: error.to_string() },
    }
}
