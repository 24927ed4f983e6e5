//! What can be wrong with writing a movie.

use thiserror::Error;

use crate::ffmpeg::{FfmpegError, INSTALL};

/// Each says what, and the way out.
#[derive(Debug, Error)]
pub(crate) enum MovieError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// An encoder that is built in failed.
    #[error("the {encoder} encoder failed: {problem}")]
    Encoder {
        /// Which.
        encoder: &'static str,
        /// In its own words.
        problem: String,
    },
    /// A picture the format has no room for.
    #[error("{format} holds pictures of {limit}, not {width}×{height}: {way_out}")]
    Size {
        /// The format.
        format: &'static str,
        /// What it holds.
        limit: &'static str,
        /// Columns asked for.
        width: u32,
        /// Rows asked for.
        height: u32,
        /// What to do instead.
        way_out: &'static str,
    },
    /// More frames in a second than the format can show.
    #[error(
        "GIF shows at most 50 frames a second, not {0}: use --fps 50 or less, or write an .mp4"
    )]
    GifRate(super::Rate),
    /// More frames than the format counts.
    #[error("{format} holds at most {limit} frames: use fewer, or write an .mp4")]
    Length {
        /// The format.
        format: &'static str,
        /// How many.
        limit: u64,
    },
    /// No ffmpeg.
    #[error(
        "{what} is written by ffmpeg, which is not installed: {INSTALL}, or write .mp4 with H.264, .gif or .png, which need nothing"
    )]
    NoFfmpeg {
        /// What was to be written.
        what: String,
    },
    /// An ffmpeg that lacks the encoder.
    #[error(
        "the ffmpeg that is installed cannot write {codec}: it has none of {wanted}; install a fuller build, or choose another --codec"
    )]
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
    #[error(
        "the sound of {source_file} cannot go into a file of this kind ({container}): {said}: write an .mkv, which takes \
         any, or leave the sound out with --no-sound"
    )]
    Sound {
        /// The file that has it.
        source_file: String,
        /// What it was to go into.
        container: &'static str,
        /// ffmpeg's word.
        said: String,
    },
    /// A movie of nothing.
    #[error("there are no frames to make a movie of")]
    Empty,
}
