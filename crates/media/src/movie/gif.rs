//! GIF files: each frame has the 256 colours that suit it best, with dithering.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use ::gif::streaming_decoder::{Decoded, OutputBuffer, StreamingDecoder};
use ::gif::{AnyExtension, Encoder, EncodingError, Extension, Frame, Repeat};
use graph::Size;
use quantette::deps::palette::Srgb;
use quantette::deps::palette::cast::{FromComponents, IntoComponents};
use quantette::{ImageRef, Pipeline, QuantizeMethod};
use tempfile::NamedTempFile;

use super::{FrameSink, MovieError, MovieSpec};

/// Frame durations are in hundredths of a second.
const UNITS: u32 = 100;

/// Browsers slow down frames shorter than two hundredths.
const FASTEST: f64 = 50.0;

/// The most bytes of a comment that are read.
const MOST_BYTES: usize = 1 << 20;

/// A GIF file being written.
pub(super) struct Gif {
    spec: MovieSpec,
    encoder: Encoder<BufWriter<File>>,
    out: NamedTempFile,
    written: u64,
}

impl Gif {
    /// Begins a movie in `out` that plays for ever.
    ///
    /// # Errors
    /// A size or a frame rate that GIF does not allow.
    pub(super) fn new(spec: MovieSpec, out: NamedTempFile) -> Result<Self, MovieError> {
        if spec.timing.rate().per_second() > FASTEST {
            return Err(MovieError::GifRate(spec.timing.rate()));
        }
        let (Ok(width), Ok(height)) =
            (u16::try_from(spec.size.width), u16::try_from(spec.size.height))
        else {
            let most = Size::new(u16::MAX.into(), u16::MAX.into());
            return Err(MovieError::Size { format: "GIF", most, size: spec.size });
        };
        let file = BufWriter::new(out.as_file().try_clone()?);
        let mut encoder = Encoder::new(file, width, height, &[]).map_err(failed)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        if let Some(recipe) = &spec.recipe {
            encoder
                .write_raw_extension(AnyExtension(Extension::Comment as u8), &[recipe.as_bytes()])
                .map_err(failed)?;
        }
        Ok(Self { spec, encoder, out, written: 0 })
    }
}

impl FrameSink for Gif {
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        let pixels: &[Srgb<u8>] = <&[Srgb<u8>]>::from_components(rgb);
        let image = ImageRef::new(self.spec.width(), self.spec.height(), pixels)
            .map_err(|error| problem(&error))?;
        let indexed = Pipeline::new()
            .quantize_method(QuantizeMethod::kmeans())
            .input_image(image)
            .output_srgb8_indexed_image();
        let (palette, indices) = indexed.into_parts();
        let start = self.spec.timing.time(self.written, UNITS);
        let end = self.spec.timing.time(self.written + 1, UNITS);
        let frame = Frame {
            delay: u16::try_from(end - start).unwrap_or(u16::MAX),
            width: self.spec.size.width as u16,
            height: self.spec.size.height as u16,
            palette: Some(palette.into_components()),
            buffer: indices.into(),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(failed)?;
        self.written += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<NamedTempFile, MovieError> {
        if self.written == 0 {
            return Err(MovieError::Empty);
        }
        self.encoder.into_inner().map_err(failed)?.flush()?;
        Ok(self.out)
    }
}

/// The comment before a GIF's first frame: the recipe, if it has one.
///
/// # Errors
/// A file that cannot be read, or is no GIF.
pub(super) fn recipe_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut decoder = StreamingDecoder::new();
    let mut comment = Vec::new();
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let (used, event) =
            decoder.update(buffer, &mut OutputBuffer::None).map_err(io::Error::other)?;
        match event {
            Decoded::SubBlock { ext: AnyExtension(kind), is_last }
                if kind == Extension::Comment as u8 =>
            {
                comment.extend_from_slice(decoder.last_ext_sub_block());
                if is_last || comment.len() > MOST_BYTES {
                    return Ok(String::from_utf8(comment).ok());
                }
            }
            // The recipe comes before the first frame.
            Decoded::FrameMetadata(_) => return Ok(None),
            _ => {}
        }
        file.consume(used);
    }
}

fn failed(error: EncodingError) -> MovieError {
    match error {
        EncodingError::Io(error) => MovieError::Io(error),
        other => problem(&other),
    }
}

fn problem(error: &dyn std::fmt::Display) -> MovieError {
    MovieError::Encoder { encoder: "GIF", problem: error.to_string() }
}
