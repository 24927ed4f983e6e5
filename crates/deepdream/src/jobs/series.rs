//! What a job that makes many pictures of one thing would make: frames of a movie, or the cells of a sheet.

use std::path::PathBuf;
use std::time::Duration;

use graph::Size;

/// What a zoom, a dreamt video or a gallery would be, and what it would take.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesCost {
    /// The file that would be written.
    pub output: PathBuf,
    /// The size of a movie's frames, or of the sheet.
    pub size: Size,
    /// How many frames or cells there are in all.
    pub pictures: u64,
    /// How many of them an earlier run has left, the photo that a zoom begins with among them.
    pub present: u64,
    /// How many seconds a movie is.
    pub seconds: Option<f64>,
    /// Bytes of memory that the process would take at the most.
    pub memory: u64,
    /// How long the others would take, by some that were timed on this machine as it is now. Reading and writing
    /// files are not in it. Frames of a video that do not follow from each other are made side by side, which takes
    /// less than one after the other, as they are timed.
    pub time: Duration,
}
