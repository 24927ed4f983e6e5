//! A video's dream from one end to the other: look, decode, dream, write, join.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dream::{Assets, Machine, Preset, Recipe, Region, VideoDreamer};
use graph::Network;
use media::movie::MovieFormat;
use tempfile::NamedTempFile;

use super::{Report, SeriesCost};
use crate::assets::Moving;
use crate::base::Base;
use crate::memory::taken_memory;
use crate::movie::{Encoding, Target, Timeline};
use crate::output::Output;
use crate::output_paths::movie_path;
use crate::progress::{FramesProgress, Run};
use crate::request::{Resolved, field};
use crate::threads::spawn;
use crate::video::{FrameQueue, MovingMasks, ProbedVideo, Record, VideoFolder, Workers};
use crate::video::{check_memory, dreamers, is_finished, memory_of, side_by_side, time_frames};
use crate::{
    CancelToken, Content, DreamRequest, Error, Event, Events, Fault, Input, Knob, Note, Result,
    Shard, Work,
};

/// Dreams on a video.
///
/// The frames are kept in a folder that is called like the movie without its ending, so that the same
/// job continues after any stop, and the result is the same to the byte.
#[derive(Clone, Debug)]
pub struct VideoJob {
    /// The video: whatever the installed ffmpeg reads.
    pub video: PathBuf,
    /// The movie to write, its kind by its ending. Default: beside the video, `VIDEO.dream.mp4`.
    pub output: Option<PathBuf>,
    /// The time, in seconds, of the first frame that is wanted. Default: the video's beginning.
    pub start: Option<f64>,
    /// The time, in seconds, before which to end. Default: the video's end.
    pub end: Option<f64>,
    /// Make only the frames of this part, and no movie; [`MovieJob`](crate::MovieJob) joins them.
    /// Default: everything.
    pub shard: Option<Shard>,
    /// Whether to leave the video's sound out. Default: no.
    pub silent: bool,
    /// Whether to keep the frames once the movie is complete. Default: no.
    pub keep: bool,
    /// How the movie is compressed.
    pub encoding: Encoding,
    /// Whether the movie, and frames of other settings, may be replaced. Default: they are an
    /// error.
    pub overwrite: bool,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

impl VideoJob {
    /// A job that dreams on a whole video.
    pub fn new(video: impl Into<PathBuf>) -> Self {
        Self {
            video: video.into(),
            output: None,
            start: None,
            end: None,
            shard: None,
            silent: false,
            keep: false,
            encoding: Encoding::default(),
            overwrite: false,
            dream: DreamRequest::default(),
        }
    }

    /// Makes the frames that are missing, and of all of them a movie.
    ///
    /// # Errors
    /// A video that cannot be read, a folder with other frames, whatever keeps a frame from being made
    /// or the movie from being written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let (path, format) = self.place()?;
        let folder = path.with_extension("");
        let wrote = match self.shard {
            None if !self.overwrite && is_finished(&folder, &path, self.keep)? => {
                run.note(Note::CompleteAlready { path: path.clone() });
                run.event(Event::Done);
                return Ok(Report { wrote: vec![path], recipe: None });
            }
            None => Some(Output::new(path, self.overwrite)?.of_job(run)),
            Some(_) => None,
        };
        wrote.iter().try_for_each(|output| output.spare(self.inputs()))?;
        let movie = wrote.as_ref().map(|output| Movie { format, output });
        let recipe = self.make(&folder, movie, run)?;
        run.event(Event::Done);
        let wrote = wrote.map_or(folder, |output| output.path().to_owned());
        Ok(Report { wrote: vec![wrote], recipe: Some(recipe) })
    }

