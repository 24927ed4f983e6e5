//! Which frames of a folder are seen when.

use media::movie::Sequence;
use media::{FrameRate, Timing};

use super::timeline::Timeline;
use crate::frames::Frames;
use crate::memory::free_memory;
use crate::progress::Run;
use crate::{Error, Fault, Note, Result, picture};

/// How a folder's frames are played. `default()` shows each once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Playback {
    /// How many seconds longer the first frame is seen. Default: 0.
    pub hold_first: f64,
    /// How many seconds longer the last frame is seen. Default: 0.
    pub hold_last: f64,
    /// Whether the movie goes back to the first frame again. Default: no.
    pub ping_pong: bool,
    /// How many seconds of the end fade into the beginning, so that the movie loops. Default: none.
    pub fade: Option<f64>,
}

impl Playback {
    /// Whether every frame is seen once, for its time.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// A timeline of a folder's frames at `rate`.
    ///
    /// # Errors
    /// No frames, or a last one that cannot be read.
    pub(crate) fn timeline(
        &self,
        frames: &Frames,
        rate: FrameRate,
        run: Run,
    ) -> Result<Timeline<'static>> {
        let folder = frames.folder();
        let Some((_, last)) = frames.iter().next_back() else {
            let what = format!("there are no frames in {}", folder.display());
            return Err(Error::new(Fault::Picture, what)
                .at(folder)
                .hint("Frames are called img_0.jpg, img_1.jpg and so on."));
        };
        for (before, after) in frames.gaps() {
            run.note(Note::Gap { folder: folder.to_owned(), before, after });
        }
        let image = picture::read(last, free_memory())?;
        Ok(Timeline {
            pictures: frames.iter().map(|(_, path)| path.to_owned()).collect(),
            ready: &|_| true,
            shots: self.sequence(rate).shots(frames.len()),
            timing: Timing::Constant(rate),
            size: image.size(),
            recipe: picture::recipe_of(last),
            sound: None,
        })
    }

    /// How many seconds a movie of so many frames is.
    pub(crate) fn seconds(&self, frames: u64, rate: FrameRate) -> f64 {
        let frames = usize::try_from(frames).unwrap_or(usize::MAX);
        self.sequence(rate).shots(frames).len() as f64 / rate.per_second()
    }

    fn sequence(&self, rate: FrameRate) -> Sequence {
        let frames = |seconds: f64| (seconds * rate.per_second()).round() as usize;
        Sequence {
            hold_first: frames(self.hold_first),
            hold_last: frames(self.hold_last),
            ping_pong: self.ping_pong,
            fade: self.fade.map_or(0, frames),
        }
    }
}
