//! One dream on one image: what the jobs on pictures and the dreamer in memory have in common.

use std::path::Path;
use std::time::Duration;

use dream::{Assets, Checkpoint, Filter, Machine, NoiseStart, Observer, Plan, Recipe, RecipeError};
use graph::{Network, Shape, Size, Tensor};
use media::{BitDepth, EncodeOptions, Image, ImageError, ImageFormat, Limits};

use crate::convert::{undreamt, unplanned};
use crate::memory::free_memory;
use crate::output::{Output, refused};
use crate::progress::{PictureObserver, Run};
use crate::{Error, Note, Result, Work};

/// What a dream starts from.
pub(crate) enum Start {
    Image(Image),
    Noise(NoiseStart),
}

impl Start {
    pub(crate) fn size(&self) -> Size {
        match self {
            Start::Image(image) => image.size(),
            Start::Noise(noise) => noise.size(),
        }
    }

    pub(crate) fn noise(&self) -> Option<NoiseStart> {
        match self {
            Start::Image(_) => None,
            Start::Noise(noise) => Some(*noise),
        }
    }
}

/// What dreams on images are made with.
pub(crate) struct Studio<'a> {
    pub(crate) network: &'a Network,
    pub(crate) machine: &'a Machine,
    pub(crate) run: Run<'a>,
    pub(crate) previews: Option<Duration>,
    /// The picture's place in a batch, from 1, and how many pictures the batch has.
    pub(crate) place: Option<(usize, usize)>,
}

impl Studio<'_> {
    /// The plan for a dream on a picture of this size, or noise, that is called `name`.
    ///
    /// # Errors
    /// Whatever would keep the dream from its end.
    pub(crate) fn plan(
        &self,
        name: &str,
        size: Size,
        noise: Option<NoiseStart>,
        (recipe, assets): (&Recipe, &Assets),
    ) -> Result<Plan> {
        let recipe = Recipe { noise, ..recipe.clone() };
        let plan = Plan::with_assets(&recipe, assets, self.network, size, self.machine)
            .map_err(|error| unplanned(name, error))?;
        if plan.dropped_octaves() > 0 {
            let (name, dropped) = (name.to_owned(), plan.dropped_octaves());
            self.run.note(Note::FewerOctaves { name, dropped });
        }
        if let Some(tiling) = plan.tiling().filter(|_| recipe.tiles != plan.recipe().tiles) {
            self.run.note(Note::InTiles { name: name.to_owned(), tiling });
        }
        if let Some(scratch) = plan.storage().as_scratch() {
            let (name, bytes, folder) = (name.to_owned(), plan.scratch(), scratch.place());
            self.run.note(Note::InScratch { name, bytes, folder });
        }
        Ok(plan)
    }

    /// Lets what is dreamt on choose the channels that the recipe leaves to it.
    ///
    /// # Errors
    /// A picture too small for a layer, or too little memory.
    pub(crate) fn choose(&self, name: &str, start: &Start, plan: &mut Plan) -> Result<()> {
        if !plan.recipe().needs_picture() {
            return Ok(());
        }
        let chosen = match start {
            Start::Image(image) => plan.choose_channels(image.color()),
            Start::Noise(noise) => plan.choose_channels(&plan.noise(noise.size())),
        };
        chosen.map_err(|error| unplanned(name, error))
    }

    /// The dream. Transparency and bit depth stay as they are.
    ///
    /// # Errors
    /// That it was cancelled, or what runs the network fails.
    pub(crate) fn dream(&self, name: &str, start: Start, plan: &Plan) -> Result<Image> {
        let (at, finish) = self.dream_from(name, start, plan, None)?;
        match at.is_whole(plan) && !self.run.is_cancelled() {
            true => finish.image(plan, at.into_picture()),
            false => Err(Error::cancelled("stopped")),
        }
    }

    /// The dreams on as many noises as the plan says.
    ///
    /// # Errors
    /// That they were cancelled, or what runs the network fails.
    pub(crate) fn dream_together(&self, name: &str, plan: &Plan) -> Result<Vec<Image>> {
        let (name, size) = (name.to_owned(), plan.size());
        self.run.started(Work::Picture { name: name.clone(), size, place: self.place });
        let mut observer = PictureObserver::new(self.run, plan, self.previews);
        let dreams = dream::dream_together(plan, &mut observer)
            .map_err(|error| undreamt(&name, error, || Error::cancelled("stopped")))?;
        dreams.into_iter().map(|color| Ok(Image::from_planes(color, None)?)).collect()
    }

    /// Dreams from where a dream stood until it is whole or cancelled; and what makes an image of it.
    ///
    /// # Errors
    /// A checkpoint of another dream, or what runs the network fails.
    pub(crate) fn dream_from(
        &self,
        name: &str,
        start: Start,
        plan: &Plan,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(Checkpoint, Finish)> {
        let mut observer = PictureObserver::new(self.run, plan, self.previews);
        self.dream_observed(name, start, plan, checkpoint, &mut observer)
    }

    /// The same, for another observer, who may end it.
    ///
    /// # Errors
    /// As [`Self::dream_from`].
    pub(crate) fn dream_observed(
        &self,
        name: &str,
        start: Start,
        plan: &Plan,
        checkpoint: Option<Checkpoint>,
        observer: &mut dyn Observer,
    ) -> Result<(Checkpoint, Finish)> {
        let size = plan.size();
        self.run.started(Work::Picture { name: name.to_owned(), size, place: self.place });
        let image = match start {
            Start::Image(image) => image,
            Start::Noise(noise) => Image::from_planes(plan.noise(noise.size()), None)?,
        };
        let depth = image.depth();
        let (color, alpha) = image.into_planes();
        let before = plan.finishes().then(|| color.clone());
        let at = dream::dream_from(plan, color, checkpoint, observer)
            .map_err(|error| undreamt(name, error, || Error::cancelled("stopped")))?;
        Ok((at, Finish { before, alpha, depth }))
    }
}

