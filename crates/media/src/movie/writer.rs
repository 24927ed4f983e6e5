//! One writer for all movie formats.

use tempfile::NamedTempFile;

#[cfg(feature = "h264")]
use super::mp4;
use super::verify::verify;
use super::{Container, FrameSink, MovieError, MovieFormat, MovieSpec, Sound, apng, external, gif};

/// A movie being written. Dropped before its end, it leaves nothing.
pub struct MovieWriter {
    sink: Box<dyn FrameSink>,
    frame_bytes: usize,
    spec: MovieSpec,
    written: u64,
    /// Whether ffmpeg writes it, whose word does not count.
    is_external: bool,
}

impl MovieFormat {
    /// Begins a movie in `out`, an empty file beside the place it will have.
    ///
    /// # Errors
    /// A size, rate or length that the format does not have, or no ffmpeg where one is needed.
    pub fn begin(self, spec: MovieSpec, out: NamedTempFile) -> Result<MovieWriter, MovieError> {
        let bytes = usize::try_from(spec.size.pixels().saturating_mul(3)).unwrap_or(usize::MAX);
        let is_external = matches!(self, Self::Ffmpeg(..));
        let kept = spec.clone();
        let sink: Box<dyn FrameSink> = match self {
            #[cfg(feature = "h264")]
            Self::Mp4 => Box::new(mp4::Mp4::new(spec, out)?),
            Self::Gif => Box::new(gif::Gif::new(spec, out)?),
            Self::Apng => Box::new(apng::Apng::new(&spec, out)?),
            Self::Ffmpeg(container, codec) => {
                Box::new(external::External::new(spec, container, codec, out)?)
            }
        };
        Ok(MovieWriter { sink, frame_bytes: bytes, spec: kept, written: 0, is_external })
    }
}

impl MovieWriter {
    /// Adds a frame: interleaved RGB of 8 bits, of the movie's size, as
    /// [`Image::to_rgb8`](crate::Image::to_rgb8) gives it.
    ///
    /// # Errors
    /// A frame of another size, or the encoder's word.
    pub fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        if rgb.len() != self.frame_bytes || rgb.is_empty() {
            let (got, wanted) = (rgb.len(), self.frame_bytes);
            return Err(MovieError::FrameSize { got, wanted });
        }
        self.sink.frame(rgb)?;
        self.written += 1;
        Ok(())
    }

    /// Ends the movie and gives back the file, complete.
    ///
    /// # Errors
    /// No frames, or whatever keeps the file from being completed.
    pub fn finish(self) -> Result<NamedTempFile, MovieError> {
        let file = self.sink.finish()?;
        if self.is_external {
            verify(file.path(), self.written, &self.spec.timing)?;
        }
        Ok(file)
    }

    /// Ends the movie and gives back a file of it with sound, complete, that is written to `out`.
    ///
    /// # Errors
    /// As [`Self::finish`] and [`Sound::join`].
    pub fn finish_with(
        self,
        sound: &Sound,
        container: Container,
        out: NamedTempFile,
    ) -> Result<NamedTempFile, MovieError> {
        // What is joined is looked at again: a look before that would tell nothing more.
        let file = self.sink.finish()?;
        sound.join(file.path(), &self.spec, container, out)
    }
}
