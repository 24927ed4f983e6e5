//! A picture in, a dream out.

use std::path::{Path, PathBuf};

use dream::{Assets, Machine, NoiseStart, Plan, Preset, Recipe};
use graph::Network;
use media::{BitDepth, ImageFormat};

use super::Report;
use crate::base::Base;
use crate::inputs::same;
use crate::output::{Output, spare};
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
    /// Whether a dream that is there already stays, and is no error; so does the recipe's file. Default: no.
    pub skip_existing: bool,
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
        let mut report = Report { wrote: Vec::new(), recipe: None };
        let stills = self.stills(run, false)?;
        if let Some((path, recipe)) = stills.dream(0)? {
            stills.save(&recipe)?;
            report.wrote.push(path);
            report.recipe = Some(recipe);
        }
        run.event(Event::Done);
        Ok(report)
    }

    /// The one picture or noise, ready to be dreamt on.
    pub(super) fn stills<'a>(&'a self, run: Run<'a>, rehearsed: bool) -> Result<Stills<'a>> {
        let base = self.dream.base()?;
        let noise = || Some(noise_source(base.as_ref()?.noise()?));
        let source = self.source.clone().or_else(noise).ok_or_else(|| {
            Error::new(Fault::Usage, "there is nothing to dream on")
                .turn(Knob::Noise, "Name a picture, or ask for noise.")
        })?;
        Stills::open(self, base, vec![source], (run, rehearsed))
    }
}

fn noise_source(NoiseStart { width, height }: NoiseStart) -> Source {
    Source::Noise { width, height }
}

/// Pictures that can be dreamt on: their outputs claimed, the network loaded, the recipe known.
pub(super) struct Stills<'a> {
    dream: &'a DreamRequest,
    sources: Vec<Source>,
    /// For each source where its dream goes.
    claims: Vec<Claim>,
    recipe_output: Option<Output>,
    network: Network,
    base: Option<Base>,
    recipe: Recipe,
    assets: Assets,
    machine: Machine,
    run: Run<'a>,
}

/// What becomes of a source.
pub(super) enum Claim {
    /// Its dream is made.
    Open(Output, ImageFormat),
    /// Its dream is there already, and stays.
    Kept(PathBuf),
    /// There can be none.
    Refused(Error),
}

impl Claim {
    /// Of the dream at a path, or of the reason why it has none.
    fn of(
        path: Result<OutputPath>,
        job: &StillJob,
        inputs: &[Input],
        (run, rehearsed): (Run, bool),
    ) -> Self {
        let claimed = |(path, format): OutputPath| {
            if job.skip_existing && path.exists() {
                spare(&path, inputs.iter().copied())?;
                return Ok(Self::Kept(path));
            }
            let folder = job.output.as_deref();
            let output = Output::claim_or_rehearse(path, job.overwrite, rehearsed, folder)?;
            let output = output.of_job(run);
            output.spare(inputs.iter().copied())?;
            Ok(Self::Open(output, format))
        };
        path.and_then(claimed).unwrap_or_else(Self::Refused)
    }

    /// Where the dream is, or will be.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Open(output, _) => Some(output.path()),
            Self::Kept(path) => Some(path),
            Self::Refused(_) => None,
        }
    }

    /// The file that is to be written.
    fn output(&self) -> Option<&Output> {
        match self {
            Self::Open(output, _) => Some(output),
            Self::Kept(_) | Self::Refused(_) => None,
        }
    }
}

