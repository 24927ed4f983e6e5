//! `zoom`: a photo in, a movie that falls into it out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use deepdream::media::sound::Heard;
use deepdream::{Result, ZoomJob};

use crate::args::{EncodingArgs, MachineArgs, MotionArgs, PlaybackArgs, RecipeArgs};
use crate::forecast::foresee;
use crate::terminal;

/// Arguments of `zoom`.
#[derive(Debug, Args)]
pub(crate) struct ZoomArgs {
    /// The photo: PNG, JPEG, WebP or TIFF.
    #[arg(value_name = "PHOTO")]
    photo: PathBuf,
    /// The movie to write, or a folder for it (FOLDER/). The ending is its format: .mp4, .gif and .png
    /// need nothing installed; .webm, .mov and .mkv need ffmpeg. The frames are kept in a folder of the
    /// same name without the ending, so that the same command continues after a stop, and more seconds
    /// make it longer. Default: PHOTO.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace any movie of that name, and frames that were made with other settings. Default: replace
    /// only a movie of the same frames.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
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
    /// How long the movie is, in seconds. Default: 10.
    #[arg(long, value_name = "SECONDS", default_value = "10", hide_default_value = true)]
    #[arg(value_parser = seconds, allow_negative_numbers = true, help_heading = "Motion")]
    seconds: f64,
    /// Add the sound of this sound file or video, unchanged. Needs ffmpeg. Default: no sound.
    #[arg(long, value_name = "FILE", help_heading = "Sound")]
    sound: Option<PathBuf>,
    /// Move and dream by the sound: faster and more where it is loud or has a beat, slower and less
    /// between. How much: --set zoom.rhythm.motion=0.6, zoom.rhythm.pace=0.6. Such a movie is begun anew if it is to
    /// have another length. Default: go evenly.
    #[arg(long, value_name = "WHAT", value_enum, requires = "sound", help_heading = "Sound")]
    follow: Option<What>,
    #[command(flatten)]
    motion: MotionArgs,
    #[command(flatten)]
    playback: PlaybackArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// [`Heard`] as the command line spells it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Jump forward with each beat.
    Beat,
    /// Go by how loud it is.
    Loudness,
}

impl From<What> for Heard {
    fn from(what: What) -> Self {
        match what {
            What::Beat => Heard::Beat,
            What::Loudness => Heard::Loudness,
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("use seconds above 0, up to 86400".to_owned()),
    }
}

/// Makes the frames, then the movie.
pub(crate) fn zoom(args: &ZoomArgs) -> Result<()> {
    let job = ZoomJob {
        output: args.output.clone(),
        seconds: args.seconds,
        fps: args.motion.fps,
        motion: args.motion.motion(),
        sound: args.sound.clone(),
        follow: args.follow.map(Heard::from),
        playback: args.playback.playback(),
        encoding: args.encoding.encoding(),
        overwrite: args.force,
        dream: args.recipe.request(&args.machine, |recipe| args.motion.edit(recipe))?,
        ..ZoomJob::new(&args.photo)
    };
    if args.dry_run {
        let quiet = (args.quiet, args.json);
        return foresee(quiet, "frame", |events, cancel| job.foresee(events, cancel));
    }
    terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    Ok(())
}
