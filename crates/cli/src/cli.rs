//! The command line: one subcommand for each thing the program does. A command's own arguments
//! stand beside its code, in [`crate::commands`].

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, check, classify, frames, generate, image, layers, models, movie, probe, video, zoom,
};
use crate::exit;

/// DeepDream: a photo in, a dream out.
#[derive(Debug, Parser)]
#[command(name = "deepdream", version, after_help = exit::TABLE)]
#[command(max_term_width = 100, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Dreams on pictures.
    Image(image::ImageArgs),
    /// Goes on with a folder of frames, each the last one moved slightly and dreamt on again.
    Frames(frames::FramesArgs),
    /// Falls into a photo: makes frames from it and a movie of them.
    Zoom(zoom::ZoomArgs),
    /// Dreams through a video.
    Video(video::VideoArgs),
    /// Makes a movie of a folder of frames.
    Movie(movie::MovieArgs),
    /// Lists every layer of a network that one can dream on.
    Layers(layers::LayersArgs),
    /// Lists the networks; fetches, adds, shows and removes them.
    Models(models::ModelsArgs),
    /// Says what a network takes a picture for.
    Classify(classify::ClassifyArgs),
    /// Writes a layer's activation and gradient for a picture.
    Probe(probe::ProbeArgs),
    /// Measures how fast this machine dreams.
    Bench(bench::BenchArgs),
    /// Compares this machine's fast kernels with plain loops, layer by layer.
    Check(check::CheckArgs),
    /// Writes the completions for a shell to standard output.
    Completions(generate::CompletionArgs),
    /// Writes the manual: one page to standard output, or every page into a folder.
    Man(generate::ManArgs),
}
