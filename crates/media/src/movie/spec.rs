//! What is common to all movie formats.

use std::fmt;
use std::str::FromStr;

use graph::Size;
use tempfile::NamedTempFile;

use super::MovieError;
use crate::Timing;

/// Takes the frames of a movie, one after the other. Dropped before its end, it leaves nothing.
pub(super) trait FrameSink: Send {
    /// Adds a frame: interleaved RGB of 8 bits, of the movie's size.
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError>;

    /// Ends the movie and gives back the file, complete.
    fn finish(self: Box<Self>) -> Result<NamedTempFile, MovieError>;
}

/// A movie that is to be written.
#[derive(Clone, Debug)]
pub struct MovieSpec {
    /// The size of every frame.
    pub size: Size,
    /// When frames are shown.
    pub timing: Timing,
    /// How many frames will come.
    pub frames: u64,
    /// How good the movie looks against how large its file is.
    pub quality: Quality,
    /// The recipe's text, to travel with the movie.
    pub recipe: Option<String>,
}

impl MovieSpec {
    /// Columns. No format counts further than this type.
    pub(super) fn width(&self) -> u32 {
        u32::try_from(self.size.width).unwrap_or(u32::MAX)
    }

    /// Rows.
    pub(super) fn height(&self) -> u32 {
        u32::try_from(self.size.height).unwrap_or(u32::MAX)
    }
}

/// How good a movie looks against how large its file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quality {
    /// For sending.
    Small,
    /// Hard to tell from the frames.
    #[default]
    Good,
    /// For further editing.
    Best,
}

impl Quality {
    /// Every quality, from the smallest file to the largest.
    pub const ALL: [Self; 3] = [Self::Small, Self::Good, Self::Best];

    /// Its name in lower case, which is parsed as well.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Good => "good",
            Self::Best => "best",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = Self::ALL;
        all.into_iter().find(|quality| quality.name() == text).ok_or_else(|| {
            format!("`{text}` is not a quality: use {}", all.map(Self::name).join(", "))
        })
    }
}
