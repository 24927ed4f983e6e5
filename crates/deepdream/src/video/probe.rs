//! A video that has been looked at: what it is, and every frame it has.

use std::path::Path;

use dream::{Assets, Machine, Recipe, VideoDreamer};
use graph::{Network, Size};
use media::movie::Sound;
use media::video::{FrameDecoder, FrameIndex, Segment, VideoError, VideoSource};

use crate::convert::unplanned;
use crate::output::sha256;
use crate::progress::{Clock, Run};
use crate::{Error, Event, Fault, Knob, Note, Result, Stage, Work};

/// A video, and the part of it that is wanted.
pub(crate) struct ProbedVideo {
    pub(crate) source: VideoSource,
    /// SHA-256 of its file, in hexadecimal.
    pub(crate) hash: String,
    /// Rows and columns of its frames, as they are dreamt on.
    pub(crate) size: Size,
    pub(crate) cut: Segment,
    /// What is heard with the part.
    pub(crate) sound: Option<Sound>,
}

impl ProbedVideo {
    /// Looks at the part of a video between two times in seconds.
    ///
    /// # Errors
    /// A file that ffmpeg does not read, or a part without frames.
    pub(crate) fn open(
        path: &Path,
        start: Option<f64>,
        end: Option<f64>,
        run: Run,
    ) -> Result<Self> {
        let mut source = VideoSource::open(path)?;
        let hash = sha256(path)?;
        run.started(Work::Index { video: path.to_owned() });
        let clock = Clock::new(None);
        let index = FrameIndex::of(&source, end, &|frames| {
            if frames % 16 == 1 {
                run.event(Event::Progress(clock.progress(Stage::Indexed { frames }, frames)));
            }
            !run.is_cancelled()
        })?;
        source.changes = index.changes;
        let name = path.display();
        index.notes.iter().for_each(|note| run.note(Note::Damage(format!("{name}: {note}"))));
        source.notes.iter().for_each(|note| run.note(Note::reading(&name, note)));
        let cut = index.segment(start, end).map_err(|error| match error {
            VideoError::NoFrames { .. } => {
                Error::from(error).turn(Knob::Start, "Change where the part begins or ends.")
            }
            error => error.into(),
        })?;
        let is_lost = source.sound && index.restarts && (start.is_some() || end.is_some());
        if is_lost {
            let note = "its clock restarts or jumps: a part of it goes without its sound";
            run.note(Note::reading(&name, note));
        }
        let sound = (source.sound && !is_lost).then(|| Sound {
            source: source.path.clone(),
            start: start.map(|_| cut.start),
            end: end.map(|_| cut.end),
            offset: if start.is_some() { 0.0 } else { cut.start },
        });
        Ok(Self { source, hash, size: index.size, cut, sound })
    }

    /// What texts call it.
    pub(crate) fn name(&self) -> String {
        self.source.path.display().to_string()
    }

    /// A recipe with the channels that it leaves to the first frame.
    ///
    /// # Errors
    /// A frame that cannot be read or is too small for a layer.
    pub(crate) fn chosen(
        &self,
        recipe: Recipe,
        network: &Network,
        machine: &Machine,
    ) -> Result<Recipe> {
        if !recipe.needs_picture() {
            return Ok(recipe);
        }
        let first = self.cut.first;
        let mut decoder = FrameDecoder::start(&self.source, self.size, first, first + 1)?;
        let Some((_, frame)) = decoder.next_frame()? else {
            let what = format!("{}: its first frame cannot be read", self.name());
            return Err(Error::new(Fault::Picture, what).at(&self.source.path));
        };
        recipe
            .with_channels_chosen(network, machine, frame.color())
            .map_err(|error| unplanned(&self.name(), error))
    }

    /// A dreamer on its frames.
    ///
    /// # Errors
    /// What would keep the dream on any of them from its end.
    pub(crate) fn dreamer(
        &self,
        (recipe, assets): (&Recipe, &Assets),
        network: &Network,
        machine: &Machine,
    ) -> Result<VideoDreamer> {
        VideoDreamer::with_assets(recipe, assets, network, machine, self.size)
            .map_err(|error| unplanned(&self.name(), error))
    }
}
