//! `image`: pictures in, dreams out.

use std::path::{Path, PathBuf};

use clap::Args;
use dream::{DreamError, Filter, Machine, NoiseStart, Plan, PlanError, Recipe, Tensor};
use graph::{Network, Size};
use media::{EncodeOptions, Image, ImageFormat, Limits};

use crate::exit::{Failure, Fault};
use crate::interrupt::Interrupt;
use crate::machine::{MachineArgs, free_memory};
use crate::model::unfit;
use crate::output::Output;
use crate::places;
use crate::progress::Watch;
use crate::recipe_args::{Base, RecipeArgs};

/// Arguments of `image`.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    /// The pictures, each of which becomes a dream of its own: PNG, JPEG, WebP, TIFF or BMP.
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    /// Start from noise of this size instead of a picture; the dream is noise.dream.png.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = noise_size)]
    #[arg(conflicts_with = "pictures")]
    noise: Option<NoiseStart>,
    /// The file to write, in the format its name says, or a folder. Default: beside each picture,
    /// photo.dream.jpg for photo.jpg.
    #[arg(short, long, value_name = "FILE|FOLDER", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Also write the recipe to this TOML file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save_recipe: Option<PathBuf>,
    /// Replace files that exist already. Default: refuse to.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Say nothing unless something is wrong. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

fn noise_size(text: &str) -> Result<NoiseStart, String> {
    super::size(text).map(|(width, height)| NoiseStart { width, height })
}

/// Dreams on every picture; one that fails does not keep the others from their dreams.
pub(crate) fn image(args: &ImageArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let base = args.recipe.base()?;
    let starts = starts(args, base.as_ref())?;
    let places = places::places(&starts.iter().map(Start::path).collect::<Vec<_>>(), &args.output)?;
    let claim = |(path, format)| Ok::<_, Failure>((Output::new(path, args.force)?, format));
    let outputs = places.into_iter().map(claim).collect::<Result<Vec<_>, _>>()?;
    let mut save =
        args.save_recipe.clone().map(|path| Output::new(path, args.force)).transpose()?;

    let network = args.recipe.network(base.as_ref(), args.quiet)?;
    let recipe = args.recipe.recipe(base.as_ref(), &network)?;
    let mut machine = args.machine.machine()?;
    let mut failures = Vec::new();
    for (start, (output, format)) in starts.iter().zip(&outputs) {
        machine.memory = free_memory();
        let work = Work { args, network: &network, machine: &machine, interrupt: &interrupt };
        match work.dream(start, recipe.clone(), output, *format) {
            Ok(recipe) => {
                if let Some(save) = save.take() {
                    save.write(recipe.as_bytes())?;
                }
            }
            Err(failure) if interrupt.asked() => return Err(failure),
            Err(failure) => {
                if starts.len() > 1 {
                    eprintln!("{failure}");
                }
                failures.push(failure);
            }
        }
    }
    let count = failures.len();
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) if starts.len() == 1 => Err(failure),
        Some(first) => {
            let what = format!("{count} of {} pictures were not dreamt on", starts.len());
            Err(Failure::new(first.fault(), what))
        }
    }
}

/// What a dream starts from.
enum Start<'a> {
    Picture(&'a Path),
    Noise(NoiseStart),
}

impl<'a> Start<'a> {
    fn path(&self) -> Option<&'a Path> {
        match self {
            Start::Picture(path) => Some(path),
            Start::Noise(_) => None,
        }
    }
}

/// The pictures, or else noise: what the flag says, or what the recipe started from.
fn starts<'a>(args: &'a ImageArgs, base: Option<&Base>) -> Result<Vec<Start<'a>>, Failure> {
    if !args.pictures.is_empty() {
        return Ok(args.pictures.iter().map(|path| Start::Picture(path)).collect());
    }
    match args.noise.or(base.and_then(Base::noise)) {
        Some(noise) => Ok(vec![Start::Noise(noise)]),
        None => Err(Failure::new(Fault::Usage, "there is nothing to dream on")
            .or("give a picture, or --noise 640x400")),
    }
}

