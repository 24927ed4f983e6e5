//! How movies are compressed.

use std::path::Path;

use media::movie::{Codec, MovieFormat, Quality, Sound};

use super::timeline::{Target, Timeline};
use crate::output::Output;
use crate::progress::Run;
use crate::{Error, Fault, Knob, Result};

/// How a movie is compressed. `default()` suits its kind of file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// How its pictures are compressed. Default: H.264 in .mp4 and .mkv, AV1 in .webm, ProRes in .mov.
    pub codec: Option<Codec>,
    /// Whether ffmpeg compresses H.264 as well, better than the built-in encoder does. Default: no.
    pub ffmpeg: bool,
    /// How good it is to look, against its size. Default: good.
    pub quality: Quality,
    /// Longest side of the movie in pixels. Default: the frames' own.
    pub longest: Option<u32>,
}

impl Encoding {
    /// The format for a file of this name.
    ///
    /// # Errors
    /// A name or a combination that makes no sense.
    pub(crate) fn format(&self, path: &Path) -> Result<MovieFormat> {
        Ok(MovieFormat::choose(path, self.codec, self.ffmpeg)?)
    }

    /// Writes a movie of frames that are there.
    ///
    /// # Errors
    /// Frames that cannot be read, or whatever keeps the movie from being written.
    pub(crate) fn write(
        &self,
        timeline: &Timeline,
        format: MovieFormat,
        output: &Output,
        run: Run,
    ) -> Result<()> {
        let Encoding { quality, longest, .. } = *self;
        let target = Target { format, quality, longest, output, scratch: None, tells: true };
        let (file, content) = timeline.write(&target, run)?;
        output.place(file)?;
        run.wrote(output.path(), content);
        Ok(())
    }
}

/// Whether a movie of this format, for `output`, can have the sound.
///
/// # Errors
/// It cannot, or the file has none.
pub(crate) fn check_sound(sound: &Sound, format: MovieFormat, output: &Output) -> Result<()> {
    let Some(container) = format.container() else {
        let what = format!("{} cannot have sound", output.path().display());
        return Err(Error::new(Fault::Usage, what)
            .at(output.path())
            .turn(Knob::Output, "Write an .mp4.")
            .hint("Or leave the sound out."));
    };
    sound.check(container).map_err(|error| output.refused(error))
}
