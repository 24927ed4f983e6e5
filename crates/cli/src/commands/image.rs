//! `image`: pictures in, dreams out.

use std::path::PathBuf;

use clap::Args;
use deepdream::{BatchJob, Result, Size, Source, StillJob};

use crate::args::{MachineArgs, RecipeArgs, size};
use crate::{terminal, wildcard};

/// Arguments of `image`.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    /// The pictures: PNG, JPEG, WebP, TIFF or BMP. Each becomes a dream of its own.
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    /// Dream on noise of this size instead of a picture. The dream is called noise.dream.png.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    #[arg(conflicts_with = "pictures")]
    noise: Option<Size>,
    /// The file to write; the ending of its name is its format. Or a folder, for several pictures.
    /// Default: beside each picture, photo.dream.jpg for photo.jpg.
    #[arg(short, long, value_name = "FILE|FOLDER", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Also write the recipe to this TOML file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save_recipe: Option<PathBuf>,
    /// Replace files that exist already. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Print nothing but errors. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Dreams on every picture; one that fails does not keep the others from their dreams.
pub(crate) fn image(args: &ImageArgs) -> Result<()> {
    let (output, save_recipe) = (args.output.clone(), args.save_recipe.clone());
    let pictures = wildcard::expand(&args.pictures);
    let overwrite = args.force;
    let dream = args.recipe.request(&args.machine, |_| ())?;
    let noise = args
        .noise
        .map(|Size { height, width }| Source::Noise { width: width as u32, height: height as u32 });
    terminal::run(args.quiet, |events, cancel| match pictures.as_slice() {
        [] | [_] => {
            let picture = pictures.first().cloned().map(Source::Picture);
            let source = picture.or(noise);
            StillJob { source, output, save_recipe, overwrite, dream }.run(events, cancel)
        }
        _ => BatchJob { pictures, output, save_recipe, overwrite, dream }.run(events, cancel),
    })?;
    Ok(())
}
