//! `movie`: a folder of frames in, a movie out.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use dream::Recipe;
use media::movie::{Codec, MovieFormat, Quality, Sequence, Sound};
use media::{FrameRate, Image, Limits, Timing, recipe_of};

use crate::exit::{Failure, Fault};
use crate::film::{Film, Writing};
use crate::frames::Frames;
use crate::interrupt::Interrupt;
use crate::machine::free_memory;
use crate::media_failure::movie_hint;
use crate::output::Output;
use crate::video::Record;

/// Arguments of `movie`.
#[derive(Debug, Args)]
pub(crate) struct MovieArgs {
    /// The folder with the frames: img_0.jpg, img_1.jpg, …; they are seen in the order of their numbers.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The movie to write, its kind by its ending: .mp4, .gif and .png need nothing installed; .webm,
    /// .mov and .mkv need ffmpeg. Default: FOLDER.mp4.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace the file if it exists already. Default: refuse to.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Say nothing unless something is wrong. Default: show progress.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    /// Add the sound of this file, a video or a piece of music, as it is (through ffmpeg). Default: for
    /// a video's frames, that of the video.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    sound: Option<PathBuf>,
    /// Leave a video's sound out.
    #[arg(long, conflicts_with = "sound", help_heading = "Output")]
    no_sound: bool,
    /// Frames in a second: a number, or a fraction such as 30000/1001. Default: what the frames were
    /// made for, or 30.
    #[arg(long, value_name = "RATE", help_heading = "Frames")]
    fps: Option<FrameRate>,
    #[command(flatten)]
    sequence: SequenceArgs,
    #[command(flatten)]
    coding: CodingArgs,
}

/// Arguments about which frames are seen when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Frames")]
pub(crate) struct SequenceArgs {
    /// See the first frame this many seconds longer. Default: 0.
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true)]
    #[arg(value_parser = seconds)]
    hold_first: f64,
    /// See the last frame this many seconds longer. Default: 0.
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true)]
    #[arg(value_parser = seconds)]
    hold_last: f64,
    /// Go back to the first frame again.
    #[arg(long)]
    ping_pong: bool,
    /// Fade the last seconds into the first, so that the movie can be seen in a loop. Default: cut.
    #[arg(long = "loop", value_name = "SECONDS", value_parser = seconds)]
    #[arg(conflicts_with_all = ["ping_pong", "hold_first", "hold_last"])]
    fade: Option<f64>,
}

/// What each quality is for.
const QUALITIES: [(Quality, &str); 3] = [
    (Quality::Small, "To send around"),
    (Quality::Good, "Hard to tell from the frames"),
    (Quality::Best, "To edit further"),
];

/// What each codec is.
const CODECS: [(Codec, &str); 5] = [
    (Codec::H264, "H.264: plays everywhere"),
    (Codec::H265, "H.265"),
    (Codec::Av1, "AV1"),
    (Codec::Vp9, "VP9"),
    (Codec::Prores, "Apple ProRes, for editing"),
];

/// A parser of the words for some values, each with a text for the help.
fn words<T: Copy + Send + Sync + 'static>(
    values: &'static [(T, &'static str)],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let word =
        move |(value, help): &(T, &'static str)| PossibleValue::new(name(*value)).help(*help);
    PossibleValuesParser::new(values.iter().map(word)).map(move |word| {
        let value = values.iter().find(|(value, _)| name(*value) == word);
        value.expect("no other word passes").0
    })
}

