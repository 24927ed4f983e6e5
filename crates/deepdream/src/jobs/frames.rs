//! Making frames: from those that a folder has to as many as are wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dream::{Motion, MotionPreset, Preset, Recipe, Tensor, ZoomDreamer};
use kernels::CpuLevel;
use media::{BitDepth, FrameRate, Image, ImageError, ImageFormat};

use super::Report;
use crate::base::Base;
use crate::convert::undreamt;
use crate::frames::{Frames, State, Store, check_level, frame_path, other_recipe};
use crate::output::{Output, remove, sha256};
use crate::progress::{FramesProgress, Run};
use crate::request::{Resolved, field};
use crate::{
    CancelToken, DreamRequest, Error, Event, Events, Fault, Knob, Note, Result, Work, picture,
};

/// What the newest frame is called in the state.
const PICTURE: &str = "picture";

/// Goes on with a folder of frames, each the last one moved and dreamt on again.
///
/// `img_0` in it is the first frame; `img_1`, `img_2` and so on become the others, in its format. The
/// same job continues after any stop, with the frames it would have made.
#[derive(Clone, Debug)]
pub struct FramesJob {
    /// The folder.
    pub folder: PathBuf,
    /// How many frames there are to be.
    pub length: Length,
    /// Frames in a second. Default: the recipe's, or else 30.
    pub fps: Option<FrameRate>,
    /// The motion to start from. Default: the recipe's, or else a slow zoom.
    pub motion: Option<MotionPreset>,
    /// The curve that motion and pace go by, as [`Rhythm::curve`](crate::Rhythm::curve). Default: the
    /// recipe's.
    pub curve: Option<Vec<u8>>,
    /// The longest side in pixels where the recipe names none and the picture's is longer. Default:
    /// none, which means the picture's own size.
    pub longest: Option<u32>,
    /// Whether frames that an earlier run has made otherwise are removed. Default: they are an error.
    pub overwrite: bool,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

/// How many frames there are to be, the first among them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Length {
    /// No end: the job runs until it is cancelled.
    #[default]
    Endless,
    /// This many.
    Frames(u64),
    /// As many as fill this many seconds.
    Seconds(f64),
}

impl Length {
    /// How many frames that is at `fps` frames a second; `None` for no end.
    pub(crate) fn frames(self, fps: f64) -> Option<u64> {
        match self {
            Length::Endless => None,
            Length::Frames(frames) => Some(frames),
            Length::Seconds(seconds) => Some(((seconds * fps).round() as u64).max(1)),
        }
    }
}

/// A folder as it was found, ready to go on.
struct Found {
    store: Store,
    frames: Frames,
    first: FirstFrame,
    state: Option<State>,
}

/// The picture that all frames come from.
struct FirstFrame {
    path: PathBuf,
    format: ImageFormat,
    /// SHA-256 of its file, in hexadecimal.
    hash: String,
}

impl FirstFrame {
    /// How its name ends, and those of all frames after it.
    fn ending(&self) -> String {
        self.path.extension().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl FramesJob {
    /// A job that makes frames in `folder` until it is cancelled.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            length: Length::Endless,
            fps: None,
            motion: None,
            curve: None,
            longest: None,
            overwrite: false,
            dream: DreamRequest::default(),
        }
    }