    /// What [`Self::run`] would make. Nothing is written; some frames are dreamt to find out.
    ///
    /// # Errors
    /// As [`Self::run`], as far as that is known before the first frame.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<SeriesCost> {
        let run = Run::new(events, cancel);
        let (path, format) = self.place()?;
        let folder = path.with_extension("");
        let wrote = match self.shard {
            None => Some(Output::claim_or_rehearse(path, self.overwrite, true, None)?),
            Some(_) => None,
        };
        wrote.iter().try_for_each(|output| output.spare(self.inputs()))?;
        let movie = wrote.as_ref().map(|output| Movie { format, output });
        let Ready { video, mut dreamer, machine, masks, record, .. } =
            self.ready(&folder, movie, run)?;
        let wanted = self.wanted(&record);
        let follows =
            dreamer.recipe().video.clone().unwrap_or_default().coherence.depends_on_last();
        let (part, level) = ((wanted.clone(), follows), (machine.context.level(), run));
        let missing = VideoFolder::foreseen(&folder, &record, part, self.overwrite, level)?;
        let (frames, missing) = (wanted.end - wanted.start, missing.len() as u64);
        check_memory(&dreamer, &video, &machine)?;
        let dreamers = match follows {
            true => 1,
            false => side_by_side(&dreamer, &video, &machine, missing as usize),
        };
        let memory = memory_of(&dreamer, &video, dreamers).saturating_add(taken_memory());
        // The first frame pays for what is set up, and the first of a dream that is carried on takes all steps.
        let tried = missing.min(if follows { 3 } else { 2 });
        let times = time_frames(&video, &mut dreamer, &masks, tried, run)?;
        let seconds = match times[..] {
            [] => 0.0,
            [first, .., last] if follows => first + last * (missing - 1) as f64,
            [.., last] => last * missing as f64,
        };
        Ok(SeriesCost {
            output: wrote.map_or(folder, |output| output.path().to_owned()),
            size: dreamer.size(),
            pictures: frames,
            present: frames - missing,
            seconds: Some(record.seconds()),
            memory,
            time: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        })
    }

    /// The movie's path and format.
    fn place(&self) -> Result<(PathBuf, MovieFormat)> {
        if self.start.zip(self.end).is_some_and(|(start, end)| start >= end) {
            return Err(Error::new(Fault::Usage, "no frame is between the start and the end")
                .turn(Knob::Start, "Choose a start before the end."));
        }
        let path = movie_path(self.output.as_deref(), self.video.with_extension("dream.mp4"))?;
        let format = self.encoding.format(&path)?;
        Ok((path, format))
    }

    /// The numbers of this part's frames.
    fn wanted(&self, record: &Record) -> Range<u64> {
        self.shard.map_or(0..record.frames, |shard| shard.range(record.frames))
    }

    fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        self.dream.inputs().chain([Input::new("video", &self.video)])
    }

    /// Makes the frames, and the movie if one is wanted; returns the recipe.
    fn make(&self, folder: &Path, movie: Option<Movie>, run: Run) -> Result<Recipe> {
        let Ready { video, mut dreamer, network, machine, recipe, assets, masks, record } =
            self.ready(folder, movie, run)?;
        check_memory(&dreamer, &video, &machine)?;
        let resolved = dreamer.recipe().clone();
        let follow = resolved.video.clone().unwrap_or_default().coherence.depends_on_last();
        let level = machine.context.level();
        let folder = VideoFolder::open(folder, &record, self.shard, self.overwrite, (level, run))?;
        let wanted = self.wanted(&record);
        let missing = match follow {
            true => folder.resume(&mut dreamer, &record, &masks, self.overwrite)?,
            false => folder.missing(wanted.clone()),
        };
        let dreamers = match follow {
            true => vec![dreamer],
            false => {
                let all = ((&recipe, &assets), &network, &machine);
                dreamers(dreamer, all, &video, missing.len())?
            }
        };
        let (frames, present) = (wanted.end - wanted.start, missing.len() as u64);
        let present = frames - present;
        run.started(Work::Video {
            video: self.video.clone(),
            folder: folder.path().to_owned(),
            size: video.size,
            rate: video.cut.timing.rate().per_second(),
            frames,
            present,
        });

        let present_at = |number| folder.has(number);
        let queue = FrameQueue::new((0..record.frames).map(present_at).collect());
        let progress = FramesProgress::new(run, self.dream.previews, Some(frames), present);
        let workers = Workers {
            video: &video,
            record: &record,
            folder: &folder,
            queue: &queue,
            masks: &masks,
            progress,
            run,
        };
        let make = || workers.make(dreamers, &missing);
        let Some(Movie { format, output }) = movie else { return make().map(|()| resolved) };
        let ready = |place| queue.wait(place);
        let sound = video.sound.clone().filter(|_| !self.silent);
        let timeline = record.timeline(folder.path(), sound, &ready)?;
        let target = Target {
            format,
            quality: self.encoding.quality,
            longest: self.encoding.longest,
            output,
            scratch: Some(folder.scratch()),
            tells: missing.is_empty(),
        };
        let (file, content) = write_while(&timeline, &target, &queue, run, make)?;
        folder.complete(file.path())?;
        output.place(file)?;
        run.wrote(output.path(), content);
        folder.end(record.frames, self.keep);
        Ok(resolved)
    }

    /// Everything that can be refused is refused here.
    fn ready(&self, folder: &Path, movie: Option<Movie>, run: Run) -> Result<Ready> {
        let video = ProbedVideo::open(&self.video, self.start, self.end, run)?;
        if let Some(movie) = movie {
            self.check_sound(&video, movie, run)?;
        }
        let mut masks = MovingMasks::default();
        let (network, resolved) = self.resolve(folder, &mut masks, run)?;
        movie.map_or(Ok(()), |movie| movie.output.spare(resolved.inputs()))?;
        let Resolved { recipe, assets, .. } = resolved;
        masks.check(video.cut.frames)?;
        let follow = recipe.video.clone().unwrap_or_default().coherence.depends_on_last();
        if let Some(shard) = self.shard.filter(|_| follow) {
            let what = format!(
                "shard {shard} cannot be made by itself: each frame follows from the one before"
            );
            return Err(Error::new(Fault::Recipe, what)
                .turn(Knob::Field(field::COHERENCE), "Dream on each frame by itself."));
        }
        let machine = self.dream.limits.machine()?;
        let recipe = video.chosen(recipe, &network, &machine)?;
        let dreamer = video.dreamer((&recipe, &assets), &network, &machine)?;
        let (level, resolved) = (machine.context.level(), dreamer.recipe().to_toml());
        let record = Record::new(&video, resolved, dreamer.size(), level);
        Ok(Ready { video, dreamer, network, machine, recipe, assets, masks, record })
    }
    /// Says before the work, not after it, if the movie cannot hold the sound.
    fn check_sound(&self, video: &ProbedVideo, movie: Movie, run: Run) -> Result<()> {
        let Movie { format, output } = movie;
        let Some(sound) = video.sound.as_ref().filter(|_| !self.silent) else { return Ok(()) };
        match format.container() {
            Some(container) => sound.check(container).map_err(|error| output.refused(error)),
            None => {
                run.note(Note::NoPlaceForSound { path: output.path().to_owned() });
                Ok(())
            }
        }
    }

    /// The network, and the recipe that is asked for or that the folder's frames have. Masks that are another
    /// one for each frame go to `masks`.
    fn resolve(
        &self,
        folder: &Path,
        masks: &mut MovingMasks,
        run: Run,
    ) -> Result<(Network, Resolved)> {
        let before = match Record::load(folder) {
            Err(error) if !self.overwrite => return Err(error),
            before => before.ok().flatten(),
        };
        let base = match (self.dream.base()?, before) {
            (None, Some(before)) if !self.overwrite => {
                let name = format!("the recipe of {}", folder.display());
                Some(Base::of_text(name, before.recipe)?.beside(folder))
            }
            (base, _) => base,
        };
        let network = self.dream.open_network(base.as_ref(), run)?;
        // A preset's rules are those of pictures by themselves, whatever they are put upon.
        let is_new = base.is_none() || self.dream.recipe.preset.is_some();
        let prepare = |recipe: &mut Recipe| {
            recipe.video.get_or_insert_default();
            if is_new {
                recipe.start_video();
            }
        };
        let mut moving =
            |name: &str, region: &Region, path: &Path| masks.add(name, region, path, run);
        let (base, moving) = (base.as_ref(), (run, &mut moving as &mut Moving));
        let resolved =
            self.dream.resolve_moving(base, &network, Preset::Default, prepare, moving)?;
        Ok((network, resolved))
    }
}

