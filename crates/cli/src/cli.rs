//! The command line: one subcommand for each thing the program does. A command's own arguments
//! stand beside its code, in [`crate::commands`].

use clap::{Parser, Subcommand};

#[cfg(feature = "studio")]
use crate::commands::studio;
use crate::commands::{
    bench, channels, check, classify, frames, gallery, generate, help, image, layers, models,
    movie, presets, probe, recipe, video, zoom,
};
use crate::exit;

/// DeepDream: a photo in, a dream out. `deepdream image photo.jpg` is a start.
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
    /// Opens a page in the browser in which you dream.
    #[cfg(feature = "studio")]
    Studio(studio::StudioArgs),
    /// Dreams on pictures.
    Image(image::ImageArgs),
    /// Continues a folder of frames: each is the one before, moved a little and dreamt on again.
    Frames(frames::FramesArgs),
    /// Makes a movie that zooms into a photo.
    Zoom(zoom::ZoomArgs),
    /// Dreams on a video.
    Video(video::VideoArgs),
    /// Makes a movie from a folder of frames.
    Movie(movie::MovieArgs),
    /// Shows what every layer of a network, every channel of a layer or every class makes of a photo.
    Gallery(gallery::GalleryArgs),
    /// Ranks a layer's channels by how strongly they answer a photo.
    Channels(channels::ChannelsArgs),
    /// Shows, changes and compares recipes: of dreamt pictures and movies, and in TOML files.
    Recipe(recipe::RecipeCommandArgs),
    /// Lists the presets that a dream can start from.
    Presets(presets::PresetsArgs),
    /// Lists the layers of a network that you can dream on.
    Layers(layers::LayersArgs),
    /// Lists, downloads, adds, shows and removes networks.
    Models(models::ModelsArgs),
    /// Says what a network takes a picture for.
    Classify(classify::ClassifyArgs),
    /// Writes a layer's activation and gradient for a picture into files.
    Probe(probe::ProbeArgs),
    /// Measures how fast this machine dreams.
    Bench(bench::BenchArgs),
    /// Checks this machine's fast kernels against plain loops, layer by layer.
    Check(check::CheckArgs),
    /// Explains a command and its flags.
    Help(help::HelpArgs),
    /// Writes completions for a shell to standard output.
    Completions(generate::CompletionArgs),
    /// Writes the manual: one page to standard output, or all pages into a folder.
    Man(generate::ManArgs),
}
