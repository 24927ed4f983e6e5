//! `frames`: a folder with a first picture in it, and ever more frames made from it.

use std::path::PathBuf;

use clap::Args;

use crate::exit::Failure;
use crate::frames::{Job, MotionArgs};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::recipe_args::RecipeArgs;

/// Arguments of `frames`.
#[derive(Debug, Args)]
pub(crate) struct FramesArgs {
    /// The folder, named after the dream: img_0.jpg (or .png, .webp, .tif) in it is the first frame, and
    /// img_1, img_2 and so on become the others. Run again, it goes on from where it stopped.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How many frames there are to be in all. Default: no end; Ctrl-C stops.
    #[arg(short = 'n', long, value_name = "N", help_heading = "Motion")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    count: Option<u64>,
    /// Remove all frames but the first and begin again. Default: refuse to mix frames of two recipes.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Say nothing unless something is wrong. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    motion: MotionArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Makes the frames.
pub(crate) fn frames(args: &FramesArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let job = Job {
        folder: &args.folder,
        recipe: &args.recipe,
        motion: &args.motion,
        machine: &args.machine,
        size: None,
        count: &|_| args.count,
        force: args.force,
        quiet: args.quiet,
        interrupt: &interrupt,
    };
    job.run()?;
    if !args.quiet {
        let folder = args.folder.display();
        eprintln!(
            "{folder}: all frames are there; `deepdream movie {folder}` makes a movie of them"
        );
    }
    Ok(())
}