/// A job that may begin.
struct Ready {
    video: ProbedVideo,
    dreamer: VideoDreamer,
    network: Network,
    machine: Machine,
    recipe: Recipe,
    assets: Assets,
    masks: MovingMasks,
    record: Record,
}

/// A movie that is wanted.
#[derive(Clone, Copy)]
struct Movie<'a> {
    format: MovieFormat,
    output: &'a Output,
}

/// Writes the movie while `make` makes its frames.
fn write_while(
    timeline: &Timeline,
    target: &Target,
    queue: &FrameQueue,
    run: Run,
    make: impl FnOnce() -> Result<()>,
) -> Result<(NamedTempFile, Content)> {
    std::thread::scope(|scope| {
        let writer = spawn(scope, || {
            let written = timeline.write(target, run);
            if written.is_err() {
                queue.close();
            }
            written
        })?;
        // Frames that are not there after this will never be.
        let close = queue.close_at_end();
        let made = make();
        drop(close);
        let written = match writer.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match (made, written) {
            (Ok(()), written) => written,
            // The frames were given up because there is no movie any more.
            (Err(made), Err(written))
                if made.fault() == Fault::Cancelled && !run.is_cancelled() =>
            {
                Err(written)
            }
            (Err(made), _) => Err(made),
        }
    })
}
