//! `image`: pictures in, dreams out.

use std::path::PathBuf;

use clap::Args;
use deepdream::{BatchJob, Error, Foreseen, Outcome, Result, Shard, Size, Source, StillJob};

use crate::args::{MachineArgs, RecipeArgs, any_whole, size};
use crate::console::{self, print};
use crate::results::{Recorder, failed, forecast, forecasts};
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
    /// Dream this many pictures together from noise, 1 to 64. Each has its own seed, and they keep apart, so
    /// that they show sides of the same thing; `diversity` in the recipe says how far. They are called
    /// noise.dream_0.png and so on, and each carries the recipe of all. Default: 1, or the recipe's.
    #[arg(long = "pictures", value_name = "N", value_parser = any_whole)]
    #[arg(allow_negative_numbers = true)]
    together: Option<u32>,
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
    /// Leave out pictures whose dreams exist already, whatever made them, and keep the file of --save-recipe if it
    /// exists. Default: stop with an error.
    #[arg(long, help_heading = "Output", conflicts_with = "force")]
    skip_existing: bool,
    /// Write 16 bits per channel, into a PNG or a TIFF. Default: as many as the picture has.
    #[arg(long, help_heading = "Output")]
    sixteen_bits: bool,
    /// Dream on this part of the pictures alone, such as 1/4, so that several machines share them. `auto` takes the
    /// part from a Slurm array, `auto/4` from an indexed Kubernetes Job. Default: all of them.
    #[arg(long, value_name = "PART/PARTS", value_parser = str::parse::<Shard>)]
    #[arg(help_heading = "Output", requires = "pictures", conflicts_with = "noise")]
    shard: Option<Shard>,
    /// Say what would be made, how long it would take on this machine and how much memory, and write
    /// nothing. A few steps are taken to find out.
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
    /// Answer in JSON: what became of each picture.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Print nothing but errors. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// One picture, or several.
enum Job {
    Still(StillJob),
    Batch(BatchJob),
}

/// Dreams on every picture; one that fails does not keep the others from their dreams.
pub(crate) fn image(args: &ImageArgs) -> Result<()> {
    let job = job(args)?;
    if args.dry_run {
        let quiet = args.quiet || args.json;
        let foreseen = terminal::run(quiet, |events, cancel| match &job {
            Job::Still(job) => job.foresee(events, cancel),
            Job::Batch(job) => job.foresee(events, cancel),
        });
        if let (Err(error), Job::Still(job), true) = (&foreseen, &job, args.json) {
            console::json(&Vec::from_iter(failed(job, error)))?;
        }
        let foreseen = foreseen?;
        let failing = failing(&foreseen);
        let planned: Vec<_> = foreseen.into_iter().map(forecast).collect();
        if args.json {
            console::json(&planned)?;
        } else {
            print(forecasts(&planned))?;
        }
        return failing.map_or(Ok(()), Err);
    }
    let mut results = Vec::new();
    let done = terminal::run(args.quiet || args.json, |events, cancel| {
        let recorder = Recorder::new(events);
        let done = match &job {
            Job::Still(job) => job.run(&recorder, cancel),
            Job::Batch(job) => job.run(&recorder, cancel),
        };
        results = recorder.results();
        done
    });
    if args.json {
        if let (Err(error), Job::Still(job)) = (&done, &job) {
            results.extend(failed(job, error));
        }
        console::json(&results)?;
    }
    done.map(|_| ())
}

/// The error of a batch of which some pictures would fail: the fault of the first.
fn failing(foreseen: &[Foreseen]) -> Option<Error> {
    let refused = foreseen.iter().filter_map(|one| match &one.outcome {
        Outcome::Refused(error) => Some(error.fault()),
        _ => None,
    });
    let faults: Vec<_> = refused.collect();
    let what = format!("{} of {} pictures would not be dreamt on", faults.len(), foreseen.len());
    faults.first().map(|fault| Error::new(*fault, what))
}

fn job(args: &ImageArgs) -> Result<Job> {
    let (output, save_recipe) = (args.output.clone(), args.save_recipe.clone());
    let mut pictures = wildcard::expand(&args.pictures);
    let (overwrite, skip_existing, sixteen_bits) =
        (args.force, args.skip_existing, args.sixteen_bits);
    let dream = args.recipe.request(&args.machine, |recipe| {
        if let Some(together) = args.together {
            recipe.set("pictures", together);
        }
    })?;
    let noise = args
        .noise
        .map(|Size { height, width }| Source::Noise { width: width as u32, height: height as u32 });
    if pictures.len() > 1 || args.shard.is_some() {
        let job = BatchJob {
            pictures,
            output,
            save_recipe,
            overwrite,
            skip_existing,
            sixteen_bits,
            shard: args.shard,
            dream,
        };
        return Ok(Job::Batch(job));
    }
    let source = pictures.pop().map(Source::Picture).or(noise);
    Ok(Job::Still(StillJob {
        source,
        output,
        save_recipe,
        overwrite,
        skip_existing,
        sixteen_bits,
        dream,
    }))
}