/// What all dreams of one call share.
struct Work<'a> {
    args: &'a ImageArgs,
    network: &'a Network,
    machine: &'a Machine,
    interrupt: &'a Interrupt,
}

impl Work<'_> {
    /// Reads, dreams, writes; returns the recipe's text as the output carries it.
    fn dream(
        &self,
        start: &Start,
        mut recipe: Recipe,
        output: &Output,
        format: ImageFormat,
    ) -> Result<String, Failure> {
        let (name, picture) = match start {
            Start::Picture(path) => {
                recipe.noise = None;
                (
                    path.display().to_string(),
                    Some(Image::read(path, &Limits::memory(self.machine.memory))?),
                )
            }
            Start::Noise(noise) => {
                recipe.noise = Some(*noise);
                (format!("{}×{} noise", noise.width, noise.height), None)
            }
        };
        let size = match (&picture, recipe.noise) {
            (Some(picture), _) => picture.size(),
            (None, Some(noise)) => noise.size(),
            (None, None) => Size::new(0, 0),
        };
        let plan = Plan::new(&recipe, self.network, size, self.machine)
            .map_err(|error| unplanned(&name, error))?;
        format
            .check_size(plan.size())
            .map_err(|error| output.failure(error).or("write a PNG instead"))?;
        let picture = match picture {
            Some(picture) => picture,
            None => Image::from_planes(dream::noise(size, recipe.seed), None)?,
        };
        self.say(&name, &picture, &plan, format);

        let mut watch = Watch::new(&name, self.interrupt, self.args.quiet);
        let depth = picture.depth();
        let (colour, alpha) = picture.into_planes();
        let colour = dream::dream(&plan, colour, &mut watch).map_err(|error| match error {
            DreamError::Stopped => {
                let what = format!("stopped: {} was not written", output.path().display());
                Failure::new(Fault::Interrupted, what)
            }
            DreamError::Plan(error) => unplanned(&name, error),
        })?;
        drop(watch);
        let alpha = alpha.map(|alpha| fitted(alpha, plan.size()));
        let text = plan.recipe().to_toml();
        let dreamt = Image::from_planes(colour, alpha)?.with_depth(depth);
        let bytes = dreamt
            .encode(format, &EncodeOptions::with_recipe(&text))
            .map_err(|error| output.failure(error))?;
        output.write(&bytes)?;
        if !self.args.quiet {
            eprintln!("{name}: dreamt into {}", output.path().display());
        }
        Ok(text)
    }

    /// What the user should know before the dream begins.
    fn say(&self, name: &str, picture: &Image, plan: &Plan, format: ImageFormat) {
        if self.args.quiet {
            return;
        }
        for note in picture.notes() {
            eprintln!("{name}: {note}");
        }
        if plan.dropped_octaves() > 0 {
            let dropped = plan.dropped_octaves();
            eprintln!(
                "{name}: {dropped} octaves would be too small for the layer and are left out"
            );
        }
        if !format.has_metadata() {
            eprintln!("{name}: BMP has no place for the recipe; --save-recipe keeps it");
        }
    }
}

/// A plane in the dream's size.
fn fitted(plane: Tensor, size: Size) -> Tensor {
    if plane.shape.size() == size {
        return plane;
    }
    dream::resize(&plane, size, Filter::CatmullRom)
}

/// The failure for a dream that cannot be dreamt on what is called `name`.
pub(crate) fn unplanned(name: &str, error: PlanError) -> Failure {
    match error {
        PlanError::Network(error) => unfit(error),
        PlanError::Memory { fits, .. } => {
            let failure = Failure::new(Fault::Memory, format!("{name}: {error}"));
            match fits {
                Some(longest) => {
                    failure.or(format!("--size {longest} dreams as large as memory allows"))
                }
                None => failure,
            }
        }
        error => Failure::new(Fault::Recipe, error),
    }
}
