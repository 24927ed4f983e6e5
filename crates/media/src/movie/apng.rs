//! Animated PNG: lossless, and played by every browser.

use std::fs::File;
use std::io::BufWriter;

use png::{BitDepth, ColorType, Encoder, EncodingError, SrgbRenderingIntent, Writer};
use tempfile::NamedTempFile;

use super::{FrameSink, MovieError, MovieSpec};
use crate::{Timing, xmp};

/// An animated PNG being written.
pub(super) struct Apng {
    writer: Writer<BufWriter<File>>,
    timing: Timing,
    out: NamedTempFile,
    written: u64,
}

impl Apng {
    /// Begins a movie in `out` that plays for ever.
    ///
    /// # Errors
    /// More frames than the format counts.
    pub(super) fn new(spec: &MovieSpec, out: NamedTempFile) -> Result<Self, MovieError> {
        let frames = u32::try_from(spec.frames)
            .map_err(|_| MovieError::Length { format: "PNG", most: u64::from(u32::MAX) })?;
        if frames == 0 {
            return Err(MovieError::Empty);
        }
        let file = BufWriter::new(out.as_file().try_clone()?);
        let mut encoder = Encoder::new(file, spec.width(), spec.height());
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
        encoder.set_animated(frames, 0).map_err(failed)?;
        if let Some(recipe) = &spec.recipe {
            let packet = xmp::packet(recipe);
            encoder.add_itxt_chunk(xmp::PNG_KEYWORD.to_owned(), packet).map_err(failed)?;
        }
        let (writer, timing) = (encoder.write_header().map_err(failed)?, spec.timing.clone());
        Ok(Self { writer, timing, out, written: 0 })
    }
}

impl FrameSink for Apng {
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        let (duration, second) = self.timing.delay(self.written);
        self.writer.set_frame_delay(duration, second).map_err(failed)?;
        self.writer.write_image_data(rgb).map_err(failed)?;
        self.written += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<NamedTempFile, MovieError> {
        self.writer.finish().map_err(failed)?;
        Ok(self.out)
    }
}

fn failed(error: EncodingError) -> MovieError {
    match error {
        EncodingError::IoError(error) => MovieError::Io(error),
        other => MovieError::Encoder { encoder: "PNG", problem: other.to_string() },
    }
}
