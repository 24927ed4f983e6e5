//! `video`: a video in, a dreamt one out, with its own times and sound.

use std::path::PathBuf;

use clap::Args;
use deepdream::{Error, Fault, RecipeRequest, Result, Shard, VideoJob};

use crate::args::{EncodingArgs, MachineArgs, RecipeArgs, number};
use crate::console::say;
use crate::forecast::foresee;
use crate::hints::quoted;
use crate::terminal;

/// Arguments of `video`.
#[derive(Debug, Args)]
pub(crate) struct VideoArgs {
    /// The video: anything that the installed ffmpeg reads.
    #[arg(value_name = "VIDEO")]
    video: PathBuf,
    /// The movie to write, or a folder for it (FOLDER/). The ending is its format: .mp4, .webm, .mov,
    /// .mkv, .gif or .png. The frames are kept in a folder of the same name without the ending until the
    /// movie is complete, so that the same command continues after a stop. Default: beside the video,
    /// VIDEO.dream.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace the movie, and frames that were made with other settings. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Keep the frames when the movie is complete. Default: remove them.
    #[arg(long, help_heading = "Output")]
    keep: bool,
    /// Leave the sound out. Default: copy it as it is.
    #[arg(long, help_heading = "Output")]
    no_sound: bool,
    /// Make only the frames of this part, such as 1/4, and no movie; other machines make the others in the
    /// same folder. `deepdream movie` then joins the frames. `auto` takes the part from a Slurm array,
    /// `auto/4` from an indexed Kubernetes Job. Needs --coherence independent.
    #[arg(long, value_name = "PART/PARTS", help_heading = "Output")]
    shard: Option<Shard>,
    /// Say what would be made, how long it would take on this machine and how much memory, and write nothing.
    /// A few frames are dreamt to find out.
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
    /// Give the answer of --dry-run in JSON.
    #[arg(long, help_heading = "Output", requires = "dry_run")]
    json: bool,
    /// Print nothing but errors. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    frames: FrameArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Arguments about the video's frames.
#[derive(Debug, Args)]
#[command(next_help_heading = "Frames")]
struct FrameArgs {
    /// Begin at this time: seconds, or hours, minutes and seconds as in 1:02:03.5. Default: the video's
    /// beginning.
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<f64>,
    /// End at this time. Default: the video's end.
    #[arg(long, value_name = "TIME", value_parser = time)]
    end: Option<f64>,
    /// How each dream follows from the one before. Default: flow, or the recipe's.
    #[arg(long, value_enum, value_name = "HOW")]
    coherence: Option<Coherence>,
    /// With --coherence flow: how much of a dream lives on in the next one, 0 to 0.99. The rest is dreamt
    /// anew. Default: 0.9 (other presets than figures: 0.8).
    #[arg(long, value_name = "SHARE")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    carry: Option<f64>,
    /// With --coherence blend: how much of a dream is mixed into the next frame before that is dreamt on,
    /// 0 to 0.99. Default: 0.5.
    #[arg(long, value_name = "SHARE")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    blend: Option<f64>,
}

/// How frames depend on each other, as the command line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Coherence {
    /// The dream moves along with the picture.
    Flow,
    /// Each dream shows through in the next, in the same place.
    Blend,
    /// Each frame is dreamt on by itself. This flickers, but several processors and machines can share the
    /// work.
    Independent,
}

impl FrameArgs {
    /// Refuses a share that belongs to another way in which frames depend on each other.
    fn check(&self) -> Result<()> {
        let Some(coherence) = self.coherence else { return Ok(()) };
        let carry =
            self.carry.map(|_| ("--carry", "flow")).filter(|_| coherence != Coherence::Flow);
        let blend =
            self.blend.map(|_| ("--blend", "blend")).filter(|_| coherence != Coherence::Blend);
        let Some((flag, other)) = carry.or(blend) else { return Ok(()) };
        let what = format!("{flag} only goes together with --coherence {other}");
        Err(Error::new(Fault::Usage, what).hint("Leave one of the two flags out, or change it."))
    }

    /// Puts the flags into a request.
    fn edit(&self, recipe: &mut RecipeRequest) {
        if let Some(coherence) = self.coherence {
            let word = match coherence {
                Coherence::Flow => "flow",
                Coherence::Blend => "blend",
                Coherence::Independent => "independent",
            };
            recipe.set("video.coherence", word);
        }
        if let Some(carry) = self.carry {
            recipe.set("video.coherence.flow.persistence", carry);
        }
        if let Some(blend) = self.blend {
            recipe.set("video.coherence.blend.share", blend);
        }
    }
}

/// Dreams on the video.
pub(crate) fn video(args: &VideoArgs) -> Result<()> {
    args.frames.check()?;
    let FrameArgs { start, end, .. } = args.frames;
    let job = VideoJob {
        output: args.output.clone(),
        start,
        end,
        shard: args.shard,
        silent: args.no_sound,
        keep: args.keep,
        encoding: args.encoding.encoding(),
        overwrite: args.force,
        dream: args.recipe.request(&args.machine, |recipe| args.frames.edit(recipe))?,
        ..VideoJob::new(&args.video)
    };
    if args.dry_run {
        let quiet = (args.quiet, args.json);
        return foresee(quiet, "frame", |events, cancel| job.foresee(events, cancel));
    }
    let report = terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    if let (Some(shard), Some(folder), false) = (args.shard, report.wrote.first(), args.quiet) {
        let folder = quoted(folder);
        say(format!("  This is shard {shard}. `deepdream movie {folder}` joins them all."));
    }
    Ok(())
}

/// Reads a time: seconds, or hours, minutes and seconds as `1:02:03.5`.
///
/// # Errors
/// Text of another kind, and more than a year.
fn time(text: &str) -> Result<f64, String> {
    let wrong = || "use seconds, or hours, minutes and seconds as in 1:02:03.5".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let (last, before) = parts.split_last().ok_or_else(wrong)?;
    if before.len() > 2 {
        return Err(wrong());
    }
    let mut time = 0.0;
    for part in before {
        time = 60.0 * (time + f64::from(part.parse::<u32>().map_err(|_| wrong())?));
    }
    let last: f64 = last.parse().map_err(|_| wrong())?;
    if !(0.0..=31_536_000.0).contains(&(time + last)) || (!before.is_empty() && last >= 60.0) {
        return Err(wrong());
    }
    Ok(time + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in
            [("0", 0.0), ("12.5", 12.5), ("1:30", 90.0), ("01:02:03.25", 3723.25)]
        {
            assert_eq!(time(text), Ok(seconds), "{text}");
        }
        for text in ["", "x", "-1", "1:2:3:4", "1:60", ":5", "nan", "inf", "1e99"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
