//! What the errors of pictures, movies and videos mean on the command line: an exit code, and the
//! flags that are a way out.

use media::movie::MovieError;
use media::video::VideoError;
use media::{ImageError, RecipeError};

use crate::exit::{Failure, Fault};

/// A failure with a hint, if there is one.
fn with_hint(fault: Fault, what: impl std::fmt::Display, hint: Option<String>) -> Failure {
    let failure = Failure::new(fault, what);
    match hint {
        Some(hint) => failure.or(hint),
        None => failure,
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        let fault = match error.fault() {
            media::Fault::Memory => Fault::Memory,
            media::Fault::Output => Fault::Output,
            media::Fault::Request => Fault::Usage,
            _ => Fault::Picture,
        };
        with_hint(fault, &error, error.hint())
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Image(error) => error.into(),
            error => with_hint(Fault::Recipe, &error, error.hint()),
        }
    }
}

impl From<VideoError> for Failure {
    fn from(error: VideoError) -> Self {
        let hint = match &error {
            VideoError::Cancelled { .. } => {
                return Failure::new(Fault::Interrupted, "stopped: nothing was dreamt");
            }
            VideoError::Folder { .. } => {
                Some("`deepdream frames` and `movie` work on folders".to_owned())
            }
            VideoError::Picture { .. } => Some("`deepdream image` dreams on pictures".to_owned()),
            VideoError::NoFrames { .. } => Some("change --start and --end".to_owned()),
            error => error.hint(),
        };
        with_hint(Fault::Picture, &error, hint)
    }
}

/// The flags that are a way out of what keeps a movie from being written.
pub(crate) fn movie_hint(error: &MovieError) -> Option<String> {
    let flags = match error {
        MovieError::NoChoice { .. } => "leave --codec and --ffmpeg away, or write an .mp4",
        MovieError::WebmCodec { .. } => "use --codec av1 or vp9, or another ending",
        MovieError::Size { .. } => "use a smaller --movie-size, or --ffmpeg",
        MovieError::GifRate(_) => "use --fps 50 or less, or write an .mp4",
        MovieError::NoCodec { .. } => "install a fuller build of ffmpeg, or choose another --codec",
        MovieError::Sound { .. } => {
            "write an .mkv, which takes any sound, or leave the sound out with --no-sound"
        }
        error => return error.hint(),
    };
    Some(flags.to_owned())
}