/// Whether a recipe is of one picture by itself; `way_out` says what to do where it is not.
///
/// # Errors
/// It is of several.
pub(crate) fn alone(recipe: &Recipe, way_out: &'static str) -> Result<()> {
    match recipe.pictures {
        1 => Ok(()),
        _ => Err(RecipeError::Together { way_out }.into()),
    }
}

/// What a dream on an image keeps of it.
pub(crate) struct Finish {
    /// Its colours, where the dream's end depends on them.
    before: Option<Tensor>,
    alpha: Option<Tensor>,
    depth: BitDepth,
}

impl Finish {
    /// The image that a whole dream's colours make.
    ///
    /// # Errors
    /// None, as dreams have three planes.
    pub(crate) fn image(self, plan: &Plan, mut color: Tensor) -> Result<Image> {
        if let Some(before) = self.before {
            plan.finish(&before, &mut color);
        }
        let size = color.shape.size();
        let alpha = self.alpha.map(|alpha| match alpha.shape.size() == size {
            true => alpha,
            false => dream::resize(&alpha, size, Filter::CatmullRom),
        });
        Ok(Image::from_planes(color, alpha)?.with_depth(self.depth))
    }
}

/// The size of a picture, from its headers alone.
///
/// # Errors
/// As [`read`], as far as headers tell.
pub(crate) fn size_of(path: &Path, memory: u64) -> Result<Size> {
    Ok(Image::size_of_file(path, &Limits::memory(memory))?)
}

/// The same of a picture that may lie in scratch files.
///
/// # Errors
/// As [`size_of`].
pub(crate) fn size_for(path: &Path, machine: &Machine) -> Result<Size> {
    let limits = Limits::memory(machine.memory).in_storage(&machine.scratch);
    Ok(Image::size_of_file(path, &limits)?)
}

/// Reads a picture that is to be dreamt on as `plan` says: where its dream will lie or, if that takes more memory
/// than there is, in scratch files.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_for(plan: &Plan, path: &Path, machine: &Machine) -> Result<Image> {
    let limits = Limits::memory(machine.memory);
    match Image::read(path, &limits.clone().in_storage(plan.storage())) {
        Err(ImageError::Memory { .. }) => {
            Ok(Image::read(path, &limits.in_storage(&machine.scratch))?)
        }
        read => Ok(read?),
    }
}

/// Reads a picture with at most `memory` bytes.
///
/// # Errors
/// A file that is no picture, is damaged or too large.
pub(crate) fn read(path: &Path, memory: u64) -> Result<Image> {
    Ok(Image::read(path, &Limits::memory(memory))?)
}

/// The text of the recipe that a frame carries, if it carries one.
pub(crate) fn recipe_of(path: &Path) -> Option<String> {
    media::recipe_of(path, &Limits::memory(free_memory())).ok()
}

/// Writes an image to its place, with its recipe.
///
/// # Errors
/// What its format cannot hold, or what the operating system says.
pub(crate) fn write(
    image: &Image,
    format: ImageFormat,
    recipe: &str,
    output: &Output,
) -> Result<()> {
    output.write_with(|file| image.encode_into(format, &EncodeOptions::with_recipe(recipe), file))
}

/// The file's bytes of an image that goes to `path`, with its recipe.
///
/// # Errors
/// What its format cannot hold.
pub(crate) fn encode(
    image: &Image,
    format: ImageFormat,
    recipe: &str,
    path: &Path,
) -> Result<Vec<u8>> {
    image.encode(format, &EncodeOptions::with_recipe(recipe)).map_err(|error| refused(path, error))
}

/// Whether files of a format can carry a recipe: before the work, not after it.
///
/// # Errors
/// It is too long.
pub(crate) fn check_recipe(recipe: &str, format: ImageFormat) -> Result<(), ImageError> {
    let pixel = Image::from_planes(Tensor::zeros(Shape::new(3, 1, 1)), None)?;
    pixel.encode(format, &EncodeOptions::with_recipe(recipe)).map(|_| ())
}
