//! What the queue makes: files of pictures and movies, beside the dream that is steered.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::workshop::Source;

/// What is to be made of a recipe and its start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// A picture.
    Picture {
        /// Its longest side in pixels. Default: the start's own.
        #[serde(default)]
        longest: Option<u32>,
        /// The ending of its file's name, which says its format.
        extension: String,
        /// Whether it has 16 bits a channel, where its format can have them.
        #[serde(default)]
        sixteen: bool,
    },
    /// A movie that falls into the photo.
    Zoom {
        /// How long it is.
        seconds: f64,
        /// The motion's name. Default: a slow fall.
        #[serde(default)]
        motion: Option<String>,
        /// Frames in a second.
        fps: u32,
        /// Its longest side in pixels.
        longest: u32,
    },
    /// A dreamt video, with its sound.
    Video {
        /// The time, in seconds, of its first frame. Default: the beginning.
        #[serde(default)]
        start: Option<f64>,
        /// The time before which to end. Default: the end.
        #[serde(default)]
        end: Option<f64>,
        /// Its longest side in pixels. Default: the video's own.
        #[serde(default)]
        longest: Option<u32>,
        /// How its dreams follow from each other: `flow`, `blend` or `independent`. Default: as the recipe says.
        #[serde(default)]
        coherence: Option<String>,
    },
    /// Some frames of a video, each dreamt on by itself, side by side in one picture.
    Sample {
        /// Their times in seconds.
        at: Vec<f64>,
        /// The longest side of each in pixels.
        longest: u32,
    },
}

/// What is known of a video before anything is dreamt on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How long it is.
    pub seconds: f64,
    /// Frames in a second, on the mean.
    pub rate: f64,
    /// The ending of names for files of its kind, without a dot.
    pub extension: String,
}

impl Wanted {
    /// Whether it is made of a video.
    pub fn is_of_video(&self) -> bool {
        matches!(self, Self::Video { .. } | Self::Sample { .. })
    }

    /// The ending of the file's name.
    pub fn extension(&self) -> &str {
        match self {
            Self::Picture { extension, .. } => extension,
            Self::Zoom { .. } | Self::Video { .. } => "mp4",
            Self::Sample { .. } => "jpg",
        }
    }
}

/// A file that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    /// What it starts from.
    pub source: Source,
    /// What messages call that.
    pub name: String,
    /// What is known of it, where it is a video.
    pub clip: Option<Clip>,
    /// The recipe.
    pub recipe: String,
    /// What is to be made.
    pub wanted: Wanted,
    /// The file. What a movie's frames are kept in, so that it can be gone on with, is called like it without the
    /// ending.
    pub output: PathBuf,
}

/// What a file would be, and what it would take.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Foreseen {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How many octaves each dream goes through.
    pub octaves: u32,
    /// How many frames there are, of a movie.
    pub frames: Option<u64>,
    /// All the work, in pixels × steps.
    pub work: u64,
    /// Bytes of memory that the program would take.
    pub memory: u64,
    /// Bytes of memory that are free.
    pub free: u64,
    /// Bytes of the disk that it may take, with all that is kept on the way.
    pub disk: u64,
    /// The recipe with nothing left for the machine's memory to decide, so that a later attempt makes the same.
    #[serde(skip)]
    pub recipe: String,
}

/// How far a render is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Done {
    /// The share of the work that is done, 0–1.
    pub share: f64,
    /// How many seconds the rest will take, as far as that can be foreseen.
    pub left: Option<f64>,
    /// Frames that are there, of a movie.
    pub frame: Option<u64>,
    /// How many there are to be.
    pub frames: Option<u64>,
    /// Whether the frames are being written into the movie.
    pub joins: bool,
}

/// Told how far a render is; its answer can end it.
pub type Rendered<'a> = &'a (dyn Fn(Done) -> ControlFlow<()> + Sync);
