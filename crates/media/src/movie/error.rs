//! What can be wrong with writing a movie.

use graph::Size;
use thiserror::Error;

use crate::FrameRate;
use crate::fault::Fault;
use crate::ffmpeg::{FfmpegError, INSTALL};

/// Why a movie cannot be written. The text says what; [`Self::hint`] says what to do about it. `name`
/// is the file's path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MovieError {
    /// A name that says no format.
    #[error("could not tell from the name {name} which kind of movie to write")]
    Name {
        /// The movie.
        name: String,
    },
    /// A codec or ffmpeg was asked for where there is no choice.
    #[error("{name}: .{extension} files have one codec of their own")]
    NoChoice {
        /// The movie.
        name: String,
        /// Its extension.
        extension: String,
    },
    /// A codec that WebM does not hold.
    #[error("{name}: .webm files hold AV1 and VP9 only")]
    WebmCodec {
        /// The movie.
        name: String,
    },
    /// ProRes in MP4.
    #[error("{name}: .mp4 files do not hold ProRes")]
    Mp4Codec {
        /// The movie.
        name: String,
    },
    /// The operating system reported an error.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A built-in encoder failed.
    #[error("the {encoder} encoder failed: {problem}")]
    Encoder {
        /// Which.
        encoder: &'static str,
        /// What it reported.
        problem: String,
    },
    /// A size the format has no room for.
    #[error("{format} holds frames of up to {most} pixels, not {size}")]
    Size {
        /// The format.
        format: &'static str,
        /// The largest size.
        most: Size,
        /// The size asked for.
        size: Size,
    },
    /// A frame of another size than the movie's.
    #[error("a frame has {got} bytes instead of {wanted}")]
    FrameSize {
        /// How many bytes there are.
        got: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// More frames in a second than GIF can show.
    #[error("GIF shows at most 50 frames a second, not {0}")]
    GifRate(FrameRate),
    /// More frames than the format counts.
    #[error("{format} holds at most {most} frames")]
    Length {
        /// The format.
        format: &'static str,
        /// How many.
        most: u64,
    },
    /// No ffmpeg, where one is needed.
    #[error("{what} is written with ffmpeg, which is not installed")]
    NoFfmpeg {
        /// What was to be written.
        what: &'static str,
    },
    /// An ffmpeg that lacks the encoder.
    #[error("the installed ffmpeg cannot write {codec}: it has none of {wanted}")]
    NoCodec {
        /// The codec.
        codec: &'static str,
        /// Encoders that would do.
        wanted: String,
    },
    /// ffmpeg could not be started, or gave up.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// A container that does not take the sound as it is.
    #[error("the sound of {name} cannot be copied into a {container} file: {problem}")]
    Sound {
        /// The file that has it.
        name: String,
        /// What it was to go into.
        container: &'static str,
        /// What ffmpeg reported.
        problem: String,
    },
    /// A file without sound, where its sound is wanted.
    #[error("{name} has no sound")]
    NoSound {
        /// The file.
        name: String,
    },
    /// A movie that ffmpeg has not written to its end, whatever it reported.
    #[error(
        "ffmpeg wrote only a part of the movie, in which {found} of {frames} frames can be read"
    )]
    Cut {
        /// How many frames there should be.
        frames: u64,
        /// How many there are.
        found: u64,
    },
    /// A movie of nothing.
    #[error("there are no frames to make a movie of")]
    Empty,
}

impl MovieError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoFfmpeg { .. } | Self::NoCodec { .. } => Fault::Ffmpeg,
            Self::Ffmpeg(error) if error.is_missing() => Fault::Ffmpeg,
            Self::Name { .. }
            | Self::NoChoice { .. }
            | Self::WebmCodec { .. }
            | Self::Mp4Codec { .. }
            | Self::FrameSize { .. } => Fault::Request,
            _ => Fault::Output,
        }
    }

    /// What to do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Name { .. } => "End it in .mp4, .gif, .png, .webm, .mov or .mkv.".to_owned(),
            Self::NoChoice { .. } => "Write an .mp4 to choose a codec.".to_owned(),
            Self::WebmCodec { .. } => {
                "Choose AV1 or VP9, or end the name in .mp4 or .mkv.".to_owned()
            }
            Self::Mp4Codec { .. } => "End the name in .mov.".to_owned(),
            Self::Size { .. } => "Make the movie smaller, or let ffmpeg write it.".to_owned(),
            Self::GifRate(_) => "Use 50 frames a second or fewer, or write an .mp4.".to_owned(),
            Self::Length { .. } => "Use fewer frames, or write an .mp4.".to_owned(),
            Self::NoFfmpeg { .. } => {
                format!("{INSTALL} MP4 with H.264, GIF and animated PNG need no ffmpeg.")
            }
            Self::NoCodec { .. } => {
                "Install a build of ffmpeg with more encoders, or choose another codec.".to_owned()
            }
            Self::Ffmpeg(error) => return error.hint(),
            Self::Sound { .. } => {
                "Write an .mkv, which takes any sound, or leave the sound out.".to_owned()
            }
            Self::NoSound { .. } => {
                "Name a file that has sound, or leave the sound out.".to_owned()
            }
            Self::Cut { .. } => {
                "Make room on the disk, or raise the limit on the size of files.".to_owned()
            }
            Self::Io(_) | Self::Encoder { .. } | Self::FrameSize { .. } | Self::Empty => {
                return None;
            }
        };
        Some(text)
    }
}
