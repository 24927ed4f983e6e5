//! What a video is, as ffprobe says.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::exit::{Failure, Fault};
use crate::ffmpeg::{self, FfmpegError, Program, Running};
use crate::movie::Rate;

/// The most that is read of what ffprobe says.
const MOST_SAID: u64 = 16 << 20;

/// The most pixels of a frame; 8K has half as many.
const MOST_PIXELS: u64 = 1 << 26;

/// Lines above which an unmarked picture is taken for high definition, with its colour matrix.
const STANDARD_LINES: u32 = 576;

/// A video file, looked at but not decoded.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) path: PathBuf,
    /// The pictures' stream in the file.
    pub(crate) stream: u32,
    /// Seconds to a tick of its clock: numerator and denominator.
    pub(crate) time_base: (u32, u32),
    /// When the file begins by that clock, in microseconds: the earliest of its streams.
    pub(crate) origin: i64,
    /// Rates it says it has, the surest first.
    pub(crate) rates: Vec<Rate>,
    /// How many frames there are, if it says.
    pub(crate) frames: Option<u64>,
    /// Its own word on when, in ticks, the first frame begins and how long all are seen.
    pub(crate) span: Option<(i64, i64)>,
    /// How brightness and colour differences become RGB, in the words of ffmpeg's scaler.
    pub(crate) matrix: &'static str,
    /// Whether values go from 0 to 255.
    pub(crate) full_range: bool,
    /// Whether there is sound.
    pub(crate) sound: bool,
    /// What will not look as it should, for the user to know.
    pub(crate) notes: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    format_name: String,
    start_time: String,
    tags: serde_json::Map<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: Option<String>,
    width: u32,
    height: u32,
    pix_fmt: String,
    field_order: String,
    color_range: String,
    color_space: String,
    color_transfer: String,
    r_frame_rate: String,
    avg_frame_rate: String,
    time_base: String,
    start_pts: Option<i64>,
    duration_ts: Option<i64>,
    nb_frames: String,
    disposition: Disposition,
    tags: serde_json::Map<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disposition {
    attached_pic: u8,
}

/// The recipe that ffprobe finds in a movie, if there is one.
///
/// # Errors
/// ffprobe is not there, or cannot read the file.
pub(crate) fn recipe_of(path: &Path) -> Result<Option<String>, FfmpegError> {
    let said = probe(path)?;
    let tags = said.streams.iter().map(|stream| &stream.tags).chain([&said.format.tags]);
    let mut texts = tags.flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
    let known = |key: &str| ["description", "comment"].contains(&key.to_lowercase().as_str());
    Ok(texts.find(|(key, text)| known(key) && text.contains('=')).map(|(_, text)| text.to_owned()))
}

fn probe(path: &Path) -> Result<Said, FfmpegError> {
    let mut command = Program::Ffprobe.command();
    command.args(["-of", "json", "-show_streams", "-show_format"]);
    ffmpeg::input(&mut command, path);
    let mut running = Running::start(Program::Ffprobe, command.stdout(Stdio::piped()))?;
    let mut text = String::new();
    if let Some(output) = running.output() {
        output.take(MOST_SAID).read_to_string(&mut text)?;
    }
    running.end()?;
    Ok(serde_json::from_str(&text).map_err(std::io::Error::other)?)
}

