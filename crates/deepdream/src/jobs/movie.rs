//! A folder of frames in, a movie out.

use std::path::PathBuf;

use dream::Recipe;
use media::movie::Sound;
use media::{FrameRate, check_regular};

use super::Report;
use crate::frames::Frames;
use crate::movie::{Encoding, Playback, Timeline, check_sound};
use crate::output::{Output, unreadable};
use crate::output_paths::movie_path;
use crate::progress::Run;
use crate::video::Record;
use crate::{CancelToken, Error, Event, Events, Fault, Input, Knob, Result, picture};

/// Makes a movie of a folder of frames.
#[derive(Clone, Debug)]
pub struct MovieJob {
    /// The folder.
    pub folder: PathBuf,
    /// The movie to write, its kind by its ending. Default: beside the folder, `FOLDER.mp4`.
    pub output: Option<PathBuf>,
    /// Frames in a second. Default: what the frames were made for, or else 30.
    pub fps: Option<FrameRate>,
    /// Which frames are seen when. Default: each once.
    pub playback: Playback,
    /// How the movie is compressed.
    pub encoding: Encoding,
    /// The file whose sound the movie gets. Default: for a video's frames, the video.
    pub sound: Option<PathBuf>,
    /// Whether the movie goes without the video's sound. Default: no.
    pub silent: bool,
    /// Whether the movie may be replaced. Default: one that exists is an error.
    pub overwrite: bool,
}

impl MovieJob {
    /// A job that makes a movie of the frames in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            output: None,
            fps: None,
            playback: Playback::default(),
            encoding: Encoding::default(),
            sound: None,
            silent: false,
            overwrite: false,
        }
    }

    /// Makes the movie.
    ///
    /// # Errors
    /// Frames that are missing or cannot be read, or whatever keeps the movie from being written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let mut own = self.folder.components().as_path().as_os_str().to_owned();
        own.push(".mp4");
        let path = movie_path(self.output.as_deref(), own.into())?;
        if let Some(sound) = &self.sound {
            check_regular(sound).map_err(|error| unreadable(sound, error))?;
        }
        let format = self.encoding.format(&path)?;
        let output = Output::new(path, self.overwrite)?.of_job(run);
        let frames = Frames::find(&self.folder)?;
        let record = Record::load(&self.folder)?;
        output.spare(self.sound.as_ref().map(|sound| Input::new("sound", sound)))?;
        output.spare(record.as_ref().map(|record| Input::new("video", &record.source)))?;
        output.spare(frames.iter().map(|(_, frame)| Input::new("frame", frame)))?;
        let timeline = match &record {
            Some(record) if self.fps.is_none() && self.playback.is_plain() => {
                self.of_video(record, &frames)?
            }
            _ => {
                let own = || record.as_ref().map_or_else(|| rate(&frames), Record::rate);
                let rate = self.fps.unwrap_or_else(own);
                let timeline = self.playback.timeline(&frames, rate, run)?;
                let end = timeline.timing.seconds(timeline.shots.len() as u64);
                let sound = |source: &PathBuf| Sound::of(source, end);
                Timeline { sound: self.sound.as_ref().map(sound), ..timeline }
            }
        };
        if let Some(sound) = &timeline.sound {
            check_sound(sound, format, &output)?;
        }
        self.encoding.write(&timeline, format, &output, run)?;
        run.event(Event::Done);
        Ok(Report { wrote: vec![output.path().to_owned()], recipe: None })
    }

    /// The timeline of a video's frames, if they are complete.
    fn of_video(&self, record: &Record, frames: &Frames) -> Result<Timeline<'static>> {
        let folder = frames.folder();
        if let Some((missing, first)) = record.missing(frames) {
            let what = format!(
                "{missing} of {} frames are not yet in {}; the first of them is frame {first}",
                record.frames,
                folder.display()
            );
            return Err(Error::new(Fault::Picture, what)
                .at(folder)
                .turn(Knob::Shard, "Make the missing frames of the video first, then join them."));
        }
        let source = self.sound.as_ref().unwrap_or(&record.source);
        let sound = match record.sound(source).filter(|_| !self.silent) {
            None => self.sound.as_ref().map(|source| Sound::of(source, record.seconds())),
            Some(sound) if source.is_file() => Some(sound),
            Some(_) => {
                let what = format!("the video with the sound, {}, is not there", source.display());
                return Err(Error::new(Fault::Picture, what)
                    .at(source)
                    .turn(Knob::Sound, "Say where it is.")
                    .turn(Knob::Silent, "Or leave the sound out."));
            }
        };
        record.timeline(folder, sound, &|_| true)
    }
}

/// The rate that the newest frame was made for, or the usual one.
fn rate(frames: &Frames) -> FrameRate {
    let recipe = frames
        .iter()
        .next_back()
        .and_then(|(_, path)| picture::recipe_of(path))
        .and_then(|text| Recipe::from_toml(&text).ok());
    FrameRate::nearest(recipe.and_then(|recipe| recipe.zoom).unwrap_or_default().fps)
}
