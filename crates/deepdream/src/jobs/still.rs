//! A picture in, a dream out.

use std::path::{Path, PathBuf};

use dream::{Assets, Machine, NoiseStart, Plan, Preset, Recipe};
use graph::Network;
use media::{BitDepth, Image, ImageFormat};

use super::Report;
use crate::base::Base;
use crate::inputs::same;
use crate::output::{Output, spare};
use crate::output_paths::{OutputPath, numbered, output_paths};
use crate::picture::{self, Start, Studio};
use crate::progress::Run;
use crate::request::Resolved;
use crate::{
    CancelToken, Content, DreamRequest, Error, Event, Events, Fault, Input, Knob, Note, Result,
    Shard,
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
    pub(super) fn name(&self) -> String {
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
    /// Whether the dream has 16 bits a channel where the picture has fewer. Default: as many as the picture.
    pub sixteen_bits: bool,
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
        let made = match stills.together() {
            1 => stills.dream(0)?.map(|(path, recipe)| (vec![path], recipe)),
            _ => stills.dream_together()?,
        };
        if let Some((paths, recipe)) = made {
            stills.save(&recipe)?;
            report.wrote = paths;
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
        Stills::open(self, base, (vec![source], None), (run, rehearsed))
    }
}

fn noise_source(NoiseStart { width, height }: NoiseStart) -> Source {
    Source::Noise { width, height }
}

/// Pictures that can be dreamt on: their outputs claimed, the network loaded, the recipe known.
pub(super) struct Stills<'a> {
    dream: &'a DreamRequest,
    sixteen_bits: bool,
    sources: Vec<Source>,
    /// For each source where its dream goes; or for one, where each of the dreams goes that are dreamt
    /// together.
    claims: Vec<Claim>,
    recipe_output: Option<Output>,
    network: Network,
    base: Option<Base>,
    recipe: Recipe,
    assets: Assets,
    machine: Machine,
    run: Run<'a>,
}

/// Refuses what comes of a source that is `alone` where any of it is refused; the sources of a batch are told of one
/// by one, also where a part of it has but one.
fn refuse_alone(alone: bool, claims: &[Claim]) -> Result<()> {
    let refused = claims.iter().find_map(|claim| match claim {
        Claim::Refused(error) => Some(error.clone()),
        _ => None,
    });
    refused.filter(|_| alone).map_or(Ok(()), Err)
}

/// What becomes of a source, or of one of the pictures that are dreamt together from it.
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
    pub(super) fn output(&self) -> Option<&Output> {
        match self {
            Self::Open(output, _) => Some(output),
            Self::Kept(_) | Self::Refused(_) => None,
        }
    }
}

