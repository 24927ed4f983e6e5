//! `movie`: a folder of frames in, a movie out.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use clap::Args;
use dream::{Filter, Recipe, Tensor, scaled_size};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::exit::{Failure, Fault};
use crate::frames::Frames;
use crate::interrupt::Interrupt;
use crate::machine::free_memory;
use crate::movie::{Codec, Format, MovieError, MovieSpec, Quality, Rate, Sequence, Shot};
use crate::output::Output;
use crate::picture::{self, Picture};

/// Frames that are read ahead of the one being written.
const AHEAD: usize = 2;

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
    /// Frames in a second: a number, or a fraction such as 30000/1001. Default: what the frames were
    /// made for, or 30.
    #[arg(long, value_name = "RATE", help_heading = "Frames")]
    fps: Option<Rate>,
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

/// Arguments about how frames are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Coding")]
pub(crate) struct CodingArgs {
    /// Longest side of the movie in pixels. Default: the frames' own size.
    #[arg(long = "movie-size", value_name = "PIXELS")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=65_535))]
    movie_size: Option<u32>,
    /// How good it is to look, against its size. Default: good.
    #[arg(long, value_enum, default_value = "good", hide_default_value = true)]
    quality: Quality,
    /// How it is compressed; all but H.264 in .mp4 need ffmpeg. Default: H.264 in .mp4 and .mkv, AV1 in
    /// .webm, ProRes in .mov.
    #[arg(long, value_enum)]
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
    let rate = args.fps.unwrap_or_else(|| rate(&frames));
    let film = Film { frames: &frames, sequence: &args.sequence, rate };
    args.coding.write(&film, format, &output, &interrupt, args.quiet)
}

/// The rate that the newest frame was made for, or the usual one.
fn rate(frames: &Frames) -> Rate {
    let recipe = frames
        .iter()
        .next_back()
        .and_then(|(_, path)| picture::recipe_of(path).ok())
        .and_then(|text| Recipe::from_toml(&text).ok());
    Rate::nearest(recipe.and_then(|recipe| recipe.movie).unwrap_or_default().fps)
}

/// Frames and what is seen of them when.
pub(crate) struct Film<'a> {
    /// The frames.
    pub(crate) frames: &'a Frames,
    /// Their order.
    pub(crate) sequence: &'a SequenceArgs,
    /// How many there are in a second.
    pub(crate) rate: Rate,
}

impl CodingArgs {
    /// The format for a file of this name.
    ///
    /// # Errors
    /// A name or a combination that makes no sense.
    pub(crate) fn format(&self, path: &std::path::Path) -> Result<Format, Failure> {
        Format::choose(path, self.codec, self.ffmpeg)
            .map_err(|error| Failure::new(Fault::Usage, error))
    }

    /// Writes a movie.
    ///
    /// # Errors
    /// No frames, frames that cannot be read, or whatever keeps the movie from being written.
    pub(crate) fn write(
        &self,
        film: &Film,
        format: Format,
        output: &Output,
        interrupt: &Interrupt,
        quiet: bool,
    ) -> Result<(), Failure> {
        let Film { frames, sequence, rate } = *film;
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
        let size = self.size(last)?;
        let shots = sequence.sequence(rate).shots(frames.len());
        let spec = MovieSpec {
            width: size.1 as u32,
            height: size.0 as u32,
            rate,
            frames: shots.len() as u64,
            quality: self.quality,
            recipe: picture::recipe_of(last).ok(),
        };
        let unwritten = |error: MovieError| output.failure(error);
        let mut sink = format.begin(spec.clone(), output.temporary()?).map_err(unwritten)?;

        let bar = bar(shots.len() as u64, quiet);
        let pictures: Vec<_> = frames.iter().map(|(_, path)| path.to_owned()).collect();
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                let mut reader = Reader { pictures, size, kept: Vec::new() };
                for &shot in &shots {
                    let frame = reader.shot(shot);
                    let failed = frame.is_err();
                    if sender.send(frame).is_err() || failed {
                        return;
                    }
                }
            });
            // Moved in, so that the reader stops waiting when the writer has given up.
            let receiver: Receiver<Result<Vec<u8>, Failure>> = receiver;
            for frame in receiver {
                if interrupt.asked() {
                    let what = format!("stopped: {} was not written", output.path().display());
                    return Err(Failure::new(Fault::Interrupted, what));
                }
                sink.frame(&frame?).map_err(unwritten)?;
                bar.inc(1);
            }
            Ok(())
        })?;
        let file = sink.finish().map_err(unwritten)?;
        bar.finish_and_clear();
        output.place(file)?;
        if !quiet {
            let bytes = output.path().metadata().map_or(0, |file| file.len());
            eprintln!(
                "{}: {} frames of {}×{}, {} a second, {:.1} s, {}",
                output.path().display(),
                spec.frames,
                spec.width,
                spec.height,
                spec.rate,
                spec.frames as f64 / spec.rate.per_second(),
                HumanBytes(bytes)
            );
        }
        Ok(())
    }

    /// Height and width of the movie: the last frame's, or what was asked for.
    fn size(&self, last: &std::path::Path) -> Result<(usize, usize), Failure> {
        let shape = picture::read(last, free_memory())?.colour.shape;
        Ok(match self.movie_size {
            Some(longest) => scaled_size(shape.height, shape.width, longest),
            None => (shape.height, shape.width),
        })
    }
}

