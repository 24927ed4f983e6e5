//! A photo in, a movie that zooms into it out.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dream::{MotionPreset, Tensor, ZoomDreamer};
use media::movie::{MovieFormat, Sound};
use media::sound::Heard;
use media::{FrameRate, ImageFormat, check_regular};

use super::foresee::stopped;
use super::frames::{FramesJob, Length};
use super::{Report, SeriesCost};
use crate::convert::undreamt;
use crate::frames::Frames;
use crate::memory::taken_memory;
use crate::movie::{Encoding, Playback, Timeline, check_sound, curve_of};
use crate::output::{Output, read, unreadable, unwritable};
use crate::output_paths::movie_path;
use crate::progress::Run;
use crate::{CancelToken, DreamRequest, Error, Event, Events, Fault, Input, Knob, Result, picture};

/// Longest side where nothing else is asked for.
const LONGEST: u32 = 960;

/// Makes frames that zoom into a photo, and a movie of them.
///
/// The frames are kept in a folder that is called like the movie without its ending, so that the same
/// job continues after any stop. So does a longer one: it makes the frames that are missing, and
/// replaces the movie of the shorter one. Only one that goes by a sound begins anew, since how much each moment
/// counts depends on all that is heard.
#[derive(Clone, Debug)]
pub struct ZoomJob {
    /// The photo.
    pub photo: PathBuf,
    /// The movie to write, its kind by its ending. Default: beside the photo, `PHOTO.mp4`.
    pub output: Option<PathBuf>,
    /// How long the motion is, in seconds.
    pub seconds: f64,
    /// Frames in a second. Default: the recipe's, or else 30.
    pub fps: Option<FrameRate>,
    /// The motion to start from. Default: the recipe's, or else a slow zoom.
    pub motion: Option<MotionPreset>,
    /// The file whose sound the movie gets: whatever the installed ffmpeg reads. Default: no sound.
    pub sound: Option<PathBuf>,
    /// What of that sound motion and pace go by. Default: nothing.
    pub follow: Option<Heard>,
    /// Which frames are seen when. Default: each once.
    pub playback: Playback,
    /// How the movie is compressed.
    pub encoding: Encoding,
    /// Whether another movie, and frames that were made otherwise, may be replaced. Default: they are an
    /// error; a movie of the same frames is replaced.
    pub overwrite: bool,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

/// A job that may begin.
struct Checked {
    output: Output,
    format: MovieFormat,
    frames: FramesJob,
}

impl ZoomJob {
    /// A job that makes a movie of ten seconds.
    pub fn new(photo: impl Into<PathBuf>) -> Self {
        Self {
            photo: photo.into(),
            output: None,
            seconds: 10.0,
            fps: None,
            motion: None,
            sound: None,
            follow: None,
            playback: Playback::default(),
            encoding: Encoding::default(),
            overwrite: false,
            dream: DreamRequest::default(),
        }
    }

    /// Makes the frames that are missing, then the movie.
    ///
    /// # Errors
    /// A photo that cannot be read, a folder with other frames, whatever keeps a frame from being made
    /// or the movie from being written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        // What cannot be heard leaves no folder behind.
        let Checked { output, format, frames } = self.check(false, run)?;
        let (folder, length) = (frames.folder.clone(), frames.length);
        begin(&self.photo, ImageFormat::of_file(&self.photo)?, &folder)?;
        let recipe = frames.make(Some(&output), run)?;
        let fps = recipe.zoom.clone().unwrap_or_default().fps;
        let rate = frames.rate(fps);
        let mut frames = Frames::find(&folder)?;
        if let Some(count) = length.frames(rate.per_second()) {
            frames.truncate(count);
        }
        let timeline = self.playback.timeline(&frames, rate, run)?;
        let end = timeline.timing.seconds(timeline.shots.len() as u64);
        let sound = self.sound.as_ref().map(|sound| Sound::of(sound, end));
        let timeline = Timeline { sound, ..timeline };
        self.encoding.write(&timeline, format, &output, run)?;
        run.event(Event::Done);
        Ok(Report { wrote: vec![output.path().to_owned()], recipe: Some(recipe) })
    }