impl<'a> Stills<'a> {
    /// Prepares dreams on `sources`, or on a part of them, as `job` says for the rest; `rehearsed` ones leave no
    /// file and no folder.
    pub(super) fn open(
        job: &'a StillJob,
        base: Option<Base>,
        (all, shard): (Vec<Source>, Option<Shard>),
        (run, rehearsed): (Run<'a>, bool),
    ) -> Result<Self> {
        let StillJob { output, save_recipe, overwrite, dream, .. } = job;
        let alone = all.len() == 1 && shard.is_none();
        let pictures: Vec<_> = all.iter().map(Source::path).collect();
        let inputs: Vec<Input> = pictures
            .iter()
            .flatten()
            .map(|picture| Input::new("picture", picture))
            .chain(dream.inputs())
            .collect();
        // Of all of them, so that those of different parts have different names.
        let paths = output_paths(&pictures, output.as_deref(), !rehearsed)?;
        let has = |index: usize| shard.is_none_or(|shard| shard.has(index));
        let parted = all.iter().zip(paths).enumerate().filter(|(index, _)| has(*index));
        let (sources, mut paths): (Vec<Source>, Vec<_>) =
            parted.map(|(_, (source, path))| (source.clone(), path)).unzip();
        let together = match sources.as_slice() {
            [Source::Noise { .. }] => dream.pictures(base.as_ref()),
            _ => 1,
        };
        if together > 1 {
            let several = |(path, format): OutputPath| {
                numbered(&path, together).map(|path| Ok((path, format))).collect()
            };
            paths = paths
                .into_iter()
                .flat_map(|path| path.map_or_else(|error| vec![Err(error)], several))
                .collect();
        }
        let claim = |path| Claim::of(path, job, &inputs, (run, rehearsed));
        let mut claims: Vec<Claim> = paths.into_iter().map(claim).collect();
        refuse_alone(alone, &claims)?;
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
        refuse_alone(alone, &claims)?;
        recipe_output.iter().try_for_each(|recipe| recipe.spare(resolved.inputs()))?;
        let Resolved { recipe, assets, storage, .. } = resolved;
        let machine = Machine { scratch: storage, ..dream.limits.machine()? };
        Ok(Self {
            dream,
            sixteen_bits: job.sixteen_bits,
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

    pub(super) fn run(&self) -> Run<'a> {
        self.run
    }

    /// How many pictures are dreamt together.
    pub(super) fn together(&self) -> usize {
        if self.sources.len() == 1 { self.claims.len() } else { 1 }
    }

    /// The source of a dream.
    pub(super) fn source(&self, index: usize) -> &Source {
        &self.sources[index.min(self.sources.len() - 1)]
    }

    /// What a dream's source is called; one of several dreams that are dreamt together has its own seed.
    pub(super) fn name(&self, index: usize) -> String {
        let name = self.source(index).name();
        match self.together() {
            1 => name,
            _ => format!("{name}, seed {}", self.recipe.seed.saturating_add(index as u64)),
        }
    }

    /// The place of a source among those whose dreams are wanted, from 1, and how many these are.
    fn place(&self, index: usize) -> Option<(usize, usize)> {
        let wanted = |claim: &&Claim| !matches!(claim, Claim::Kept(_));
        let wanted = |claims: &[Claim]| claims.iter().filter(wanted).count();
        let of = wanted(&self.claims);
        (of > 1 && self.together() == 1).then(|| (wanted(&self.claims[..=index]), of))
    }

    pub(super) fn studio<'s>(&'s self, machine: &'s Machine, index: usize) -> Studio<'s> {
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
                if self.sixteen_bits && !format.has_sixteen_bits() {
                    let why = format!("{format} files have 8 bits per channel");
                    return Err(output.error(why).turn(Knob::Output, "Write a .png or a .tiff."));
                }
                // Its encoder keeps all of a picture.
                let kept = plan.size().pixels().saturating_mul(8);
                if *format == ImageFormat::WebP && plan.scratch() > 0 && kept > machine.memory {
                    let why = "a WebP of that size is packed in memory, which is too little";
                    let error = output.error(why).turn(Knob::Output, "Write a .png or a .tiff.");
                    return Err(error.turn(Knob::Memory, "Or allow more memory."));
                }
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
        let source = self.source(index);
        let (size, noise) = match *source {
            Source::Picture(ref path) => (picture::size_for(path, machine)?, None),
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
        let source = self.source(index);
        let (name, machine) = (source.name(), self.machine());
        let studio = self.studio(&machine, index);
        // A picture that is too large for the dream is not even read.
        let mut plan = self.plan(index, &machine)?;
        let start = match source {
            Source::Picture(path) => Start::Image(picture::read_for(&plan, path, &machine)?),
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
        self.write(index, image, plan.recipe(), (output, *format))?;
        Ok((output.path().to_owned(), plan.recipe().clone()))
    }

    /// Writes a dream.
    pub(super) fn write(
        &self,
        index: usize,
        image: Image,
        recipe: &Recipe,
        (output, format): (&Output, ImageFormat),
    ) -> Result<()> {
        let image = match self.sixteen_bits {
            true => image.with_depth(BitDepth::Sixteen),
            false => image,
        };
        picture::write(&image, format, &recipe.to_toml(), output)?;
        self.run.wrote(output.path(), Content::Picture { of: self.name(index) });
        Ok(())
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