    /// Makes the frames that are missing.
    ///
    /// # Errors
    /// A folder without a first frame, or with frames made otherwise; whatever keeps a frame from
    /// being made or written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let recipe = self.make(None, run)?;
        run.event(Event::Done);
        Ok(Report { wrote: vec![self.folder.clone()], recipe: Some(recipe) })
    }

    /// Makes the frames that are missing, for a `movie` if there is to be one; returns the recipe they were made
    /// by.
    pub(crate) fn make(&self, movie: Option<&Output>, run: Run) -> Result<Recipe> {
        let found = self.find()?;
        let Found { store, frames, first, state } = &found;
        let (mut dreamer, start, count) = self.prepare(&first.path, state.as_ref(), movie, run)?;
        let recipe = dreamer.recipe();
        let (number, frame) = match state {
            Some(state) => {
                self.compare(state, &recipe, &first.hash)?;
                if count.is_none_or(|count| state.number + 1 < count) {
                    check_level(&self.folder, state.level.as_deref(), dreamer.level(), run)?;
                }
                (state.number, self.newest(state, &start)?)
            }
            None => (0, start),
        };
        let (folder, level) = (&self.folder, dreamer.level());
        let writer = Writer { folder, store, first, recipe: &recipe.to_toml(), level };
        check_recipe(writer.recipe, &first.path, first.format)?;
        if number > 0 && frames.get(number).is_none() {
            writer.write(number, &frame)?;
        }
        let frames = count.map(|count| count.saturating_sub(number + 1));
        run.started(Work::Frames { folder: self.folder.clone(), after: number, frames });
        self.go_on(&mut dreamer, (number, frame), count, &writer, run)?;
        Ok(recipe)
    }

    /// What [`Self::make`] would go on from, with nothing written: `first` is the first frame, wherever it is. Returns
    /// the dreamer, the newest frame with its number, and how many frames there are to be.
    ///
    /// # Errors
    /// As [`Self::make`], as far as that is known before the first frame.
    pub(super) fn rehearse(
        &self,
        first: &Path,
        movie: &Output,
        run: Run,
    ) -> Result<(ZoomDreamer, (u64, Tensor), Option<u64>)> {
        let (format, mut state) = (ImageFormat::of_file(first)?, None);
        if self.folder.is_dir() {
            let frames = Frames::find_named(&self.folder)?;
            match self.overwrite {
                true => drop(self.made(&frames, format.extension())?),
                false => {
                    state = Store::load(&self.folder)?;
                    self.check_listed(&frames, state.as_ref())?;
                }
            }
        }
        let (dreamer, start, count) = self.prepare(first, state.as_ref(), Some(movie), run)?;
        let recipe = dreamer.recipe();
        let newest = match &state {
            Some(state) => {
                self.compare(state, &recipe, &sha256(first)?)?;
                if count.is_none_or(|count| state.number + 1 < count) {
                    check_level(&self.folder, state.level.as_deref(), dreamer.level(), run)?;
                }
                (state.number, self.newest(state, &start)?)
            }
            None => (0, start),
        };
        check_recipe(&recipe.to_toml(), first, format)?;
        Ok((dreamer, newest, count))
    }

    /// Everything that can be refused is refused here. Returns the dreamer, the first frame as it is
    /// dreamt on, and how many frames there are to be.
    fn prepare(
        &self,
        first: &Path,
        state: Option<&State>,
        movie: Option<&Output>,
        run: Run,
    ) -> Result<(ZoomDreamer, Tensor, Option<u64>)> {
        let base = match (self.dream.base()?, state) {
            (None, Some(state)) => {
                let name = format!("the recipe of {}", self.folder.display());
                Some(Base::of_text(name, state.recipe.clone())?.beside(&self.folder))
            }
            (base, _) => base,
        };
        let network = self.dream.open_network(base.as_ref(), run)?;
        let machine = self.dream.limits.machine()?;
        let image = picture::read(first, machine.memory)?;
        let mut notes = image.notes().to_vec();
        if image.is_transparent() {
            notes.push("its transparency is left out of the frames".to_owned());
        }
        if image.depth() == BitDepth::Sixteen {
            notes.push("it has 16 bits per channel; the frames have 8".to_owned());
        }
        // A preset's rules are those of pictures by themselves, whatever they are put upon.
        let is_new = base.is_none() || self.dream.recipe.preset.is_some();
        let prepare = |recipe: &mut Recipe| {
            if is_new {
                recipe.start_zoom();
            }
            self.set_motion(recipe);
            if let Some(curve) = &self.curve {
                recipe.zoom.get_or_insert_default().rhythm.curve.clone_from(curve);
            }
        };
        let usual = Preset::Default;
        let resolved = self.dream.resolve_sparing(base.as_ref(), &network, usual, prepare, run)?;
        movie.map_or(Ok(()), |movie| movie.spare(resolved.inputs()))?;
        let Resolved { mut recipe, assets, .. } = resolved;
        recipe.noise = None;
        if recipe.size.is_none() {
            let longest = image.size().height.max(image.size().width);
            recipe.size = self.longest.filter(|&size| longest > size as usize);
        }
        let color = image.color();
        self.dream.choose_layers(base.as_ref(), &mut recipe, &network, color, &machine)?;
        let count = self.set_length(&mut recipe)?;
        recipe.validate()?;
        let start = ZoomDreamer::first(&recipe, &machine, image.into_color());
        let network = Arc::new(network);
        let dreamer = ZoomDreamer::with_assets(&recipe, assets, network, &machine, &start)?;
        let name = first.display();
        notes.iter().for_each(|note| run.note(Note::reading(&name, note)));
        Ok((dreamer, start, count))
    }

    /// Makes the frames after the one given with its number.
    fn go_on(
        &self,
        dreamer: &mut ZoomDreamer,
        (mut number, mut frame): (u64, Tensor),
        count: Option<u64>,
        writer: &Writer,
        run: Run,
    ) -> Result<()> {
        let progress = FramesProgress::new(run, self.dream.previews, count, number + 1);
        let (name, over) = (self.folder.display().to_string(), || run.is_cancelled());
        let mut observer = progress.worker(&over);
        while count.is_none_or(|count| number + 1 < count) {
            observer.begin(number + 1);
            frame = dreamer.frame(number + 1, &frame, &mut observer).map_err(|error| {
                let name = format!("{name}: frame {}", number + 1);
                undreamt(&name, error, || self.stopped(number))
            })?;
            number += 1;
            writer.save(number, &frame)?;
            observer.done(&writer.write(number, &frame)?);
            if run.is_cancelled() {
                return Err(self.stopped(number));
            }
        }
        Ok(())
    }

    /// Looks at the folder; where frames may be overwritten, clears away what was made before.
    fn find(&self) -> Result<Found> {
        let folder = &self.folder;
        let frames = Frames::find_named(folder)?;
        let Some(path) = frames.get(0) else {
            let what = format!("there is no first frame in {}", folder.display());
            return Err(Error::new(Fault::Picture, what).at(folder).hint(
                "Put a picture into the folder, and call it img_0.jpg, img_0.png or img_0.webp.",
            ));
        };
        let hash = sha256(path)?;
        let first = FirstFrame { path: path.to_owned(), format: ImageFormat::of_file(path)?, hash };
        let store = Store::open(folder)?;
        if self.overwrite {
            self.clear(&store, &frames, &first)?;
            let frames = Frames::find_named(folder)?;
            return Ok(Found { store, frames, first, state: None });
        }
        let state = Store::load(folder)?;
        self.check_listed(&frames, state.as_ref())?;
        Ok(Found { store, frames, first, state })
    }

    /// Refuses frames that are newer than the record of them.
    fn check_listed(&self, frames: &Frames, state: Option<&State>) -> Result<()> {
        let newest = frames.iter().next_back().map_or(0, |(number, _)| number);
        let known = state.map_or(0, |state| state.number);
        if newest <= known {
            return Ok(());
        }
        let what = format!(
            "{} has frames up to {newest}, but its record of them ends with frame {known}",
            self.folder.display()
        );
        Err(Error::new(Fault::Output, what)
            .at(&self.folder)
            .hint("Use a new folder, or move the other frames away."))
    }

    /// The frames that the record lists, with names that end so where it does not say how; refuses where there are
    /// others.
    fn made<'a>(&self, frames: &'a Frames, ending: &str) -> Result<Vec<&'a Path>> {
        let (newest, own) = Store::listed(&self.folder).unwrap_or((0, None));
        let ending = own.unwrap_or_else(|| ending.to_owned());
        let (made, others) = frames.made(1, newest.saturating_add(1), &ending);
        if let Some(other) = others.first() {
            let what = format!(
                "could not begin again in {}: nothing says that {} was made here",
                self.folder.display(),
                other.file_name().unwrap_or_default().display()
            );
            return Err(Error::new(Fault::Output, what)
                .at(*other)
                .hint("Use a new folder, or move away all frames but the first."));
        }
        Ok(made)
    }

    /// Removes the frames that the record lists, then the record; refuses where there are others.
    fn clear(&self, store: &Store, frames: &Frames, first: &FirstFrame) -> Result<()> {
        // The newest first, so that the record holds for those that are left.
        self.made(frames, &first.ending())?.into_iter().rev().try_for_each(remove)?;
        store.clear()
    }

    /// Puts the frame rate and the motion that the job asks for into a recipe, before its own edits.
    fn set_motion(&self, recipe: &mut Recipe) {
        let zoom = recipe.zoom.get_or_insert_default();
        if let Some(fps) = self.fps {
            zoom.fps = fps.per_second();
        }
        if let Some(motion) = self.motion {
            let fps = self.dream.recipe.number(field::FPS).unwrap_or(zoom.fps);
            zoom.motion = Motion::preset(motion, fps);
        }
    }

    /// How many frames there are to be; the motion comes to rest with the last of them, where the job
    /// asks for that.
    fn set_length(&self, recipe: &mut Recipe) -> Result<Option<u64>> {
        let zoom = recipe.zoom.get_or_insert_default();
        let count = self.length.frames(self.rate(zoom.fps).per_second());
        if zoom.motion.ease_out > 0.0 && self.dream.recipe.sets(field::EASE_OUT) {
            let Some(count) = count else {
                let what = "the motion cannot come to rest at an end that is not known";
                return Err(Error::new(Fault::Usage, what)
                    .turn(Knob::Count, "Say how many frames there are to be."));
            };
            zoom.length = Some(count.saturating_sub(1) as f64 / zoom.fps);
        }
        Ok(count)
    }

    /// The frame rate of a recipe of `fps`: the very fraction the job asks for, unless the recipe has been
    /// given another rate since.
    pub(crate) fn rate(&self, fps: f64) -> FrameRate {
        let own = self.fps.filter(|own| own.per_second() == fps);
        own.unwrap_or_else(|| FrameRate::nearest(fps))
    }

    /// The newest frame as it was before rounding.
    fn newest(&self, state: &State, first: &Tensor) -> Result<Tensor> {
        let frame = state.pictures.get(PICTURE).filter(|frame| frame.shape == first.shape);
        frame.cloned().ok_or_else(|| {
            let what = format!("the state of {} has another size", self.folder.display());
            begin_again(Error::new(Fault::Picture, what).at(&self.folder))
        })
    }

    /// Refuses to mix frames of two recipes or two pictures.
    fn compare(&self, state: &State, recipe: &Recipe, source: &str) -> Result<()> {
        let name = self.folder.display();
        let wrong = |what| Error::new(Fault::Recipe, what).at(&self.folder);
        if state.source != source {
            let what = format!("the frames in {name} were made from another picture than img_0");
            return Err(begin_again(wrong(what)));
        }
        let before = Recipe::from_toml(&state.recipe)
            .map_err(|error| wrong(format!("could not read the recipe of {name}: {error}")))?;
        let differences = recipe.differences(&before);
        if differences.is_empty() {
            return Ok(());
        }
        let differences = differences.join("; ");
        let what = format!("the frames in {name} were made by another recipe: {differences}");
        Err(other_recipe(wrong(what)))
    }

    fn stopped(&self, number: u64) -> Error {
        let what = format!("stopped: {} has frames up to {number}", self.folder.display());
        Error::cancelled(what).at(&self.folder).hint("Run the same again to continue from there.")
    }
}

