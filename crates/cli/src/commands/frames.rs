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
    /// The folder, named after the dream: img_0.jpg (or .png, .webp, .tif) in it is the first frame, and
    /// img_1, img_2 and so on become the others. Run again, it goes on from where it stopped.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How many frames to have in all. Default: no end; Ctrl-C stops.
    #[arg(short = 'n', long, value_name = "N", help_heading = "Motion")]
    #[arg(value_parser = whole::<u64>(1..=100_000_000), allow_negative_numbers = true)]
    count: Option<u64>,
    /// Remove all frames but the first and begin again. Default: refuse to mix frames of two recipes.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Print nothing unless something is wrong. Default: show progress.
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
        dream: args.recipe.request(&args.machine, |recipe| args.motion.edit(recipe)),
        ..FramesJob::new(&args.folder)
    };
    terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    if !args.quiet {
        say(format!("  `deepdream movie {}` makes a movie of them.", quoted(&args.folder)));
    }
    Ok(())
}
