//! A picture in, a dream out.

use std::path::{Path, PathBuf};

use dream::{Assets, Machine, NoiseStart, Preset, Recipe};
use graph::Network;
use media::{BitDepth, ImageFormat};

use super::Report;
use crate::base::Base;
use crate::inputs::same;
use crate::output::Output;
use crate::output_paths::{OutputPath, output_paths};
use crate::picture::{self, Start, Studio};
use crate::progress::Run;
use crate::request::Resolved;
use crate::{
    CancelToken, Content, DreamRequest, Error, Event, Events, Fault, Input, Knob, Note, Result,
};

/// What a dream starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A picture's file.
    Picture(PathBuf),
    /// Noise, which the recipe's seed decides.
    Noise {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
}

impl Source {
    /// What events call it.
    fn name(&self) -> String {
        match self {
            Source::Picture(path) => path.display().to_string(),
            Source::Noise { width, height } => format!("{width}×{height} noise"),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Source::Picture(path) => Some(path),
            Source::Noise { .. } => None,
        }
    }
}

/// Dreams on one picture, or on noise.
#[derive(Clone, Debug, Default)]
pub struct StillJob {
    /// What to dream on. Default: the noise that the recipe started from.
    pub source: Option<Source>,
    /// The file to write, in the format its name says, or a folder. Default: beside the picture,
    /// `photo.dream.jpg` for `photo.jpg`.
    pub output: Option<PathBuf>,
    /// A TOML file for the recipe as well. Default: none.
    pub save_recipe: Option<PathBuf>,
    /// Whether files that exist may be replaced. Default: they are an error.
    pub overwrite: bool,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

impl StillJob {
    /// A job that dreams on a picture.
    pub fn new(picture: impl Into<PathBuf>) -> Self {
        Self { source: Some(Source::Picture(picture.into())), ..Self::default() }
    }

    /// Reads, dreams, writes.
    ///
    /// # Errors
    /// Whatever keeps the picture from being read, dreamt on or written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let base = self.dream.base()?;
        let noise = || Some(noise_source(base.as_ref()?.noise()?));
        let source = self.source.clone().or_else(noise).ok_or_else(|| {
            Error::new(Fault::Usage, "there is nothing to dream on")
                .turn(Knob::Noise, "Name a picture, or ask for noise.")
        })?;
        let stills = Stills::open(self, base, vec![source], run)?;
        let (path, recipe) = stills.dream(0)?;
        stills.save(&recipe)?;
        run.event(Event::Done);
        Ok(Report { wrote: vec![path], recipe: Some(recipe) })
    }
}

fn noise_source(NoiseStart { width, height }: NoiseStart) -> Source {
    Source::Noise { width, height }
}

/// Pictures that can be dreamt on: their outputs claimed, the network loaded, the recipe known.
pub(super) struct Stills<'a> {
    dream: &'a DreamRequest,
    pub(super) sources: Vec<Source>,
    /// For each source where its dream goes, or why there can be none.
    outputs: Vec<Result<(Output, ImageFormat)>>,
    recipe_output: Option<Output>,
    network: Network,
    base: Option<Base>,
    recipe: Recipe,
    assets: Assets,
    machine: Machine,
    run: Run<'a>,
}