impl Source {
    /// Asks ffprobe about a file.
    ///
    /// # Errors
    /// No such file, no video, one of a size that is absurd; or no ffmpeg, or too old a one.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let wrong = |what: String| Failure::new(Fault::Picture, format!("{name}: {what}"));
        match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(wrong("there is no such file".into()));
            }
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
            Ok(file) if file.is_dir() => {
                return Err(wrong("this is a folder, not a video".into())
                    .or("`deepdream frames` and `movie` work on folders"));
            }
            Ok(file) if file.len() == 0 => return Err(wrong("the file is empty".into())),
            Ok(_) => {}
        }
        let missing = |error: FfmpegError| wrong(format!("videos are read by ffmpeg: {error}"));
        ffmpeg::check().map_err(missing)?;
        let said = probe(path).map_err(|error| match error {
            FfmpegError::Failed { said, .. } => {
                let why = said.lines().last().unwrap_or_default();
                let why = why.trim_start_matches(&format!("file:{name}: ")).trim();
                wrong(format!("this is no video that ffmpeg can read: {why}"))
            }
            error => missing(error),
        })?;
        if crate::picture::Format::of_file(path).is_ok() && !said.format.is_movie() {
            return Err(wrong("this is a picture, not a video".into())
                .or("`deepdream image` dreams on pictures"));
        }
        // Text is a film of letters to ffmpeg.
        let video = said.streams.iter().find(|stream| {
            stream.codec_type == "video"
                && stream.disposition.attached_pic == 0
                && said.format.format_name != "tty"
        });
        let Some(video) = video else {
            return Err(wrong("there are no moving pictures in this file".into()));
        };
        let mut source = Self::of(video, path).map_err(wrong)?;
        let origin = said.format.start_time.parse::<f64>().unwrap_or(0.0);
        source.origin = (origin * 1e6).round() as i64;
        source.sound = said.streams.iter().any(|stream| stream.codec_type == "audio");
        Ok(source)
    }

    fn of(video: &Stream, path: &Path) -> Result<Self, String> {
        let Stream { width, height, .. } = *video;
        if video.codec_name.as_deref().is_none_or(|codec| codec == "unknown") {
            return Err("it is compressed in a way that ffmpeg does not know".into());
        }
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            let most = MOST_PIXELS >> 20;
            return Err(format!(
                "frames of {width}×{height} are too large: {most} megapixels are the most"
            ));
        }
        let time_base = fraction(&video.time_base)
            .filter(|(numerator, denominator)| *numerator > 0 && *denominator > 0)
            .ok_or_else(|| format!("its clock, `{}`, makes no sense", video.time_base))?;
        let rate = |text: &str| {
            let (numerator, denominator) = fraction(text)?;
            Rate::new(numerator.into(), denominator.into())
        };
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(format!("{}: {text}", path.display()));
        if ["smpte2084", "arib-std-b67"].contains(&video.color_transfer.as_str()) {
            note("its colours are HDR, which dreams are not: it will look pale");
        }
        if ["tt", "bb", "tb", "bt"].contains(&video.field_order.as_str()) {
            note(
                "it is interlaced, and dreams will show its lines: make it progressive first (ffmpeg -vf bwdif)",
            );
        }
        Ok(Self {
            path: path.to_owned(),
            stream: video.index,
            time_base,
            origin: 0,
            rates: [&video.r_frame_rate, &video.avg_frame_rate]
                .into_iter()
                .filter_map(|text| rate(text))
                .collect(),
            frames: video.nb_frames.parse().ok().filter(|&frames| frames > 0),
            span: video.start_pts.zip(video.duration_ts),
            matrix: matrix(&video.color_space, width, height),
            full_range: video.color_range == "pc" || video.pix_fmt.starts_with("yuvj"),
            sound: false,
            notes,
        })
    }
}

impl Format {
    /// Whether what may be a picture moves.
    fn is_movie(&self) -> bool {
        ["gif", "apng", "webp"].contains(&self.format_name.as_str())
    }
}

/// `30000/1001`.
fn fraction(text: &str) -> Option<(u32, u32)> {
    let (numerator, denominator) = text.split_once('/')?;
    Some((numerator.parse().ok()?, denominator.parse().ok()?))
}

/// The scaler's name for a colour matrix; unmarked pictures have the one that is usual for their size.
fn matrix(space: &str, width: u32, height: u32) -> &'static str {
    match space {
        "bt709" => "bt709",
        "bt470bg" | "smpte170m" => "bt601",
        "bt2020nc" | "bt2020c" => "bt2020",
        "fcc" => "fcc",
        "smpte240m" => "smpte240m",
        _ if height.min(width) > STANDARD_LINES || height.max(width) >= 1280 => "bt709",
        _ => "bt601",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(more: &str) -> Result<Source, String> {
        let usual = r#""codec_name": "h264", "time_base": "1/90000", "r_frame_rate": "25/1","#;
        let stream = serde_json::from_str(&format!("{{{usual} {more}}}")).unwrap();
        Source::of(&stream, Path::new("clip.mp4"))
    }

    #[test]
    fn unmarked_colours_are_those_of_their_size() {
        for (more, wanted) in [
            (r#""width": 720, "height": 576"#, "bt601"),
            (r#""width": 576, "height": 720"#, "bt601"),
            (r#""width": 1280, "height": 544"#, "bt709"),
            (r#""width": 1920, "height": 1080, "color_space": "unknown""#, "bt709"),
            (r#""width": 1920, "height": 1080, "color_space": "smpte170m""#, "bt601"),
            (r#""width": 720, "height": 576, "color_space": "bt709""#, "bt709"),
        ] {
            assert_eq!(source(more).unwrap().matrix, wanted, "{more}");
        }
        let full = source(r#""width": 9, "height": 9, "pix_fmt": "yuvj420p""#).unwrap();
        assert!(full.full_range && full.notes.is_empty());
    }

    #[test]
    fn what_will_not_look_right_is_noted_and_what_is_absurd_refused() {
        let hdr = r#""width": 9, "height": 9, "color_transfer": "smpte2084", "field_order": "tt""#;
        assert_eq!(source(hdr).unwrap().notes.len(), 2);
        let huge = source(r#""width": 60000, "height": 60000"#).unwrap_err();
        assert!(huge.contains("60000×60000") && huge.contains("64 megapixels"), "{huge}");
        let still = r#"{"codec_name": "h264", "time_base": "0/0"}"#;
        let said = Source::of(&serde_json::from_str(still).unwrap(), Path::new("a")).unwrap_err();
        assert!(said.contains("0/0"), "{said}");
        let said = Source::of(&Stream::default(), Path::new("a")).unwrap_err();
        assert!(said.contains("does not know"), "{said}");
    }
}
