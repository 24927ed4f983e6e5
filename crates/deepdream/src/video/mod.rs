//! Videos: frames out of a file, dreams on them into a folder.
//!
//! ffmpeg decodes. Frames are kept in a folder until the movie is complete, so that whatever stops a run
//! costs no frame, and so that several machines can make one video's frames. The movie is made of the
//! frames in the folder and nothing else, so it is the same whoever made them, and when.

mod folder;
mod masks;
mod probe;
mod queue;
mod record;
mod workers;

pub(crate) use folder::{VideoFolder, is_finished};
pub(crate) use masks::MovingMasks;
pub(crate) use probe::ProbedVideo;
pub(crate) use queue::FrameQueue;
pub(crate) use record::Record;
pub(crate) use workers::{Workers, check_memory, dreamers, memory_of, side_by_side, time_frames};
