//! Making frames: from where the folder stands to as many as are wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dream::{DreamError, PlanError, Recipe, Tensor, ZoomDreamer};
use media::{EncodeOptions, Image, ImageFormat, Limits};

use super::state::{State, Store};
use super::watch::FrameWatch;
use super::{Frames, MotionArgs};
use crate::exit::{Failure, Fault};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::model::unfit;
use crate::recipe_args::{Base, RecipeArgs};
use models::digest::sha256;

/// What the newest frame is called in the state.
const PICTURE: &str = "picture";

/// What the user wants of a folder of frames.
pub(crate) struct Job<'a> {
    /// The folder.
    pub(crate) folder: &'a Path,
    /// The recipe's flags.
    pub(crate) recipe: &'a RecipeArgs,
    /// The motion's flags.
    pub(crate) motion: &'a MotionArgs,
    /// The machine's flags.
    pub(crate) machine: &'a MachineArgs,
    /// Longest side where neither flags nor a recipe name one and the picture's is longer.
    pub(crate) size: Option<u32>,
    /// How many frames there are to be in all, given the frame rate; `None` for no end.
    pub(crate) count: &'a dyn Fn(f64) -> Option<u64>,
    /// Whether frames that were made otherwise are thrown away.
    pub(crate) force: bool,
    /// Whether to say nothing.
    pub(crate) quiet: bool,
    /// Asked after every step.
    pub(crate) interrupt: &'a Interrupt,
}

/// A folder as it was found, ready to go on.
struct Found {
    store: Store,
    frames: Frames,
    /// The first frame's picture, the format all frames have, and the SHA-256 of its file.
    first: (PathBuf, ImageFormat, String),
    state: Option<State>,
}

