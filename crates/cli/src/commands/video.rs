//! `video`: a video in, a dreamt one out, with its own times and sound.

use std::path::PathBuf;

use clap::Args;
use dream::{Coherence, Recipe};

use super::movie::CodingArgs;
use crate::exit::{Failure, Fault};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::output::Output;
use crate::recipe_args::RecipeArgs;
use crate::video::{Job, Part, Product, Target, is_finished, seconds};

/// Arguments of `video`.
#[derive(Debug, Args)]
pub(crate) struct VideoArgs {
    /// The video: whatever the ffmpeg reads that is installed.
    #[arg(value_name = "VIDEO")]
    video: PathBuf,
    /// The movie to write, its kind by its ending: .mp4, .webm, .mov, .mkv, .gif or .png. Its frames
    /// are kept in a folder of the same name without the ending, so that the same command goes on
    /// after a stop. Default: beside the video, VIDEO.dream.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace the movie, and frames that were made otherwise. Default: refuse to.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Keep the frames when the movie is complete. Default: remove them.
    #[arg(long, help_heading = "Output")]
    keep: bool,
    /// Leave the sound out. Default: copy it as it is.
    #[arg(long, help_heading = "Output")]
    no_sound: bool,
    /// Make only the frames of one of N parts of equal length, and no movie, so that N machines can
    /// share the work in one folder; `deepdream movie` joins them. Frames must not depend on each other
    /// (--coherence independent).
    #[arg(long = "shard", value_name = "I/N", help_heading = "Output")]
    part: Option<Part>,
    /// Say nothing unless something is wrong. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    frames: FrameArgs,
    #[command(flatten)]
    coding: CodingArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Arguments about the video's frames.
#[derive(Debug, Args)]
#[command(next_help_heading = "Frames")]
struct FrameArgs {
    /// Begin with the frame at this time: seconds, or 1:02:03.5. Default: the video's begin.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    start: Option<f64>,
    /// End before the frame at this time. Default: the video's end.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    end: Option<f64>,
    /// How a frame's dream follows from the last one's. Default: flow, or the recipe's.
    #[arg(long, value_enum, value_name = "HOW")]
    coherence: Option<Named>,
    /// With --coherence flow: how much of the last frame's dream lives on in the next, 0 to 0.99; the
    /// rest is dreamt anew. Default: 0.8.
    #[arg(long, value_name = "SHARE")]
    carry: Option<f64>,
    /// With --coherence blend: the last dream's share of what a frame's dream starts from, 0 to 0.99.
    /// Default: 0.5.
    #[arg(long, value_name = "SHARE")]
    blend: Option<f64>,
}

/// [`Coherence`] as the command line spells it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Named {
    /// The dream moves along with what it was dreamt on.
    Flow,
    /// The last dream shows through where it was.
    Blend,
    /// Each frame is dreamt on by itself: it flickers, and all processors and machines can share it.
    Independent,
}

impl FrameArgs {
    /// Puts the flags into the recipe.
    ///
    /// # Errors
    /// A value outside its range.
    fn edit(&self, recipe: &mut Recipe) -> Result<(), Failure> {
        let mut video = recipe.video.take().unwrap_or_default();
        video.coherence = match (self.coherence, video.coherence) {
            (Some(Named::Flow), Coherence::Flow { .. })
            | (Some(Named::Blend), Coherence::Blend { .. })
            | (None, _) => video.coherence,
            (Some(Named::Flow), _) => Coherence::flow(),
            (Some(Named::Blend), _) => Coherence::blend(),
            (Some(Named::Independent), _) => Coherence::Independent,
        };
        match &mut video.coherence {
            Coherence::Flow { persistence } => *persistence = self.carry.unwrap_or(*persistence),
            Coherence::Blend { share } => *share = self.blend.unwrap_or(*share),
            Coherence::Independent => {}
        }
        recipe.video = Some(video);
        recipe.validate().map_err(|error| Failure::new(Fault::Recipe, error))
    }
}

/// Dreams on the video.
pub(crate) fn video(args: &VideoArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let FrameArgs { start, end, .. } = args.frames;
    if start.zip(end).is_some_and(|(start, end)| start >= end) {
        let what = "--start is not before --end: no frame is between them";
        return Err(Failure::new(Fault::Usage, what));
    }
    let path = args.output.clone().unwrap_or_else(|| args.video.with_extension("dream.mp4"));
    let format = args.coding.format(&path)?;
    let folder = path.with_extension("");
    let output;
    let product = match args.part {
        Some(part) => Product::Frames(part),
        None if !args.force && is_finished(&folder, &path, args.keep)? => {
            if !args.quiet {
                eprintln!("{}: complete already", path.display());
            }
            return Ok(());
        }
        None => {
            output = Output::new(path, args.force)?;
            Product::Movie(Target {
                format,
                quality: args.coding.quality(),
                longest: args.coding.longest(),
                output: &output,
                silent: args.no_sound,
                keep: args.keep,
            })
        }
    };
    let job = Job {
        video: &args.video,
        folder: &folder,
        recipe: &args.recipe,
        edit: &|recipe| args.frames.edit(recipe),
        machine: &args.machine,
        start,
        end,
        product,
        force: args.force,
        quiet: args.quiet,
        interrupt: &interrupt,
    };
    job.run()
}
