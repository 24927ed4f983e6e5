//! `gallery`: small dreams of every layer, channel or class on one sheet.

use std::path::PathBuf;

use clap::Args;
use deepdream::{GalleryJob, Result, Shard};

use crate::args::{MachineArgs, RecipeArgs, layers_by_default, preset_by_default, whole};
use crate::forecast::foresee;
use crate::terminal;

/// Arguments of `gallery`.
#[derive(Debug, Args)]
#[command(mut_arg("layers", |arg| layers_by_default(arg, ". Default: every layer")))]
#[command(mut_arg("preset", |arg| preset_by_default(
    arg,
    "Default: classic on a photo, visualise on noise",
)))]
pub(crate) struct GalleryArgs {
    /// The photo to dream on. Default: noise.
    photo: Option<PathBuf>,
    /// Show every class. Default: the channels of the layer that --layer names, or the classes that --class
    /// names; every layer if neither is given.
    #[arg(long = "classes", id = "every_class", conflicts_with_all = ["layers", "classes"])]
    every_class: bool,
    /// Longest side of each picture in pixels. Default: 160, or 128 for noise.
    #[arg(long, value_name = "PIXELS", value_parser = whole::<u32>(16..=4096))]
    #[arg(help_heading = "Output", allow_negative_numbers = true)]
    cell: Option<u32>,
    /// Pictures side by side. Default: as many as make the sheet about 16:10.
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=4096))]
    #[arg(help_heading = "Output", allow_negative_numbers = true)]
    columns: Option<u32>,
    /// The sheet to write; the ending of its name is its format. Default: beside the photo,
    /// photo.gallery.png for photo.jpg; gallery.png for noise.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Keep the pictures in this folder, each with its recipe. Default: they are gone once the sheet is
    /// complete.
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    cells: Option<PathBuf>,
    /// Make only this part of the pictures, such as 1/4, and no sheet; other machines make the others in the
    /// same folder. `auto` takes the part from a Slurm array, `auto/4` from an indexed Kubernetes Job. The same
    /// command without it makes the sheet. Default: all pictures, and the sheet.
    #[arg(long, value_name = "PART/PARTS", value_parser = str::parse::<Shard>)]
    #[arg(help_heading = "Output")]
    shard: Option<Shard>,
    /// Replace files that exist already. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Say what would be made, how long it would take on this machine and how much memory, and write nothing.
    /// A few steps are taken to find out.
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
    /// Give the answer of --dry-run in JSON.
    #[arg(long, help_heading = "Output", requires = "dry_run")]
    json: bool,
    /// Print nothing but errors. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Makes the sheet.
pub(crate) fn gallery(args: &GalleryArgs) -> Result<()> {
    let job = GalleryJob {
        photo: args.photo.clone(),
        classes: args.every_class,
        cell: args.cell,
        columns: args.columns,
        output: args.output.clone(),
        cells: args.cells.clone(),
        shard: args.shard,
        overwrite: args.force,
        dream: args.recipe.request(&args.machine, |_| ())?,
    };
    if args.dry_run {
        let quiet = (args.quiet, args.json);
        return foresee(quiet, "picture", |events, cancel| job.foresee(events, cancel));
    }
    terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    Ok(())
}