impl<'a> Stills<'a> {
    /// Prepares dreams on `sources`, as `job` says for the rest; `rehearsed` ones leave no file and no folder.
    pub(super) fn open(
        job: &'a StillJob,
        base: Option<Base>,
        sources: Vec<Source>,
        (run, rehearsed): (Run<'a>, bool),
    ) -> Result<Self> {
        let StillJob { output, save_recipe, overwrite, dream, .. } = job;
        let pictures: Vec<_> = sources.iter().map(Source::path).collect();
        let inputs: Vec<Input> = pictures
            .iter()
            .flatten()
            .map(|picture| Input::new("picture", picture))
            .chain(dream.inputs())
            .collect();
        let paths = output_paths(&pictures, output.as_deref(), !rehearsed)?;
        let claim = |path| Claim::of(path, job, &inputs, (run, rehearsed));
        let mut claims: Vec<Claim> = paths.into_iter().map(claim).collect();
        if let [Claim::Refused(error)] = claims.as_slice() {
            return Err(error.clone());
        }
        // The recipe of dreams that are there already is, too.
        let is_kept = |path: &PathBuf| job.skip_existing && path.exists();
        let kept_recipe = save_recipe.as_ref().filter(|path| is_kept(path));
        kept_recipe.map_or(Ok(()), |path| spare(path, inputs.iter().copied()))?;
        let folder = output.as_deref();
        let claim = |path| Output::claim_or_rehearse(path, *overwrite, rehearsed, folder);
        let recipe_output = save_recipe.clone().filter(|path| !is_kept(path));
        let recipe_output = recipe_output.map(claim).transpose()?;
        let recipe_output = recipe_output.map(|output| output.of_job(run));
        if let Some(recipe) = &recipe_output {
            recipe.spare(inputs.iter().copied())?;
            // Devices take all that is written to them.
            let is_device = recipe.path().exists() && !recipe.path().is_file();
            let mut written = claims.iter().filter_map(Claim::output).map(Output::path);
            if !is_device && written.any(|other| same(other) == same(recipe.path())) {
                let error = recipe.error("the dream has that name");
                return Err(error.hint("Choose another name for the recipe."));
            }
        }
        if !rehearsed {
            let claimed = claims.iter().filter_map(Claim::output);
            Output::clear_leftovers(claimed.chain(&recipe_output));
        }
        let network = dream.open_network(base.as_ref(), run)?;
        let is_noise = |source: &Source| matches!(source, Source::Noise { .. });
        let chosen = base.is_some() && dream.recipe.preset.is_none();
        let prepare = |recipe: &mut Recipe| {
            if !chosen && sources.iter().any(is_noise) {
                recipe.start_from_noise();
            } else if dream.recipe.asks_for_classes() {
                recipe.start_with_classes();
            }
        };
        let usual = Preset::Default;
        let resolved = dream.resolve_sparing(base.as_ref(), &network, usual, prepare, run)?;
        for claim in &mut claims {
            let spared = claim.path().map(|path| spare(path, resolved.inputs()));
            if let Some(Err(error)) = spared {
                *claim = Claim::Refused(error);
            }
        }
        if let [Claim::Refused(error)] = claims.as_slice() {
            return Err(error.clone());
        }
        recipe_output.iter().try_for_each(|recipe| recipe.spare(resolved.inputs()))?;
        let Resolved { recipe, assets, .. } = resolved;
        let machine = dream.limits.machine()?;
        Ok(Self {
            dream,
            sources,
            claims,
            recipe_output,
            network,
            base,
            recipe,
            assets,
            machine,
            run,
        })
    }

    /// What becomes of each source.
    pub(super) fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// What a source is called.
    pub(super) fn name(&self, index: usize) -> String {
        self.sources[index].name()
    }

    /// The place of a source among those whose dreams are wanted, from 1, and how many these are.
    fn place(&self, index: usize) -> Option<(usize, usize)> {
        let wanted = |claim: &&Claim| !matches!(claim, Claim::Kept(_));
        let wanted = |claims: &[Claim]| claims.iter().filter(wanted).count();
        let of = wanted(&self.claims);
        (of > 1).then(|| (wanted(&self.claims[..=index]), of))
    }

    fn studio<'s>(&'s self, machine: &'s Machine, index: usize) -> Studio<'s> {
        Studio {
            network: &self.network,
            machine,
            run: self.run,
            previews: self.dream.previews,
            place: self.place(index),
        }
    }

    /// What may be used now.
    pub(super) fn machine(&self) -> Machine {
        Machine { memory: self.dream.limits.memory(), ..self.machine.clone() }
    }

    /// The plan of a dream on a source, from what the source's header says.
    pub(super) fn plan(&self, index: usize, machine: &Machine) -> Result<Plan> {
        let plan = self.plan_by(index, &self.recipe, machine)?;
        match &self.claims[index] {
            Claim::Open(output, format) => {
                format.check_size(plan.size()).map_err(|error| output.refused(error))?;
                picture::check_recipe(&plan.recipe().to_toml(), *format)
                    .map_err(|error| output.refused(error))?;
                Ok(plan)
            }
            Claim::Kept(_) => Ok(plan),
            Claim::Refused(error) => Err(error.clone()),
        }
    }

    /// The same by another recipe.
    pub(super) fn plan_by(&self, index: usize, recipe: &Recipe, machine: &Machine) -> Result<Plan> {
        let source = &self.sources[index];
        let (size, noise) = match *source {
            Source::Picture(ref path) => (picture::size_of(path, machine.memory)?, None),
            Source::Noise { width, height } => {
                let noise = NoiseStart { width, height };
                (noise.size(), Some(noise))
            }
        };
        let studio = self.studio(machine, index);
        let mut recipe = recipe.clone();
        if noise.is_none() {
            self.dream.suit(&mut recipe, size);
        }
        studio.plan(&source.name(), size, noise, (&recipe, &self.assets))
    }

    /// Reads, dreams, writes; returns where, and the recipe as the output carries it.
    fn dream_on(
        &self,
        index: usize,
        (output, format): (&Output, &ImageFormat),
    ) -> Result<(PathBuf, Recipe)> {
        let source = &self.sources[index];
        let (name, machine) = (source.name(), self.machine());
        let studio = self.studio(&machine, index);
        // A picture that is too large for the dream is not even read.
        let mut plan = self.plan(index, &machine)?;
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
                plan = studio.plan(&name, image.size(), None, (&recipe, &self.assets))?;
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

    /// Makes the dream on a source; returns where it is, and the recipe as it carries it. `None` if it is there
    /// already.
    pub(super) fn dream(&self, index: usize) -> Result<Option<(PathBuf, Recipe)>> {
        match &self.claims[index] {
            Claim::Open(output, format) => self.dream_on(index, (output, format)).map(Some),
            Claim::Kept(path) => {
                self.run.event(Event::Kept { name: self.name(index), path: path.clone() });
                Ok(None)
            }
            Claim::Refused(error) => Err(error.clone()),
        }
    }

    /// Writes the recipe into a file of its own, where one is wanted.
    pub(super) fn save(&self, recipe: &Recipe) -> Result<()> {
        let Some(output) = &self.recipe_output else { return Ok(()) };
        output.write(recipe.to_toml().as_bytes())?;
        self.run.wrote(output.path(), Content::Recipe);
        Ok(())
    }
}
