//! `movie`: a folder of frames in, a movie out.

use std::path::PathBuf;

use clap::Args;
use deepdream::media::FrameRate;
use deepdream::{MovieJob, Result};

use crate::args::{EncodingArgs, PlaybackArgs};
use crate::terminal;

/// Arguments of `movie`.
#[derive(Debug, Args)]
pub(crate) struct MovieArgs {
    /// The folder with the frames: img_0.jpg, img_1.jpg and so on. They are shown in the order of their
    /// numbers.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The movie to write, or a folder for it (FOLDER/). The ending is its format: .mp4, .gif and .png
    /// need nothing installed; .webm, .mov and .mkv need ffmpeg. Default: FOLDER.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace a movie that exists already. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Print nothing but errors. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    /// Add the sound of this video or sound file, unchanged. Needs ffmpeg. Default: the frames of a video
    /// get its sound.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    sound: Option<PathBuf>,
    /// Leave the video's sound out.
    #[arg(long, conflicts_with = "sound", help_heading = "Output")]
    no_sound: bool,
    /// Frames per second: a number, or a fraction such as 30000/1001. Default: what the frames were made
    /// for, or 30.
    #[arg(long, value_name = "RATE", help_heading = "Frames")]
    fps: Option<FrameRate>,
    #[command(flatten)]
    playback: PlaybackArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
}

/// Makes the movie.
pub(crate) fn movie(args: &MovieArgs) -> Result<()> {
    let job = MovieJob {
        output: args.output.clone(),
        fps: args.fps,
        playback: args.playback.playback(),
        encoding: args.encoding.encoding(),
        sound: args.sound.clone(),
        silent: args.no_sound,
        overwrite: args.force,
        ..MovieJob::new(&args.folder)
    };
    terminal::run(args.quiet, |events, cancel| job.run(events, cancel))?;
    Ok(())
}
