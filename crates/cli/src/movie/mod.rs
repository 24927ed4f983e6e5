//! Movies: frames in, a file out. MP4 (H.264), GIF and animated PNG are written with nothing
//! installed; the rest through ffmpeg.

mod apng;
mod error;
mod ffmpeg;
mod film;
mod gif;
mod h264;
mod ivf;
mod mp4;
mod rate;
mod recipe;
mod sequence;
mod sound;
#[cfg(test)]
mod tests;
mod timing;
mod yuv;

use std::path::Path;

use tempfile::NamedTempFile;

pub(crate) use error::MovieError;
pub(crate) use film::{Film, Writing};
pub(crate) use rate::Rate;
pub(crate) use recipe::{is_movie, recipe_of};
pub(crate) use sequence::{Sequence, Shot};
pub(crate) use sound::Sound;
pub(crate) use timing::{Stamps, Timing};

/// Takes the frames of a movie, one after the other. Dropped before its end, it leaves nothing.
pub(crate) trait FrameSink {
    /// Adds a frame: interleaved RGB of 8 bits, of the movie's size.
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError>;

    /// Ends the movie and gives back the file, complete.
    fn finish(self: Box<Self>) -> Result<NamedTempFile, MovieError>;
}

/// What all formats need to know.
#[derive(Clone, Debug)]
pub(crate) struct MovieSpec {
    /// Columns of every frame.
    pub(crate) width: u32,
    /// Rows of every frame.
    pub(crate) height: u32,
    /// When they are seen.
    pub(crate) timing: Timing,
    /// How many frames will come.
    pub(crate) frames: u64,
    /// How good it is to look.
    pub(crate) quality: Quality,
    /// The recipe's text, to travel with the movie.
    pub(crate) recipe: Option<String>,
}

/// How good a movie is to look, against its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Quality {
    /// To send around.
    Small,
    /// Hard to tell from the frames.
    #[default]
    Good,
    /// To edit further.
    Best,
}

/// How frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Codec {
    /// H.264: plays everywhere.
    H264,
    /// H.265.
    H265,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
    /// Apple ProRes, for editing.
    Prores,
}

impl Codec {
    /// What it is called.
    fn title(self) -> &'static str {
        match self {
            Codec::H264 => "H.264 at another than the built-in quality",
            Codec::H265 => "H.265",
            Codec::Av1 => "AV1",
            Codec::Vp9 => "VP9",
            Codec::Prores => "ProRes",
        }
    }

    /// ffmpeg's encoders for it, best first.
    fn encoders(self) -> &'static [&'static str] {
        match self {
            Codec::H264 => &["libx264", "libopenh264"],
            Codec::H265 => &["libx265"],
            Codec::Av1 => &["libsvtav1", "libaom-av1", "librav1e"],
            Codec::Vp9 => &["libvpx-vp9"],
            Codec::Prores => &["prores_ks"],
        }
    }

    /// ffmpeg's name for the form of its pixels.
    fn pixels(self, quality: Quality) -> &'static str {
        match (self, quality) {
            (Codec::Prores, Quality::Best) => "yuv444p10le",
            (Codec::Prores, _) => "yuv422p10le",
            _ => "yuv420p",
        }
    }
}

/// What holds a movie that ffmpeg writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// .mp4
    Mp4,
    /// .mov
    Mov,
    /// .webm
    Webm,
    /// .mkv
    Matroska,
}

impl Container {
    /// ffmpeg's name for it.
    fn name(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Webm => "webm",
            Container::Matroska => "matroska",
        }
    }
}

/// How a movie is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// MP4 with the built-in H.264 encoder.
    Mp4,
    /// GIF.
    Gif,
    /// Animated PNG.
    Apng,
    /// Anything else, through ffmpeg.
    Ffmpeg(Container, Codec),
}

impl Format {
    /// The format that a file's name, the codec and the wish for ffmpeg ask for.
    ///
    /// # Errors
    /// A name that says none, or one that cannot hold the codec; with a way out.
    pub(crate) fn choose(path: &Path, codec: Option<Codec>, ffmpeg: bool) -> Result<Self, String> {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        let (container, usual) = match extension.to_ascii_lowercase().as_str() {
            "gif" | "png" | "apng" if codec.is_some() || ffmpeg => {
                return Err(format!(
                    "{}: .{extension} has no choice of --codec: leave it and --ffmpeg away, or write an .mp4",
                    path.display()
                ));
            }
            "gif" => return Ok(Format::Gif),
            "png" | "apng" => return Ok(Format::Apng),
            "mp4" | "m4v" => (Container::Mp4, Codec::H264),
            "mov" => (Container::Mov, Codec::Prores),
            "webm" => (Container::Webm, Codec::Av1),
            "mkv" => (Container::Matroska, Codec::H264),
            _ => {
                return Err(format!(
                    "{}: the name does not say what kind of movie to write: end it in .mp4, .gif, .png, .webm, .mov or .mkv",
                    path.display()
                ));
            }
        };
        let codec = codec.unwrap_or(usual);
        if container == Container::Webm && !matches!(codec, Codec::Av1 | Codec::Vp9) {
            return Err(format!(
                "{}: .webm holds AV1 and VP9 only: use --codec av1 or vp9, or another ending",
                path.display()
            ));
        }
        if container == Container::Mp4 && codec == Codec::Prores {
            return Err(format!("{}: ProRes belongs into a .mov: end the name so", path.display()));
        }
        Ok(match (container, codec, ffmpeg) {
            (Container::Mp4, Codec::H264, false) => Format::Mp4,
            _ => Format::Ffmpeg(container, codec),
        })
    }

    /// What holds the movie, if that can hold sound too.
    pub(crate) fn container(self) -> Option<Container> {
        match self {
            Format::Mp4 => Some(Container::Mp4),
            Format::Ffmpeg(container, _) => Some(container),
            Format::Gif | Format::Apng => None,
        }
    }

    /// Begins a movie in `out`, an empty file beside the place it will have.
    ///
    /// # Errors
    /// A size, rate or length the format has not, or no ffmpeg where one is needed.
    pub(crate) fn begin(
        self,
        spec: MovieSpec,
        out: NamedTempFile,
    ) -> Result<Box<dyn FrameSink>, MovieError> {
        Ok(match self {
            Format::Mp4 => Box::new(mp4::Mp4::new(spec, out)?),
            Format::Gif => Box::new(gif::Gif::new(spec, out)?),
            Format::Apng => Box::new(apng::Apng::new(&spec, out)?),
            Format::Ffmpeg(container, codec) => {
                Box::new(ffmpeg::Ffmpeg::new(spec, container, codec, out)?)
            }
        })
    }
}

/// A file that another program has written under `file`'s name.
fn reopened(file: NamedTempFile) -> Result<NamedTempFile, MovieError> {
    let path = file.into_temp_path();
    let file = std::fs::File::open(&path)?;
    Ok(NamedTempFile::from_parts(file, path))
}
