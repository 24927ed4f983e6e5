//! The recipe that a movie carries: found in MP4 and GIF without help, in other kinds by ffprobe.

use std::path::Path;

use super::gif;
#[cfg(feature = "h264")]
use super::mp4;
use crate::ffmpeg::{FfmpegError, ProbeOutput};
use crate::{FileKind, Limits};

/// The text of the recipe that a movie carries, if it does.
///
/// # Errors
/// Only ffprobe could tell, and it is missing or cannot read the file.
pub(crate) fn recipe_of(
    path: &Path,
    kind: FileKind,
    limits: &Limits,
) -> Result<Option<String>, FfmpegError> {
    let found = match kind {
        FileKind::Gif => return Ok(gif::recipe_of(path).ok().flatten()),
        #[cfg(feature = "h264")]
        FileKind::Mp4 | FileKind::QuickTime => mp4::recipe_of(path),
        _ => None,
    };
    match found {
        Some(text) => Ok(Some(text)),
        None if !limits.ffprobe => Ok(None),
        None => Ok(ProbeOutput::of(path)?.recipe()),
    }
}