impl SequenceArgs {
    fn sequence(&self, fps: Rate) -> Sequence {
        let frames = |seconds: f64| (seconds * fps.per_second()).round() as usize;
        Sequence {
            hold_first: frames(self.hold_first),
            hold_last: frames(self.hold_last),
            ping_pong: self.ping_pong,
            fade: self.fade.map_or(0, frames),
        }
    }
}

fn bar(frames: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = "{pos}/{len} frames  {wide_bar:.cyan/dim}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is right");
    ProgressBar::new(frames).with_style(style)
}

/// Reads frames as they are needed, each in the movie's size.
struct Reader {
    pictures: Vec<PathBuf>,
    size: (usize, usize),
    /// The last frames read, so that one that is held is not read again.
    kept: Vec<(usize, Tensor)>,
}

impl Reader {
    /// Interleaved RGB of 8 bits.
    fn shot(&mut self, shot: Shot) -> Result<Vec<u8>, Failure> {
        Ok(match shot {
            Shot::Frame(index) => bytes(self.frame(index)?, |value, _| value, None),
            Shot::Blend(from, to, share) => {
                let from = self.frame(from)?.clone();
                let mix = |a: f32, b: f32| a + share * (b - a);
                bytes(&from, mix, Some(self.frame(to)?))
            }
        })
    }

    fn frame(&mut self, index: usize) -> Result<&Tensor, Failure> {
        if let Some(place) = self.kept.iter().position(|(kept, _)| *kept == index) {
            return Ok(&self.kept[place].1);
        }
        let Picture { colour, alpha, .. } = picture::read(&self.pictures[index], free_memory())?;
        let mut colour = colour;
        if let Some(alpha) = alpha {
            let plane = alpha.data.len();
            for (at, value) in colour.data.iter_mut().enumerate() {
                let cover = alpha.data[at % plane] / 255.0;
                *value = *value * cover + 255.0 * (1.0 - cover);
            }
        }
        let (height, width) = self.size;
        if (colour.shape.height, colour.shape.width) != self.size {
            colour = dream::resize(&colour, height, width, Filter::Lanczos);
        }
        self.kept.truncate(1);
        self.kept.insert(0, (index, colour));
        Ok(&self.kept[0].1)
    }
}

/// Planes to interleaved bytes, rounded to the nearest; `mix` joins each value with the one of `other`.
fn bytes(picture: &Tensor, mix: impl Fn(f32, f32) -> f32, other: Option<&Tensor>) -> Vec<u8> {
    let plane = picture.shape.plane();
    let mut bytes = Vec::with_capacity(3 * plane);
    let other = other.unwrap_or(picture);
    for pixel in 0..plane {
        for channel in 0..3 {
            let at = channel * plane + pixel;
            bytes.push((mix(picture.data[at], other.data[at]) + 0.5) as u8);
        }
    }
    bytes
}