/// Arguments about how frames are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Coding")]
pub(crate) struct CodingArgs {
    /// Longest side of the movie in pixels. Default: the frames' own size.
    #[arg(long = "movie-size", value_name = "PIXELS")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=65_535))]
    movie_size: Option<u32>,
    /// How good it is to look, against its size. Default: good.
    #[arg(long, value_parser = words(&QUALITIES, Quality::name), default_value = "good", hide_default_value = true)]
    quality: Quality,
    /// How it is compressed; all but H.264 in .mp4 need ffmpeg. Default: H.264 in .mp4 and .mkv, AV1 in
    /// .webm, ProRes in .mov.
    #[arg(long, value_parser = words(&CODECS, Codec::name))]
    codec: Option<Codec>,
    /// Have ffmpeg compress H.264 as well, better than the built-in encoder does.
    #[arg(long)]
    ffmpeg: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{text}` is no duration: use seconds, 0 to 86400")),
    }
}

/// Makes the movie.
pub(crate) fn movie(args: &MovieArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let path = args.output.clone().unwrap_or_else(|| {
        let mut name = args.folder.components().as_path().as_os_str().to_owned();
        name.push(".mp4");
        name.into()
    });
    let format = args.coding.format(&path)?;
    let output = Output::new(path, args.force)?;
    let frames = Frames::find(&args.folder)?;
    let record = Record::load(&args.folder)?;
    let film = match &record {
        Some(record) if args.fps.is_none() && args.sequence.is_plain() => {
            args.of_video(record, &frames)?
        }
        _ => {
            let own = || record.as_ref().map_or_else(|| rate(&frames), Record::rate);
            let film = args.sequence.film(&frames, args.fps.unwrap_or_else(own), args.quiet)?;
            let end = film.timing.seconds(film.shots.len() as u64);
            let sound = |source: &PathBuf| Sound::of(source, end);
            Film { sound: args.sound.as_ref().map(sound), ..film }
        }
    };
    if let Some(sound) = &film.sound {
        let Some(container) = format.container() else {
            let what = format!("{}: this kind of movie has no sound", output.path().display());
            return Err(Failure::new(Fault::Usage, what).or("write an .mp4, or use --no-sound"));
        };
        sound.check(container).map_err(|error| output.movie_failure(error))?;
    }
    args.coding.write(&film, format, &output, &interrupt, args.quiet)
}

impl MovieArgs {
    /// The film of a video's frames, if they are complete.
    fn of_video(&self, record: &Record, frames: &Frames) -> Result<Film<'static>, Failure> {
        let name = frames.folder().display();
        let missing = record.missing(frames.folder());
        if let Some(first) = missing.first() {
            let what = format!(
                "{name}: {} of {} frames are not there yet; frame {first} is the first of them",
                missing.len(),
                record.frames
            );
            return Err(Failure::new(Fault::Picture, what)
                .or("make them with `deepdream video`, all or by --shard, then join them"));
        }
        let source = self.sound.as_ref().unwrap_or(&record.source);
        let sound = match record.sound(source).filter(|_| !self.no_sound) {
            None => self.sound.as_ref().map(|source| Sound::of(source, record.seconds())),
            Some(sound) if source.is_file() => Some(sound),
            Some(_) => {
                let what =
                    format!("{}: the video, which has the sound, is not there", source.display());
                return Err(Failure::new(Fault::Picture, what)
                    .or("--sound says where it is, --no-sound does without"));
            }
        };
        record.film(frames.folder(), sound, &|_| true)
    }
}

/// The rate that the newest frame was made for, or the usual one.
fn rate(frames: &Frames) -> FrameRate {
    let recipe = frames
        .iter()
        .next_back()
        .and_then(|(_, path)| recipe_of(path, &Limits::memory(free_memory())).ok())
        .and_then(|text| Recipe::from_toml(&text).ok());
    FrameRate::nearest(recipe.and_then(|recipe| recipe.zoom).unwrap_or_default().fps)
}

impl CodingArgs {
    /// The format for a file of this name.
    ///
    /// # Errors
    /// A name or a combination that makes no sense.
    pub(crate) fn format(&self, path: &std::path::Path) -> Result<MovieFormat, Failure> {
        MovieFormat::choose(path, self.codec, self.ffmpeg).map_err(|error| {
            let failure = Failure::new(Fault::Usage, &error);
            match movie_hint(&error) {
                Some(hint) => failure.or(hint),
                None => failure,
            }
        })
    }

    /// How good the movie is to look.
    pub(crate) fn quality(&self) -> Quality {
        self.quality
    }

    /// Longest side of the movie, if not the frames' own.
    pub(crate) fn longest(&self) -> Option<u32> {
        self.movie_size
    }

    /// Writes a film and says so unless `quiet`.
    ///
    /// # Errors
    /// Frames that cannot be read, or whatever keeps the movie from being written.
    pub(crate) fn write(
        &self,
        film: &Film,
        format: MovieFormat,
        output: &Output,
        interrupt: &Interrupt,
        quiet: bool,
    ) -> Result<(), Failure> {
        let writing = Writing {
            format,
            quality: self.quality,
            longest: self.movie_size,
            output,
            scratch: None,
            interrupt,
            bar: !quiet,
        };
        let (file, said) = film.write(&writing)?;
        output.place(file)?;
        if !quiet {
            eprintln!("{said}");
        }
        Ok(())
    }
}

impl SequenceArgs {
    /// Whether every frame is seen once, for its time.
    fn is_plain(&self) -> bool {
        let Self { hold_first, hold_last, ping_pong, fade } = self;
        *hold_first == 0.0 && *hold_last == 0.0 && !ping_pong && fade.is_none()
    }

    /// A film of a folder's frames at `rate`.
    ///
    /// # Errors
    /// No frames, or a last one that cannot be read.
    pub(crate) fn film(
        &self,
        frames: &Frames,
        rate: FrameRate,
        quiet: bool,
    ) -> Result<Film<'static>, Failure> {
        let name = frames.folder().display();
        let Some((_, last)) = frames.iter().next_back() else {
            let what = format!("{name}: there are no frames in this folder");
            return Err(Failure::new(Fault::Picture, what)
                .or("frames are called img_0.jpg, img_1.jpg and so on"));
        };
        if !quiet {
            for (before, after) in frames.gaps() {
                eprintln!("{name}: frame {before} is followed by frame {after}");
            }
        }
        let limits = Limits::memory(free_memory());
        let size = Image::read(last, &limits)?.size();
        Ok(Film {
            pictures: frames.iter().map(|(_, path)| path.to_owned()).collect(),
            ready: &|_| true,
            shots: self.sequence(rate).shots(frames.len()),
            timing: Timing::Constant(rate),
            size: (size.height, size.width),
            recipe: recipe_of(last, &limits).ok(),
            sound: None,
        })
    }

    fn sequence(&self, fps: FrameRate) -> Sequence {
        let frames = |seconds: f64| (seconds * fps.per_second()).round() as usize;
        Sequence {
            hold_first: frames(self.hold_first),
            hold_last: frames(self.hold_last),
            ping_pong: self.ping_pong,
            fade: self.fade.map_or(0, frames),
        }
    }
}
