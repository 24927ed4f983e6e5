//! Videos: frames out of a file, dreams on them into a folder, a movie of those with the video's own
//! times and sound.
//!
//! ffmpeg decodes. Frames lie in a folder until the movie is complete, so that whatever stops a run
//! costs no frame, and so that several machines can make one video's frames. The movie is made of the
//! frames in the folder and nothing else, while they come to be: it is the same whoever made them when.

mod board;
mod dreams;
mod folder;
mod part;
mod record;
mod run;
mod watch;

pub(crate) use folder::is_finished;
pub(crate) use part::{Part, seconds};
pub(crate) use record::Record;
pub(crate) use run::{Job, Product, Target};
