//! `frames`: a folder with a first picture in it, and ever more frames made from it.

use std::path::PathBuf;

use clap::Args;
use deepdream::{FramesJob, Length, Result};

use crate::args::{MachineArgs, MotionArgs, RecipeArgs, whole};
use crate::console::say;
use crate::hints::quoted;
use crate::terminal;

/// Arguments of `frames`.
#[derive(Debug, Args)]
pub(crate) struct FramesArgs {
    /// The folder. Put the first frame into it as img_0.jpg (or .png, .webp, .tif); the others become
    /// img_1.jpg, img_2.jpg and so on. The same command continues after a stop.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How many frames there are to be in all. Default: no end; Ctrl-C stops.
    #[arg(short = 'n', long, value_name = "N", help_heading = "Motion")]
    #[arg(value_parser = whole::<u64>(1..=100_000_000), allow_negative_numbers = true)]
    count: Option<u64>,
    /// Remove the frames that were made from the first one, and begin again. Other pictures are never
    /// removed. Default: continue, or stop with an error if the frames were made by another recipe.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Print nothing but errors. Default: show progress.
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
pub(crate) fn frames(args: &FramesArgs) -> Result<()> {
    let job = FramesJob {
        length: args.count.map_or(Length::Endless, Length::Frames),
        fps: args.motion.fps,
        motion: args.motion.motion(),
        overwrite: args.force,
        dream: args.recipe.request(&args.machine, |recipe| args.motion.edit(recipe))?,
        ..FramesJob::new(&args.folder)
    };
    terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    if !args.quiet {
        say(format!("  `deepdream movie {}` makes a movie of them.", quoted(&args.folder)));
    }
    Ok(())
}
