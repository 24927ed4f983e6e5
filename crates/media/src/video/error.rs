//! What can be wrong with a video that is read.

use std::io;

use graph::Size;
use thiserror::Error;

use crate::FileKind;
use crate::fault::{Fault, reason};
use crate::ffmpeg::FfmpegError;

/// Why a video cannot be read. The text says what and where; [`Self::hint`] says what to do about it.
/// `name` is the file's path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The file cannot be opened or read.
    #[error("could not read {name}: {}", reason(.source))]
    Read {
        /// The video.
        name: String,
        /// What the operating system reported.
        source: io::Error,
    },
    /// A folder.
    #[error("could not read {name}: it is a folder, not a video")]
    Folder {
        /// The folder.
        name: String,
    },
    /// The file is empty.
    #[error("could not read {name}: the file is empty")]
    Empty {
        /// The video.
        name: String,
    },
    /// A picture that does not move.
    #[error("could not read {name}: this is {kind}, not a video")]
    Picture {
        /// The file.
        name: String,
        /// What it is.
        kind: FileKind,
    },
    /// A file of a kind that never moves.
    #[error("could not read {name}: this is {kind}, not a video")]
    NotSupported {
        /// The file.
        name: String,
        /// What it is.
        kind: FileKind,
    },
    /// ffmpeg does not know what the file is.
    #[error("could not read {name}: it is not a video that ffmpeg can read: {problem}")]
    NotVideo {
        /// The file.
        name: String,
        /// What ffprobe reported.
        problem: String,
    },
    /// A file without moving pictures.
    #[error("could not read {name}: there are no moving pictures in this file")]
    NoPictures {
        /// The file.
        name: String,
    },
    /// Frames that are too large.
    #[error("could not read {name}: its frames have {size} pixels, but at most {} megapixels are read", most >> 20)]
    TooLarge {
        /// The video.
        name: String,
        /// Its frames' size.
        size: Size,
        /// The most pixels.
        most: u64,
    },
    /// The video makes no sense, or ffmpeg does not know its codec.
    #[error("could not read {name}: {problem}")]
    Broken {
        /// The video.
        name: String,
        /// What.
        problem: String,
    },
    /// There are no frames between two times.
    #[error("{name} has no frames in this part: it lasts {seconds:.3} s")]
    NoFrames {
        /// The video.
        name: String,
        /// How long the whole of it lasts.
        seconds: f64,
    },
    /// A frame that cannot be decoded.
    #[error("could not read {name}: frame {frame} cannot be decoded: {problem}")]
    Decode {
        /// The video.
        name: String,
        /// The frame's number in the whole video, from 0.
        frame: u64,
        /// What ffmpeg reported.
        problem: String,
    },
    /// ffmpeg or ffprobe.
    #[error("could not read {name}: videos are read with ffmpeg: {error}")]
    Ffmpeg {
        /// The video.
        name: String,
        /// The cause.
        #[source]
        error: FfmpegError,
    },
    /// The caller has ended the work.
    #[error("stopped reading {name}")]
    Cancelled {
        /// The video.
        name: String,
    },
}

impl VideoError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Ffmpeg { error, .. } if error.is_missing() => Fault::Ffmpeg,
            Self::NoFrames { .. } => Fault::Request,
            Self::Cancelled { .. } => Fault::Cancelled,
            _ => Fault::Input,
        }
    }

    /// What to do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ffmpeg { error, .. } => error.hint(),
            Self::TooLarge { .. } => Some("Make the video smaller first.".to_owned()),
            _ => None,
        }
    }
}