impl Job<'_> {
    /// Makes the frames that are missing; returns the recipe they were made by.
    ///
    /// # Errors
    /// A folder without a first frame, or with frames made otherwise; whatever keeps a frame from
    /// being made or written.
    pub(crate) fn run(&self) -> Result<Recipe, Failure> {
        let found = self.find()?;
        let Found { store, frames, first: (path, format, source), state } = &found;
        let base = match (self.recipe.base()?, state) {
            (None, Some(state)) => {
                let name = format!("the recipe of {}", self.folder.display());
                Some(Base::of_text(name, state.recipe.clone())?)
            }
            (base, _) => base,
        };
        let network = self.recipe.network(base.as_ref(), self.quiet)?;
        let machine = self.machine.machine()?;
        let picture = Image::read(path, &Limits::memory(machine.memory))?;
        let notes = picture.notes().to_vec();
        let colour = picture.into_color();
        let mut recipe = self.recipe.recipe(base.as_ref(), &network)?;
        recipe.noise = None;
        if recipe.size.is_none() {
            let longest = colour.shape.height.max(colour.shape.width);
            recipe.size = self.size.filter(|&size| longest > size as usize);
        }
        let fps = self.motion.rate(Some(&recipe)).per_second();
        let count = (self.count)(fps);
        self.motion.edit(&mut recipe, count)?;
        let first = ZoomDreamer::first(&recipe, &machine, colour);
        let mut dreamer =
            ZoomDreamer::new(&recipe, Arc::new(network), &machine, &first).map_err(unplanned)?;
        let recipe = dreamer.recipe();
        let text = recipe.to_toml();

        let (mut number, mut frame) = match state {
            Some(state) => {
                self.compare(state, &recipe, source)?;
                let picture = state.pictures.get(PICTURE).filter(|it| it.shape == first.shape);
                let Some(picture) = picture else {
                    let what = format!("{}: its state has another size", self.folder.display());
                    return Err(Failure::new(Fault::Picture, what).or(BEGIN_AGAIN));
                };
                (state.number, picture.clone())
            }
            None => (0, first),
        };
        let place = |number: u64| {
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            self.folder.join(format!("img_{number}.{ending}"))
        };
        let write = |number: u64, frame: &Tensor| {
            let image = Image::from_planes(frame.clone(), None)?;
            let bytes =
                image.encode(*format, &EncodeOptions::with_recipe(&text)).map_err(|error| {
                    let what = format!("{}: cannot be written: {error}", place(number).display());
                    Failure::new(Fault::Output, what)
                })?;
            store.write(&place(number), &bytes)
        };
        if number > 0 && frames.iter().all(|(known, _)| known != number) {
            write(number, &frame)?;
        }
        if !self.quiet {
            for note in notes {
                eprintln!("{}: {note}", path.display());
            }
            if number > 0 {
                eprintln!("{}: going on after frame {number}", self.folder.display());
            }
        }
        let left = count.map(|count| count.saturating_sub(number + 1));
        let mut watch = FrameWatch::new(self.interrupt, left, self.quiet);
        while count.is_none_or(|count| number + 1 < count) {
            watch.begin(number + 1);
            frame = dreamer.frame(number + 1, &frame, &mut watch).map_err(|error| match error {
                DreamError::Stopped => self.stopped(number),
                DreamError::Plan(error) => unplanned(error),
            })?;
            number += 1;
            let recipe = text.clone();
            let pictures = [(PICTURE.to_owned(), frame.clone())].into();
            store.save(&State { number, age: number, pictures, recipe, source: source.clone() })?;
            write(number, &frame)?;
            watch.done();
            if self.interrupt.asked() {
                return Err(self.stopped(number));
            }
        }
        Ok(recipe)
    }

    /// Looks at the folder; with `force`, clears away what was made before.
    fn find(&self) -> Result<Found, Failure> {
        let name = self.folder.display();
        let frames = Frames::find(self.folder)?;
        let Some((_, path)) = frames.iter().find(|(number, _)| *number == 0) else {
            let what = format!("{name}: there is no first frame in this folder");
            return Err(Failure::new(Fault::Picture, what)
                .or("put a picture into it that is called img_0.jpg, img_0.png or img_0.webp"));
        };
        let format = ImageFormat::of_file(path)?;
        let source = sha256(path).map_err(|error| {
            Failure::new(Fault::Picture, format!("{}: {error}", path.display()))
        })?;
        let first = (path.to_owned(), format, source);
        let store = Store::open(self.folder)?;
        if self.force {
            store.clear()?;
            for (_, path) in frames.iter().filter(|(number, _)| *number > 0) {
                std::fs::remove_file(path).map_err(|error| {
                    Failure::new(Fault::Output, format!("{}: {error}", path.display()))
                })?;
            }
            return Ok(Found { store, frames: Frames::find(self.folder)?, first, state: None });
        }
        let state = store.load()?;
        let newest = frames.iter().next_back().map_or(0, |(number, _)| number);
        let known = state.as_ref().map_or(0, |state| state.number);
        if newest > known {
            let what = format!(
                "{name}: frames up to {newest} are there, but this program's record of them ends at {known}"
            );
            return Err(Failure::new(Fault::Output, what).or(BEGIN_AGAIN));
        }
        Ok(Found { store, frames, first, state })
    }

    /// Refuses to mix frames of two recipes or two pictures.
    fn compare(&self, state: &State, recipe: &Recipe, source: &str) -> Result<(), Failure> {
        let name = self.folder.display();
        if state.source != source {
            let what = format!(
                "{name}: its first frame is another picture than the frames were made from"
            );
            return Err(Failure::new(Fault::Recipe, what).or(BEGIN_AGAIN));
        }
        let before = Recipe::from_toml(&state.recipe)
            .map_err(|error| Failure::new(Fault::Recipe, format!("{name}: {error}")))?;
        let differences = recipe.differences(&before);
        if differences.is_empty() {
            return Ok(());
        }
        let what =
            format!("{name}: its frames were made by another recipe: {}", differences.join("; "));
        Err(Failure::new(Fault::Recipe, what).or(
            "without those flags the folder's own recipe goes on; --force removes its frames and begins again",
        ))
    }

    fn stopped(&self, number: u64) -> Failure {
        let what = format!("stopped: {} has frames up to {number}", self.folder.display());
        Failure::new(Fault::Interrupted, what).or("the same command goes on from there")
    }
}

const BEGIN_AGAIN: &str =
    "use a new folder, or --force to remove all its frames but the first and begin again";

/// The failure for a recipe that cannot be followed here.
fn unplanned(error: PlanError) -> Failure {
    match error {
        PlanError::Network(error) => unfit(error),
        PlanError::Memory { .. } => Failure::new(Fault::Memory, error),
        error => Failure::new(Fault::Recipe, error),
    }
}