impl<'a> Stills<'a> {
    /// Prepares dreams on `sources`, as `job` says for the rest.
    pub(super) fn open(
        job: &'a StillJob,
        base: Option<Base>,
        sources: Vec<Source>,
        run: Run<'a>,
    ) -> Result<Self> {
        let StillJob { output, save_recipe, overwrite, dream, .. } = job;
        let pictures: Vec<_> = sources.iter().map(Source::path).collect();
        let claim = |path| Output::claim(path, *overwrite).map(|output| output.of_job(run));
        let inputs: Vec<Input> = pictures
            .iter()
            .flatten()
            .map(|picture| Input::new("picture", picture))
            .chain(dream.inputs())
            .collect();
        let paths = output_paths(&pictures, output.as_deref())?;
        let claimed = |path: Result<OutputPath>| {
            let (path, format) = path?;
            let output = claim(path)?;
            output.spare(inputs.iter().copied())?;
            Ok((output, format))
        };
        let mut outputs: Vec<Result<_>> = paths.into_iter().map(claimed).collect();
        if let [Err(error)] = outputs.as_slice() {
            return Err(error.clone());
        }
        let recipe_output = save_recipe.clone().map(claim).transpose()?;
        if let Some(recipe) = &recipe_output {
            recipe.spare(inputs.iter().copied())?;
            // Devices take all that is written to them.
            let is_device = recipe.path().exists() && !recipe.path().is_file();
            let mut written = outputs.iter().flatten().map(|(output, _)| output.path());
            if !is_device && written.any(|other| same(other) == same(recipe.path())) {
                let error = recipe.error("the dream has that name");
                return Err(error.hint("Choose another name for the recipe."));
            }
        }
        let claimed = outputs.iter().flatten().map(|(output, _)| output);
        Output::clear_leftovers(claimed.chain(&recipe_output));
        let network = dream.open_network(base.as_ref(), run)?;
        let is_noise = |source: &Source| matches!(source, Source::Noise { .. });
        let prepare = |recipe: &mut Recipe| {
            if base.is_none() && sources.iter().any(is_noise) {
                recipe.start_from_noise();
            }
        };
        let usual = Preset::Default;
        let resolved = dream.resolve_sparing(base.as_ref(), &network, usual, prepare, run)?;
        for output in &mut outputs {
            if let Ok((claimed, _)) = output
                && let Err(error) = claimed.spare(resolved.inputs())
            {
                *output = Err(error);
            }
        }
        if let [Err(error)] = outputs.as_slice() {
            return Err(error.clone());
        }
        recipe_output.iter().try_for_each(|recipe| recipe.spare(resolved.inputs()))?;
        let Resolved { recipe, assets, .. } = resolved;
        let machine = dream.limits.machine()?;
        Ok(Self {
            dream,
            sources,
            outputs,
            recipe_output,
            network,
            base,
            recipe,
            assets,
            machine,
            run,
        })
    }

    /// Reads, dreams, writes; returns where, and the recipe as the output carries it.
    pub(super) fn dream(&self, index: usize) -> Result<(PathBuf, Recipe)> {
        let source = &self.sources[index];
        let (output, format) = self.outputs[index].as_ref().map_err(Error::clone)?;
        let machine = Machine { memory: self.dream.limits.memory(), ..self.machine.clone() };
        let name = source.name();
        let (size, noise) = match *source {
            Source::Picture(ref path) => (picture::size_of(path, machine.memory)?, None),
            Source::Noise { width, height } => {
                let noise = NoiseStart { width, height };
                (noise.size(), Some(noise))
            }
        };
        let studio = Studio {
            network: &self.network,
            machine: &machine,
            run: self.run,
            previews: self.dream.previews,
            place: Some((index + 1, self.sources.len())).filter(|(_, count)| *count > 1),
        };
        // A picture that is too large for the dream is not even read.
        let mut plan = studio.plan(&name, size, noise, (&self.recipe, &self.assets))?;
        format.check_size(plan.size()).map_err(|error| output.refused(error))?;
        let start = match source {
            Source::Picture(path) => Start::Image(picture::read(path, machine.memory)?),
            &Source::Noise { width, height } => Start::Noise(NoiseStart { width, height }),
        };
        if let Start::Image(image) = &start {
            image.notes().iter().for_each(|note| self.run.note(Note::reading(&name, note)));
            let (name, format) = (name.clone(), *format);
            if image.is_transparent() && !format.has_alpha() {
                self.run.note(Note::NoPlaceForAlpha { name: name.clone(), format });
            }
            if image.depth() == BitDepth::Sixteen && !format.has_sixteen_bits() {
                self.run.note(Note::NoPlaceForBits { name, format });
            }
        }
        if let Start::Image(image) = &start {
            let (base, mut recipe) = (self.base.as_ref(), self.recipe.clone());
            let color = image.color();
            self.dream.choose_layers(base, &mut recipe, &self.network, color, &machine)?;
            if recipe != self.recipe {
                plan = studio.plan(&name, size, noise, (&recipe, &self.assets))?;
            }
        }
        studio.choose(&name, &start, &mut plan)?;
        if !format.has_metadata() {
            self.run.note(Note::NoPlaceForRecipe { name: name.clone() });
        }
        let image = studio.dream(&name, start, &plan).map_err(|error| match error.fault() {
            Fault::Cancelled => {
                let what = format!("stopped: {} was not written", output.path().display());
                Error::cancelled(what).at(output.path())
            }
            _ => error,
        })?;
        let recipe = plan.recipe();
        output.write(&picture::encode(&image, *format, &recipe.to_toml(), output.path())?)?;
        self.run.wrote(output.path(), Content::Picture { of: name });
        Ok((output.path().to_owned(), recipe.clone()))
    }

    /// Writes the recipe into a file of its own, where one is wanted.
    pub(super) fn save(&self, recipe: &Recipe) -> Result<()> {
        let Some(output) = &self.recipe_output else { return Ok(()) };
        output.write(recipe.to_toml().as_bytes())?;
        self.run.wrote(output.path(), Content::Recipe);
        Ok(())
    }
}
