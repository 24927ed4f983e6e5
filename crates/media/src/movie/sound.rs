//! The sound, subtitles and chapters of a file, copied unchanged into a movie by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;

use super::verify::verify;
use super::{Container, MovieError, MovieSpec};
use crate::ffmpeg::{self, Program, Running};
use crate::{clear_scratch, scratch_file};

/// The sound of a file, or of a part of it, with the subtitles and chapters that go with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// The file that has it.
    pub source: PathBuf,
    /// Where in the file the part begins, in seconds. Without it, the part begins with the file.
    pub start: Option<f64>,
    /// Where it ends, in seconds. Without it, the part ends with the file.
    pub end: Option<f64>,
    /// How many seconds after the start of the part the movie's first frame is shown.
    pub offset: f64,
}

impl Sound {
    /// The sound of a file up to `end`, in seconds.
    pub fn of(source: &Path, end: f64) -> Self {
        Self { source: source.to_owned(), start: None, end: Some(end), offset: 0.0 }
    }

    /// Adds it to a silent movie, all of `spec`'s frames. The result is written to `out`.
    ///
    /// # Errors
    /// ffmpeg is missing or too old, it fails, or the result is not whole.
    pub fn join(
        &self,
        movie: &Path,
        spec: &MovieSpec,
        container: Container,
        out: NamedTempFile,
    ) -> Result<NamedTempFile, MovieError> {
        let mut command = Program::Ffmpeg.command();
        if self.offset > 0.0 {
            command.args(["-itsoffset", &format!("{:.6}", self.offset)]);
        }
        ffmpeg::input(&mut command, movie);
        self.input(&mut command);
        command.args(["-map", "0:v", "-map", "1:a"]);
        // Other containers need subtitles in another form, and so does this one for some sources.
        if container == Container::Matroska && self.fits("0:s", container).is_ok() {
            command.args(["-map", "1:s"]);
        }
        command.args(["-c", "copy"]);
        if self.start.is_some() {
            // Otherwise up to some seconds before the start are copied as well.
            command.args(["-copypriorss", "0"]);
        }
        command.args(["-map_metadata", "0", "-map_chapters", "1"]);
        if matches!(container, Container::Mp4 | Container::Mov) {
            command.args(["-movflags", "+faststart"]);
        }
        finish(&mut command, container, out.path());
        // In some formats, where a file begins for ffmpeg depends on which of its streams are read.
        command.args(["-map", "1:v?", "-c", "copy", "-f", "null", "-"]);
        run(command)?;
        verify(out.path(), spec.frames, &spec.timing)?;
        Ok(out)
    }

    /// Checks whether the container takes this sound, by copying a second of it.
    ///
    /// # Errors
    /// [`MovieError::Sound`]: it does not. [`MovieError::NoSound`]: there is none. Or ffmpeg is missing or too old.
    pub fn check(&self, container: Container) -> Result<(), MovieError> {
        self.fits("0:a", container).map_err(|error| match error {
            MovieError::Ffmpeg(ffmpeg::FfmpegError::Failed { stderr, .. })
                if stderr.contains("matches no streams") =>
            {
                MovieError::NoSound { name: self.source.display().to_string() }
            }
            MovieError::Ffmpeg(ffmpeg::FfmpegError::Failed { stderr, .. }) => MovieError::Sound {
                name: self.source.display().to_string(),
                container: container.name(),
                problem: stderr.lines().next().unwrap_or_default().trim().to_owned(),
            },
            other => other,
        })
    }

    /// Tries to copy a second of some streams.
    fn fits(&self, streams: &str, container: Container) -> Result<(), MovieError> {
        let folder = std::env::temp_dir();
        clear_scratch(&folder);
        let trial = scratch_file(&folder)?;
        let mut command = Program::Ffmpeg.command();
        command.args(["-t", "1"]);
        ffmpeg::input(&mut command, &self.source);
        command.args(["-map", streams, "-c", "copy"]);
        finish(&mut command, container, trial.path());
        run(command)
    }

    fn input(&self, command: &mut Command) {
        if let Some(start) = self.start {
            command.args(["-ss", &format!("{start:.6}")]);
        }
        if let Some(end) = self.end {
            command.args(["-to", &format!("{end:.6}")]);
        }
        ffmpeg::input(command, &self.source);
    }
}

/// Adds the last options of an output.
fn finish(command: &mut Command, container: Container, out: &Path) {
    // Otherwise Matroska files contain a random number.
    command.args(["-fflags", "+bitexact", "-f", container.name()]).arg(out);
}

fn run(mut command: Command) -> Result<(), MovieError> {
    Running::start(Program::Ffmpeg, &mut command)?.end()?;
    Ok(())
}