/// Writes frames in the format of the first one.
struct Writer<'a> {
    folder: &'a Path,
    store: &'a Store,
    first: &'a FirstFrame,
    recipe: &'a str,
    level: CpuLevel,
}

impl Writer<'_> {
    /// Saves what the frame after this one depends on.
    fn save(&self, number: u64, frame: &Tensor) -> Result<()> {
        self.store.save(&State {
            number,
            age: number,
            pictures: [(PICTURE.to_owned(), frame.clone())].into(),
            recipe: self.recipe.to_owned(),
            source: self.first.hash.clone(),
            ending: Some(self.first.ending()),
            level: Some(self.level.to_string()),
        })
    }

    /// Writes a frame; returns where.
    fn write(&self, number: u64, frame: &Tensor) -> Result<PathBuf> {
        let path = frame_path(self.folder, number, &self.first.ending());
        let image = Image::from_planes(frame.clone(), None)?;
        self.store
            .write(&path, &picture::encode(&image, self.first.format, self.recipe, &path)?)?;
        Ok(path)
    }
}

/// Says before the work, not after the first frame, if frames in the format of the first cannot carry the recipe.
fn check_recipe(recipe: &str, first: &Path, format: ImageFormat) -> Result<()> {
    match picture::check_recipe(recipe, format) {
        Err(ImageError::RecipeTooLong { format }) => {
            let name = first.display();
            let what = format!("the recipe is too long for frames in {format}, as {name} is");
            Err(Error::new(Fault::Output, what)
                .at(first)
                .hint("Begin with a PNG: frames have the format of the first."))
        }
        checked => Ok(checked?),
    }
}

/// The ways out where the frames of a folder cannot be continued.
fn begin_again(error: Error) -> Error {
    error
        .hint("Use a new folder.")
        .turn(Knob::Overwrite, "Or remove the frames that were made and begin again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_has_the_last_word_on_the_frame_rate() {
        let seventh = FrameRate::new(1000, 7).unwrap();
        let job = FramesJob { fps: Some(seventh), ..FramesJob::new("dream") };
        assert_eq!(job.rate(seventh.per_second()), seventh);
        assert_eq!(job.rate(60.0), FrameRate::new(60, 1).unwrap());
    }
}