    /// What [`Self::run`] would make. Nothing is written; some frames are dreamt to find out.
    ///
    /// # Errors
    /// As [`Self::run`], as far as that is known before the first frame.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<SeriesCost> {
        let run = Run::new(events, cancel);
        let Checked { output, frames, .. } = self.check(true, run)?;
        let begun = is_begun(&self.photo, &frames.folder)?;
        let (mut dreamer, newest, count) = frames.rehearse(&self.photo, &output, run)?;
        let count = count.unwrap_or(1);
        let (size, plan) = (newest.1.shape.size(), dreamer.plan().memory());
        // The frame and the one before, each in colours and as a file.
        let memory = plan.saturating_add(4 * 3 * 4 * size.pixels()).saturating_add(taken_memory());
        let present = if begun { (newest.0 + 1).min(count) } else { 0 };
        let fps = dreamer.recipe().zoom.unwrap_or_default().fps;
        let time = time_of_frames(&mut dreamer, newest, count, &self.photo, run)?;
        let seconds = Some(self.playback.seconds(count, frames.rate(fps)));
        let output = output.path().to_owned();
        Ok(SeriesCost { output, size, pictures: count, present, seconds, memory, time })
    }

    /// Everything that can be refused before the photo is looked at. An output that is `rehearsed` leaves no
    /// trace on the disk.
    fn check(&self, rehearsed: bool, run: Run) -> Result<Checked> {
        let path = movie_path(self.output.as_deref(), self.photo.with_extension("mp4"))?;
        let format = self.encoding.format(&path)?;
        let folder = path.with_extension("");
        ImageFormat::of_file(&self.photo)?;
        let overwrite = self.overwrite || is_of(&path, &folder);
        let output = match rehearsed {
            true => Output::claim_or_rehearse(path, overwrite, true, None)?,
            false => Output::new(path, overwrite)?.of_job(run),
        };
        output.spare(self.dream.inputs().chain([Input::new("picture", &self.photo)]))?;
        output.spare(self.sound.as_ref().map(|sound| Input::new("sound", sound)))?;
        if let Some(sound) = &self.sound {
            check_regular(sound).map_err(|error| unreadable(sound, error))?;
            check_sound(&Sound::of(sound, self.seconds), format, &output)?;
        }
        let frames = FramesJob {
            folder,
            length: Length::Seconds(self.seconds),
            fps: self.fps,
            motion: self.motion,
            curve: self.curve()?,
            longest: Some(LONGEST),
            overwrite: self.overwrite,
            dream: self.dream.clone(),
        };
        Ok(Checked { output, format, frames })
    }

    /// The curve that motion and pace go by.
    fn curve(&self) -> Result<Option<Vec<u8>>> {
        match (self.follow, &self.sound) {
            (None, _) => Ok(None),
            (Some(heard), Some(path)) => curve_of(path, heard, self.seconds).map(Some),
            (Some(_), None) => Err(Error::new(Fault::Usage, "there is no sound to follow")
                .turn(Knob::Sound, "Name a file that has one.")),
        }
    }
}

/// Whether the movie at `path` was made of the frames in `folder`, so that nothing is lost with it: it
/// carries their recipe.
fn is_of(path: &Path, folder: &Path) -> bool {
    let Ok(frames) = Frames::find(folder) else { return false };
    if !path.is_file() {
        return false;
    }
    let Some((_, newest)) = frames.iter().next_back() else { return false };
    picture::recipe_of(newest).is_some_and(|recipe| picture::recipe_of(path) == Some(recipe))
}

/// How many frames are timed to find out how long all take, at the most.
const TRIED: u64 = 3;

/// How long the frames take that are missing after `newest` of `count`, by some that are spread over them, since
/// keyframes and rhythms may change what a frame takes. One before them does not count: it pays for what is set up.
fn time_of_frames(
    dreamer: &mut ZoomDreamer,
    (number, mut frame): (u64, Tensor),
    count: u64,
    photo: &Path,
    run: Run,
) -> Result<Duration> {
    let missing = count.saturating_sub(number + 1);
    if missing == 0 {
        return Ok(Duration::ZERO);
    }
    let tried = missing.min(TRIED);
    let spread = (0..tried).map(|place| number + 1 + place * (missing - 1) / (tried - 1).max(1));
    let mut observer = |_: &dream::Progress<'_>| match run.is_cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let mut times = Vec::new();
    for at in std::iter::once(number + 1).chain(spread) {
        let begun = Instant::now();
        frame = dreamer.frame(at, &frame, &mut observer).map_err(|error| {
            undreamt(&format!("{}: frame {at}", photo.display()), error, stopped)
        })?;
        times.push(begun.elapsed().as_secs_f64());
    }
    let each = times[1..].iter().sum::<f64>() / tried as f64;
    Ok(Duration::try_from_secs_f64(each * missing as f64).unwrap_or(Duration::MAX))
}

/// Whether the folder has the photo as its first frame.
///
/// # Errors
/// A folder with other frames or files.
fn is_begun(photo: &Path, folder: &Path) -> Result<bool> {
    if !folder.is_dir() {
        return Ok(false);
    }
    let frames = Frames::find(folder)?;
    if let Some(path) = frames.get(0) {
        if read(path)? == read(photo)? {
            return Ok(true);
        }
        let what = format!("the frames in {} begin with another photo", folder.display());
        return Err(Error::new(Fault::Output, what)
            .at(folder)
            .turn(Knob::Output, "Give the movie another name."));
    }
    // What is hidden may be this program's own, from a run that was stopped here.
    let visible = |entry: std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    if std::fs::read_dir(folder).into_iter().flatten().flatten().any(visible) {
        let what =
            format!("the folder {}, which is for the frames, has other files", folder.display());
        return Err(Error::new(Fault::Output, what)
            .at(folder)
            .turn(Knob::Output, "Give the movie another name."));
    }
    Ok(false)
}

/// Makes the folder and puts the photo into it as the first frame, unless it is there.
fn begin(photo: &Path, format: ImageFormat, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    if is_begun(photo, folder)? {
        return Ok(());
    }
    let bytes = read(photo)?;
    let path = folder.join(format!("img_0.{}", format.extension()));
    Output::new(path, false)?.write(&bytes)
}
