//! What a dream or a job reports while it works. Events are owned data: a face may keep them, send them to
//! another thread or turn them into messages.

use std::path::PathBuf;
use std::sync::mpsc::{Sender, SyncSender};
use std::time::Duration;

use graph::Size;

use crate::{Error, Image, Note};

/// Takes the events of a job, from any of its threads. It is a closure, a channel's sender, or what a
/// face makes of it.
///
/// ```
/// use deepdream::{Event, Events};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let events: &dyn Events = &sender;
/// events.event(Event::Done);
/// assert!(matches!(receiver.recv(), Ok(Event::Done)));
/// ```
pub trait Events: Send + Sync {
    /// Something has happened. The work waits for this to return.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Events for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

/// Events for a receiver that is gone are dropped; the work continues.
impl Events for Sender<Event> {
    fn event(&self, event: Event) {
        let _ = self.send(event);
    }
}

/// Like a [`Sender`], but the work waits for room in the channel.
impl Events for SyncSender<Event> {
    fn event(&self, event: Event) {
        let _ = self.send(event);
    }
}

/// All events are dropped.
impl Events for () {
    fn event(&self, _: Event) {}
}

/// Something that has happened in a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A piece of work begins; a job may consist of several, one after the other.
    Started(Work),
    /// The work has progressed.
    Progress(Progress),
    /// What the dream looks like so far; only where previews were asked for.
    Preview(Preview),
    /// Something the user may want to know; the work continues.
    Note(Note),
    /// A file is complete, and in its place.
    Wrote(Wrote),
    /// A dream that was wanted is there already, and stays.
    Kept {
        /// What the picture is called.
        name: String,
        /// Where the dream is.
        path: PathBuf,
    },
    /// One of several pictures was not dreamt on; the others are.
    Failed {
        /// What the picture is called.
        name: String,
        /// Why.
        error: Error,
    },
    /// The job is finished.
    Done,
}

/// A piece of work that begins.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Work {
    /// A dream on one picture.
    Picture {
        /// What the picture is called.
        name: String,
        /// The size of the dream.
        size: Size,
        /// Its place in a batch, from 1, and how many pictures the batch has; `None` outside a batch.
        place: Option<(usize, usize)>,
    },
    /// A folder of frames, each made from the one before.
    Frames {
        /// The folder.
        folder: PathBuf,
        /// The newest frame an earlier run has made; 0 for none.
        after: u64,
        /// How many frames this run makes; `None` for no end.
        frames: Option<u64>,
    },
    /// A search for all frames of a video.
    Index {
        /// The video.
        video: PathBuf,
    },
    /// Dreams on a video's frames.
    Video {
        /// The video.
        video: PathBuf,
        /// Where the frames are kept.
        folder: PathBuf,
        /// The size of the video's frames.
        size: Size,
        /// Frames in a second, on the mean.
        rate: f64,
        /// How many frames there are to be.
        frames: u64,
        /// How many of them earlier runs have made.
        present: u64,
    },
    /// A movie of frames that are there.
    Movie {
        /// The movie.
        path: PathBuf,
        /// How many frames it has.
        frames: u64,
    },
    /// Small dreams that are shown on one sheet.
    Gallery {
        /// Where they are kept.
        folder: PathBuf,
        /// How many there are to be.
        pictures: usize,
        /// How many of them earlier runs have made.
        present: usize,
    },
    /// A comparison of kernels.
    Check,
}

/// How far a piece of work is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of the work is done, in units that cost about the same each.
    pub done: u64,
    /// How much there is in all; `None` for work without an end.
    pub total: Option<u64>,
    /// How long it has taken so far.
    pub elapsed: Duration,
    /// How long the rest will take, as far as that can be foreseen.
    pub left: Option<Duration>,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// A step of a dream on one picture is done.
    Step {
        /// The octave, from 1, smallest first.
        octave: u32,
        /// How many octaves there are.
        octaves: u32,
        /// Steps done on this octave.
        step: u32,
        /// Steps of each octave.
        steps: u32,
    },
    /// Frames are being made.
    Frame {
        /// The number of the frame that is being made, or that was made last.
        number: u64,
        /// How many frames are there, those of earlier runs among them.
        present: u64,
        /// How many there are to be; `None` for no end.
        frames: Option<u64>,
    },
    /// Pictures of a gallery are being made.
    Cell {
        /// What it shows.
        name: String,
        /// How many are there with this one.
        place: usize,
        /// How many there are to be.
        of: usize,
    },
    /// A video's frames are being found.
    Indexed {
        /// How many have been found.
        frames: u64,
    },
    /// Frames are being written into a movie.
    Encoded {
        /// How many have been written.
        frames: u64,
    },
    /// A layer has been compared.
    Compared {
        /// Its name.
        layer: String,
    },
}

/// What a dream looks like so far.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The picture, in the size of the octave that is dreamt on.
    pub image: Image,
    /// The number of the frame, where there are several.
    pub frame: Option<u64>,
    /// The octave, from 1, smallest first.
    pub octave: u32,
    /// Steps done on this octave.
    pub step: u32,
}

/// A file that is complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrote {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub content: Content,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A dream on one picture.
    Picture {
        /// What the picture is called.
        of: String,
    },
    /// A recipe.
    Recipe,
    /// A frame.
    Frame {
        /// Its number.
        number: u64,
    },
    /// A picture of a gallery.
    Cell {
        /// Its place on the sheet, from 0.
        index: usize,
    },
    /// A gallery's sheet.
    Sheet {
        /// How many pictures it shows.
        pictures: usize,
    },
    /// A movie.
    Movie {
        /// How many frames it has.
        frames: u64,
        /// The size of each.
        size: Size,
        /// Frames in a second, as they were asked for; `None` where each has its own time.
        rate: Option<String>,
        /// How long it is.
        seconds: f64,
        /// How large its file is.
        bytes: u64,
    },
}
