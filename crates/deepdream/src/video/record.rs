//! What a folder of a video's frames remembers: which video, which part of it, dreamt by which recipe,
//! and when each frame is seen. It lies in the hidden folder beside the frames' state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dream::Recipe;
use graph::Size;
use kernels::CpuLevel;
use media::movie::{Shot, Sound};
use media::{FrameRate, Timestamps, Timing};
use serde::{Deserialize, Serialize};

use super::probe::ProbedVideo;
use crate::frames::{Frames, Store, frame_path};
use crate::movie::Timeline;
use crate::{Error, Fault, Knob, Result};

/// Its file.
const NAME: &str = "video.json";

/// How the names of a video's frames end.
pub(super) const ENDING: &str = "png";

/// The most bytes of a record: the times of as many frames as there may be.
const MOST_BYTES: u64 = 1 << 28;

/// The memory of a folder of a video's frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The video's file.
    pub(crate) source: PathBuf,
    /// Its SHA-256, in hexadecimal.
    pub(crate) hash: String,
    /// The recipe's text.
    pub(crate) recipe: String,
    /// The first frame's place in the whole video.
    first: u64,
    /// How many frames there are to be.
    pub(crate) frames: u64,
    /// Height and width of the dreams.
    pub(crate) size: (usize, usize),
    times: Times,
    sound: Option<Heard>,
    /// The CPU level of the dreams; records of versions before 0.3 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Times {
    Even(String),
    Listed { scale: u32, starts: Vec<u64>, end: u64 },
}

/// As in [`Sound`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Heard {
    start: Option<f64>,
    end: Option<f64>,
    offset: f64,
}

impl Record {
    /// What is to be remembered of a part of a video and its dream.
    pub(crate) fn new(video: &ProbedVideo, recipe: String, size: Size, level: CpuLevel) -> Self {
        let ProbedVideo { source, hash, cut, sound, .. } = video;
        let times = match &cut.timing {
            Timing::Constant(rate) => Times::Even(rate.to_string()),
            Timing::Variable(stamps) => Times::Listed {
                scale: stamps.scale(),
                starts: stamps.starts().to_vec(),
                end: stamps.end(),
            },
        };
        let heard =
            |sound: &Sound| Heard { start: sound.start, end: sound.end, offset: sound.offset };
        Self {
            source: std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone()),
            hash: hash.clone(),
            recipe,
            first: cut.first,
            frames: cut.frames,
            size: (size.height, size.width),
            times,
            sound: sound.as_ref().map(heard),
            level: Some(level.to_string()),
        }
    }

    /// The record of a folder; `None` if it has none, or there is no folder.
    ///
    /// # Errors
    /// One that cannot be read or makes no sense.
    pub(crate) fn load(frames: &Path) -> Result<Option<Self>> {
        let path = Store::folder_of(frames).join(NAME);
        let wrong = |problem: String| {
            let what =
                format!("could not read the record of the video, {}: {problem}", path.display());
            Error::new(Fault::Picture, what)
                .at(&path)
                .turn(Knob::Overwrite, "Remove the frames and begin again.")
        };
        let text = match Store::read(frames, NAME, MOST_BYTES) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(unread) => return Err(wrong(unread.to_string())),
        };
        let record: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        record.timing().ok_or_else(|| wrong("its times make no sense".into()))?;
        Ok(Some(record))
    }

    /// Writes it into the store of a folder.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn save(&self, store: &Store) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::new(Fault::Output, error))?;
        store.write(&store.folder().join(NAME), &bytes)
    }

    /// The frames in `folder` with this sound; `ready` waits for the one at a place.
    ///
    /// # Errors
    /// Times that make no sense.
    pub(crate) fn timeline<'a>(
        &self,
        folder: &Path,
        sound: Option<Sound>,
        ready: &'a (dyn Fn(usize) -> bool + Sync),
    ) -> Result<Timeline<'a>> {
        let timing = self.timing().ok_or_else(|| {
            Error::new(
                Fault::Picture,
                format!("the times of the frames in {} make no sense", folder.display()),
            )
        })?;
        Ok(Timeline {
            pictures: (0..self.frames).map(|number| frame_path(folder, number, ENDING)).collect(),
            ready,
            shots: (0..self.frames as usize).map(Shot::Frame).collect(),
            timing,
            size: Size::new(self.size.0, self.size.1),
            recipe: Some(self.recipe.clone()),
            sound,
        })
    }

    /// When the frames are seen; `None` for times that make no sense.
    fn timing(&self) -> Option<Timing> {
        match &self.times {
            Times::Even(rate) => rate.parse().ok().map(Timing::Constant),
            Times::Listed { scale, starts, end } => {
                let stamps = Timestamps::new(*scale, starts.clone(), *end)?;
                (starts.len() as u64 == self.frames).then(|| Timing::Variable(Arc::new(stamps)))
            }
        }
    }

    /// How many there are in a second, on the mean.
    pub(crate) fn rate(&self) -> FrameRate {
        self.timing().map_or(FrameRate::nearest(0.0), |timing| timing.rate())
    }

    /// How long they are seen together, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.timing().map_or(0.0, |timing| timing.seconds(self.frames))
    }

    /// How many frames are not among those that were found, and the first of them.
    pub(crate) fn missing(&self, frames: &Frames) -> Option<(u64, u64)> {
        let (made, _) = frames.made(0, self.frames, ENDING);
        let first =
            (0..self.frames).zip(made.iter().map(Some).chain([None])).find(|(number, made)| {
                made.is_none_or(|path| **path != frame_path(frames.folder(), *number, ENDING))
            });
        first.map(|(first, _)| (self.frames - made.len() as u64, first))
    }

    /// What is heard with the frames, from `source`.
    pub(crate) fn sound(&self, source: &Path) -> Option<Sound> {
        let Heard { start, end, offset } = self.sound.clone()?;
        Some(Sound { source: source.to_owned(), start, end, offset })
    }

    /// Whether a recipe's text, of any version, says what this record's says.
    pub(super) fn is_dreamt_by(&self, text: &str) -> bool {
        match (Recipe::from_toml(&self.recipe), Recipe::from_toml(text)) {
            (Ok(own), Ok(other)) => own.differences(&other).is_empty(),
            _ => false,
        }
    }

    /// In what this record is another than the one `before`, in words; empty if the frames of both are
    /// the same.
    ///
    /// # Errors
    /// A recipe before that is none.
    pub(crate) fn differences(&self, before: &Record) -> Result<Vec<String>> {
        let recipe = |record: &Record| {
            Recipe::from_toml(&record.recipe).map_err(|error| Error::new(Fault::Recipe, error))
        };
        let mut differences = recipe(self)?.differences(&recipe(before)?);
        if self.hash != before.hash {
            differences.push(format!("the video was {}", before.source.display()));
        } else if (self.first, self.frames) != (before.first, before.frames) {
            let part = |record: &Record| {
                format!("{} frames from frame {} on", record.frames, record.first)
            };
            differences.push(format!("the part was {} and is now {}", part(before), part(self)));
        }
        Ok(differences)
    }
}
