//! What a video file is, as ffprobe says.

use std::path::{Path, PathBuf};

use graph::Size;

use super::VideoError;
use crate::ffmpeg::{self, FfmpegError, ProbeOutput, ProbeStream};
use crate::{FileClass, FileKind, FrameRate, ImageFormat, check_regular};

/// The most pixels of a frame; 8K has half as many.
const MOST_PIXELS: u64 = 1 << 26;

/// What ffprobe calls pictures that may move.
const MOVING_PICTURES: [&str; 3] = ["gif", "apng", "webp"];

/// Lines above which an unmarked picture is taken for high definition, with its colour matrix.
const STANDARD_LINES: u32 = 576;

/// A video file: described by ffprobe, not decoded.
#[derive(Debug)]
pub struct VideoSource {
    /// The file.
    pub path: PathBuf,
    /// The number of the video stream in the file.
    pub(super) stream: u32,
    /// Seconds to a tick of its clock: numerator and denominator.
    pub(super) time_base: (u32, u32),
    /// When the file begins by that clock, in microseconds: the start of its earliest stream.
    pub(super) origin: i64,
    /// The frame rates it claims, the most reliable first.
    pub(super) rates: Vec<FrameRate>,
    /// How many frames it claims to have.
    pub(super) frames: Option<u64>,
    /// When the first frame begins, and how long all are shown, in ticks, as it claims.
    pub(super) span: Option<(i64, i64)>,
    /// How many seconds the container says that the pictures take, where there is nothing else in it.
    pub(super) length: Option<f64>,
    /// How brightness and colour differences become RGB, as ffmpeg's scaler calls it.
    pub(super) matrix: &'static str,
    /// Whether values go from 0 to 255.
    pub(super) full_range: bool,
    /// Whether the pictures change their size or form on the way, as a
    /// [`FrameIndex`](super::FrameIndex) tells.
    pub changes: bool,
    /// Whether there is sound.
    pub sound: bool,
    /// What will not look as it should, in sentences without a full stop.
    pub notes: Vec<String>,
}

impl VideoSource {
    /// Asks ffprobe about a file.
    ///
    /// # Errors
    /// No such file, not a video, one whose frames are too large; or ffmpeg is missing or too old.
    pub fn open(path: &Path) -> Result<Self, VideoError> {
        let name = path.display().to_string();
        match check_regular(path).and_then(|()| path.metadata()) {
            Err(source) => return Err(VideoError::Read { name, source }),
            Ok(file) if file.is_dir() => return Err(VideoError::Folder { name }),
            Ok(file) if file.len() == 0 => return Err(VideoError::Empty { name }),
            Ok(_) => {}
        }
        let kind = FileKind::of_file(path).ok().flatten();
        if let Some(kind) = kind.filter(|kind| never_moves(kind.class())) {
            return Err(VideoError::NotSupported { name, kind });
        }
        let missing = |error| VideoError::Ffmpeg { name: name.clone(), error };
        ffmpeg::check().map_err(missing)?;
        let probe = ProbeOutput::of(path).map_err(|error| match error {
            FfmpegError::Failed { stderr, .. } => {
                let problem = stderr.lines().last().unwrap_or_default();
                let problem = problem.trim_start_matches(&format!("file:{name}: ")).trim();
                VideoError::NotVideo { name: name.clone(), problem: problem.to_owned() }
            }
            error => missing(error),
        })?;
        if let Some(kind) = kind.filter(|kind| ImageFormat::of_kind(*kind).is_some())
            && !MOVING_PICTURES.contains(&probe.format.format_name.as_str())
        {
            return Err(VideoError::Picture { name, kind });
        }
        // Text is a film of letters to ffmpeg.
        let video = probe.streams.iter().find(|stream| {
            stream.codec_type == "video"
                && stream.disposition.attached_pic == 0
                && probe.format.format_name != "tty"
        });
        let Some(video) = video else {
            return Err(VideoError::NoPictures { name });
        };
        let mut source = Self::of(video, path)?;
        let origin = probe.format.start_time.parse::<f64>().unwrap_or(0.0);
        source.origin = (origin * 1e6).round() as i64;
        source.length = match &probe.streams[..] {
            [_] => probe.format.duration.parse().ok(),
            _ => None,
        };
        source.sound = probe.streams.iter().any(|stream| stream.codec_type == "audio");
        Ok(source)
    }

    fn of(video: &ProbeStream, path: &Path) -> Result<Self, VideoError> {
        let name = path.display().to_string();
        let broken = |problem: String| VideoError::Broken { name: name.clone(), problem };
        let ProbeStream { width, height, .. } = *video;
        if video.codec_name.as_deref().is_none_or(|codec| codec == "unknown") {
            return Err(broken("it is compressed in a way that ffmpeg does not know".to_owned()));
        }
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            let size = Size::new(height as usize, width as usize);
            return Err(VideoError::TooLarge { name, size, most: MOST_PIXELS });
        }
        let time_base = fraction(&video.time_base)
            .filter(|(numerator, denominator)| *numerator > 0 && *denominator > 0)
            .ok_or_else(|| broken(format!("its clock, `{}`, makes no sense", video.time_base)))?;
        let rate = |text: &str| {
            let (numerator, denominator) = fraction(text)?;
            FrameRate::new(numerator.into(), denominator.into())
        };
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        if ["smpte2084", "arib-std-b67"].contains(&video.color_transfer.as_str()) {
            note("its colours are HDR, which is not supported: it will look pale");
        }
        if ["tt", "bb", "tb", "bt"].contains(&video.field_order.as_str()) {
            note(
                "it is interlaced, and its lines will show: make it progressive first (ffmpeg -vf bwdif)",
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
            length: None,
            matrix: matrix(&video.color_space, width, height),
            full_range: video.color_range == "pc" || video.pix_fmt.starts_with("yuvj"),
            changes: false,
            sound: false,
            notes,
        })
    }
}

/// Whether ffmpeg would make nothing of such a file, or no sense: what it takes for text may be a playlist.
fn never_moves(class: FileClass) -> bool {
    use FileClass::{Archive, Document, Layered, Network, Nothing, Program, Raw, Recipe};
    matches!(class, Raw | Layered | Document | Archive | Network | Recipe | Program | Nothing)
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

    fn source(more: &str) -> Result<VideoSource, VideoError> {
        let usual = r#""codec_name": "h264", "time_base": "1/90000", "r_frame_rate": "25/1","#;
        let stream = serde_json::from_str(&format!("{{{usual} {more}}}")).unwrap();
        VideoSource::of(&stream, Path::new("clip.mp4"))
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
        let huge = source(r#""width": 60000, "height": 60000"#).unwrap_err().to_string();
        assert!(huge.contains("60000×60000") && huge.contains("64 megapixels"), "{huge}");
        let still = r#"{"codec_name": "h264", "time_base": "0/0"}"#;
        let text = VideoSource::of(&serde_json::from_str(still).unwrap(), Path::new("a"))
            .unwrap_err()
            .to_string();
        assert!(text.contains("0/0"), "{text}");
        let text =
            VideoSource::of(&ProbeStream::default(), Path::new("a")).unwrap_err().to_string();
        assert!(text.contains("does not know"), "{text}");
    }
}
