//! `zoom`: a photo in, a movie that falls into it out.

use std::path::{Path, PathBuf};

use clap::Args;
use media::{FrameRate, ImageFormat};

use super::movie::{CodingArgs, SequenceArgs};
use crate::exit::{Failure, Fault};
use crate::frames::{Frames, Job, MotionArgs};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::output::Output;
use crate::recipe_args::RecipeArgs;

/// Longest side where nothing else is asked for.
const LONGEST: u32 = 960;

/// Arguments of `zoom`.
#[derive(Debug, Args)]
pub(crate) struct ZoomArgs {
    /// The photo: PNG, JPEG, WebP or TIFF.
    #[arg(value_name = "PHOTO")]
    photo: PathBuf,
    /// The movie to write, its kind by its ending: .mp4, .gif and .png need nothing installed; .webm,
    /// .mov and .mkv need ffmpeg. Its frames are kept in a folder of the same name without the ending,
    /// so that the same command goes on after a stop. Default: PHOTO.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace the movie, and frames that were made otherwise. Default: refuse to.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Say nothing unless something is wrong. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    /// How long the movie is. Default: 10.
    #[arg(long, value_name = "SECONDS", default_value = "10", hide_default_value = true)]
    #[arg(value_parser = seconds, help_heading = "Motion")]
    seconds: f64,
    #[command(flatten)]
    motion: MotionArgs,
    #[command(flatten)]
    sequence: SequenceArgs,
    #[command(flatten)]
    coding: CodingArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err(format!("`{text}` is no length: use seconds above 0, up to 86400")),
    }
}

/// Makes the frames, then the movie.
pub(crate) fn zoom(args: &ZoomArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let path = args.output.clone().unwrap_or_else(|| args.photo.with_extension("mp4"));
    let format = args.coding.format(&path)?;
    let folder = path.with_extension("");
    let first = ImageFormat::of_file(&args.photo)?;
    let output = Output::new(path, args.force)?;
    begin(&args.photo, first, &folder)?;

    let count = |fps: f64| Some(((args.seconds * fps).round() as u64).max(1));
    let job = Job {
        folder: &folder,
        recipe: &args.recipe,
        motion: &args.motion,
        machine: &args.machine,
        size: Some(LONGEST),
        count: &count,
        force: args.force,
        quiet: args.quiet,
        interrupt: &interrupt,
    };
    let recipe = job.run()?;
    let frames = Frames::find(&folder)?;
    let rate: FrameRate = args.motion.rate(Some(&recipe));
    let film = args.sequence.film(&frames, rate, args.quiet)?;
    args.coding.write(&film, format, &output, &interrupt, args.quiet)
}

/// Makes the folder and puts the photo into it as the first frame, unless it is there.
fn begin(photo: &Path, format: ImageFormat, folder: &Path) -> Result<(), Failure> {
    let cannot = |path: &Path, error: std::io::Error| {
        Failure::new(Fault::Output, format!("{}: cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            Failure::new(Fault::Picture, format!("{}: cannot be read: {error}", path.display()))
        })
    };
    let bytes = read(photo)?;
    let frames = Frames::find(folder)?;
    if let Some((_, path)) = frames.iter().find(|(number, _)| *number == 0) {
        if read(path)? == bytes {
            return Ok(());
        }
        let what =
            format!("{}: the frames in this folder begin with another photo", folder.display());
        return Err(Failure::new(Fault::Output, what).or("give the movie another name with -o"));
    }
    let path = folder.join(format!("img_0.{}", format.extension()));
    Output::new(path, false)?.write(&bytes)
}
