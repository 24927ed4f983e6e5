//! Every frame of a video that can be decoded, and when it is shown.
//!
//! Headers may say what they like: one pass through the whole video finds out what there is, before a
//! dream that takes hours begins. Decoding costs little beside dreaming.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use graph::Size;

use super::VideoError;
use super::source::VideoSource;
use crate::ffmpeg::{self, FfmpegError, Program, Running};
use crate::{FrameRate, Timestamps, Timing};

/// The most frames of a video: four days of thirty a second.
const MOST_FRAMES: usize = 10_000_000;

/// How many columns are put beside each frame, so that frames of 96 × 64 and of 64 × 96 pixels do not have
/// the same number of bytes.
const BORDER: u32 = 64;

/// No clock is further from a file's beginning.
const MOST_TICKS: i64 = 1 << 62;

/// The frames that decoding a whole video gives.
#[derive(Debug)]
pub struct FrameIndex {
    /// The video, as errors call it.
    name: String,
    /// Its frames' size, upright, with square pixels.
    pub size: Size,
    /// When each frame begins, in ticks from the file's begin.
    starts: Vec<i64>,
    /// When the last one ends.
    end: i64,
    /// Ticks in a second.
    scale: u32,
    /// Frame rates it claims.
    rates: Vec<FrameRate>,
    /// Whether the pictures change their size or form on the way.
    pub changes: bool,
    /// Whether the file's clock restarts or jumps, so that times do not lead to places in the file.
    pub restarts: bool,
    /// What is wrong with the video, in sentences without a full stop.
    pub notes: Vec<String>,
}

/// A part of a video.
#[derive(Debug, PartialEq)]
pub struct Segment {
    /// The first frame's number in the whole video, from 0.
    pub first: u64,
    /// How many frames there are.
    pub frames: u64,
    /// When each is shown, from the first on.
    pub timing: Timing,
    /// When the first frame begins in the file, in seconds.
    pub start: f64,
    /// When the last one ends there.
    pub end: f64,
}

impl FrameIndex {
    /// Decodes all frames that begin before `until` (in seconds). `each` is told how many there are so
    /// far, and cancels the work by returning false.
    ///
    /// # Errors
    /// Not one frame can be decoded, or there is no end to them; ffmpeg is missing; or `each` has
    /// cancelled the work.
    pub fn of(
        source: &VideoSource,
        until: Option<f64>,
        each: &dyn Fn(u64) -> bool,
    ) -> Result<Self, VideoError> {
        let name = || source.path.display().to_string();
        let failed = |error| VideoError::Ffmpeg { name: name(), error };
        let broken = |problem| VideoError::Broken { name: name(), problem };
        let (tick, scale) = source.time_base;
        let mut command = Program::Ffmpeg.command();
        // Without `-copyts`, ffmpeg follows clocks that restart or jump.
        ffmpeg::input(&mut command, &source.path);
        command.args(["-map", &format!("0:{}", source.stream), "-fps_mode", "passthrough"]);
        let border = format!("pad=iw+{BORDER}:ih");
        command.args([
            "-vf",
            &border,
            "-autoscale",
            "0",
            "-enc_time_base",
            &format!("{tick}/{scale}"),
        ]);
        command.args(["-f", "framecrc", "pipe:1"]);
        // In some formats, where a file begins for ffmpeg depends on which of its streams are read.
        command.args(["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-f", "null", "-"]);
        let mut running =
            Running::start(Program::Ffmpeg, command.stdout(Stdio::piped())).map_err(failed)?;

        let mut list =
            List { time_base: source.time_base, origin: source.origin, ..List::default() };
        let (mut whole, mut rows) = (true, 0);
        for line in running.output().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let line = line.map_err(|error| failed(error.into()))?;
            list.line(&line).map_err(broken)?;
            if list.starts.len() > MOST_FRAMES {
                return Err(broken(format!("there are more than {MOST_FRAMES} frames")));
            }
            if list.starts.len() as u64 > rows {
                rows = list.starts.len() as u64;
                if !each(rows) {
                    return Err(VideoError::Cancelled { name: name() });
                }
            }
            if until.is_some_and(|until| list.newest() >= until) {
                whole = false;
                break;
            }
        }
        let stderr = match if whole { running.end() } else { Ok(String::new()) } {
            Ok(stderr) | Err(FfmpegError::Failed { stderr, .. }) => stderr,
            Err(error) => return Err(failed(error)),
        };
        let why = stderr.lines().next().unwrap_or("ffmpeg does not say why").trim().to_owned();
        list.finish(source, whole.then_some(why)).map_err(broken)
    }

    /// The frames that begin from `start` on and before `end`, both in seconds.
    ///
    /// # Errors
    /// [`VideoError::NoFrames`], or times that make no sense.
    pub fn segment(&self, start: Option<f64>, end: Option<f64>) -> Result<Segment, VideoError> {
        let seconds = |ticks: i64| ticks as f64 / f64::from(self.scale);
        let at = |time: f64| self.starts.partition_point(|&start| seconds(start) < time);
        let first = start.map_or(0, at);
        let after = end.map_or(self.starts.len(), at);
        if first >= after {
            let (name, seconds) = (self.name.clone(), seconds(self.end));
            return Err(VideoError::NoFrames { name, seconds });
        }
        let starts = &self.starts[first..after];
        let end = self.starts.get(after).copied().unwrap_or(self.end);
        let ticks: Vec<u64> = starts.iter().map(|start| start.abs_diff(starts[0])).collect();
        let even = self.rates.iter().find(|rate| is_even(&ticks, self.scale, **rate));
        let timing = match even {
            Some(rate) => Timing::Constant(*rate),
            None => Timestamps::new(self.scale, ticks, end.abs_diff(starts[0]))
                .map(|stamps| Timing::Variable(Arc::new(stamps)))
                .ok_or_else(|| VideoError::Broken {
                    name: self.name.clone(),
                    problem: "its frames follow each other at times that make no sense".to_owned(),
                })?,
        };
        Ok(Segment {
            first: first as u64,
            frames: starts.len() as u64,
            timing,
            start: seconds(starts[0]),
            end: seconds(end),
        })
    }
}

/// Whether frames that begin at `ticks` have this rate, but for the clock's rounding.
fn is_even(ticks: &[u64], scale: u32, rate: FrameRate) -> bool {
    let numerator = i128::from(rate.numerator());
    let tick = i128::from(scale) * i128::from(rate.denominator());
    ticks
        .iter()
        .enumerate()
        .all(|(index, &at)| (i128::from(at) * numerator - index as i128 * tick).abs() < numerator)
}

/// What the decoding pass has told so far.
#[derive(Default)]
struct List {
    time_base: (u32, u32),
    origin: i64,
    size: Option<(u32, u32)>,
    aspect: (u32, u32),
    starts: Vec<i64>,
    duration: i64,
    bytes: Option<u64>,
    /// The first frame of another size or form than those before it.
    changed: Option<usize>,
    mended: u64,
}

impl List {
    /// Takes a line in the form of ffmpeg's `framecrc`.
    fn line(&mut self, line: &str) -> Result<(), String> {
        let pair = |text: &str, between: char| {
            let (a, b) = text.trim().split_once(between)?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        if let Some(head) = line.strip_prefix('#') {
            match head.split_once(" 0:") {
                Some(("tb", text)) => {
                    self.time_base = pair(text, '/').ok_or("its clock makes no sense")?;
                }
                Some(("dimensions", text)) => self.size = pair(text, 'x'),
                Some(("sar", text)) => self.aspect = pair(text, '/').unwrap_or_default(),
                _ => {}
            }
            return Ok(());
        }
        let mut fields = line.split(',').map(|field| field.trim().parse::<i64>());
        let (Some(Ok(_)), Some(_), Some(start), Some(duration), Some(Ok(bytes))) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Ok(());
        };
        let bytes = bytes.unsigned_abs();
        if *self.bytes.get_or_insert(bytes) != bytes {
            self.changed.get_or_insert(self.starts.len());
        }
        let tick = i64::from(self.time_base.0);
        // A frame without a time follows the one before.
        let start = start.map_or(i64::MIN, |start| start.saturating_mul(tick));
        let duration = duration.unwrap_or(0);
        // A stream may have stood still or gone back; its frames are in order all the same.
        let least = self.starts.last().map_or(-MOST_TICKS, |last| last.saturating_add(1));
        self.mended += u64::from(start < least);
        self.starts.push(start.max(least));
        self.duration = duration.saturating_mul(tick);
        Ok(())
    }

    /// A time of the video's clock in ticks from the file's begin.
    fn since_begin(&self, time: i64) -> i64 {
        let (numerator, scale) = self.time_base;
        let origin = (self.origin as f64 * f64::from(scale) / 1e6).round() as i64;
        time.saturating_mul(numerator.into()).saturating_sub(origin)
    }

    /// When the newest frame begins, in seconds.
    fn newest(&self) -> f64 {
        let ticks = self.starts.last().copied().unwrap_or(i64::MIN);
        ticks as f64 / f64::from(self.time_base.1)
    }

    /// `why` is ffmpeg's word, where decoding went to the end of the video.
    fn finish(self, source: &VideoSource, why: Option<String>) -> Result<FrameIndex, String> {
        let (whole, complaint) = (why.is_some(), why.clone().unwrap_or_default());
        // ffmpeg puts the decoder's name and address in front.
        let complaint = complaint.split_once("] ").map_or(&*complaint, |(_, rest)| rest);
        let size = self.size.map(|(width, height)| (width.saturating_sub(BORDER), height));
        let (Some((width, height)), Some(&last), true) =
            (size, self.starts.last(), self.time_base.1 > 0)
        else {
            return Err(format!("not one frame can be decoded: {complaint}"));
        };
        if width == 0 || height == 0 {
            return Err("its frames have no pixels".into());
        }
        let mut notes = Vec::new();
        let mut note = |text: String| notes.push(text);
        let count = self.starts.len() as u64;
        match (why, source.frames) {
            (Some(why), Some(promised)) if count < promised => {
                note(format!("{count} of its {promised} frames can be read: {why}"));
            }
            (Some(why), _) if !why.starts_with("ffmpeg does not") => {
                note(format!("it is damaged; {count} frames can be read: {why}"));
            }
            _ => {}
        }
        if let Some(frame) = self.changed {
            note(format!(
                "its pictures change their size or form at frame {frame}: all are scaled to the size of the first"
            ));
        }
        if self.mended > 0 {
            note(format!("{} of its frames had no time of their own", self.mended));
        }
        let before = self.starts.len().checked_sub(2).map(|at| last - self.starts[at]);
        let second = i64::from(self.time_base.1);
        let own = source.span.map(|(start, length)| self.since_begin(start.saturating_add(length)));
        let usual = [before.unwrap_or(0), self.duration, i64::from(self.time_base.1) / 25];
        let usual = usual.into_iter().find(|ticks| *ticks > 0).unwrap_or(1);
        let length = source.length.map(|seconds| (seconds * second as f64).round() as i64);
        // A header that is far off says nothing about the last frame.
        let end = [own, length]
            .into_iter()
            .flatten()
            .find(|end| *end > last && *end - last <= usual.saturating_mul(10));
        Ok(FrameIndex {
            name: source.path.display().to_string(),
            size: square((width, height), self.aspect),
            starts: self.starts,
            end: end.unwrap_or(last.saturating_add(usual)),
            scale: self.time_base.1,
            rates: source.rates.clone(),
            changes: self.changed.is_some(),
            restarts: own
                .is_some_and(|end| whole && end.abs_diff(last) > second.unsigned_abs() / 2),
            notes,
        })
    }
}

/// The size with square pixels that loses nothing.
fn square((width, height): (u32, u32), (wide, high): (u32, u32)) -> Size {
    let stretched = |side: u32, by: u32, of: u32| {
        let side = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of);
        usize::try_from(side.min(u32::MAX.into())).unwrap_or(usize::MAX)
    };
    let size = Size::new(height as usize, width as usize);
    // Stretched more than any real picture is, it is an error in the header.
    if wide == 0 || high == 0 || wide / high >= 8 || high / wide >= 8 || wide == high {
        size
    } else if wide > high {
        Size { width: stretched(width, wide, high), ..size }
    } else {
        Size { height: stretched(height, high, wide), ..size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(lines: &[&str], rates: &[(u64, u64)]) -> Result<FrameIndex, String> {
        index_of(lines, rates, None, None)
    }

    fn index_of(
        lines: &[&str],
        rates: &[(u64, u64)],
        span: Option<(i64, i64)>,
        length: Option<f64>,
    ) -> Result<FrameIndex, String> {
        let mut list = List::default();
        for line in lines {
            list.line(line)?;
        }
        let source = VideoSource {
            path: "clip.mp4".into(),
            stream: 0,
            time_base: (1, 1000),
            origin: 0,
            rates: rates.iter().filter_map(|rate| FrameRate::new(rate.0, rate.1)).collect(),
            frames: Some(4),
            span,
            length,
            matrix: "bt709",
            full_range: false,
            changes: false,
            sound: false,
            notes: Vec::new(),
        };
        list.finish(&source, Some("broken off".into()))
    }

    const HEAD: [&str; 3] = ["#tb 0: 1/1000", "#dimensions 0: 784x576", "#sar 0: 64/45"];

    #[test]
    fn rounded_times_of_an_even_video_are_even() {
        let rows = ["0, 40, 40, 33, 9, 0x1", "0, 73, 73, 33, 9, 0x1", "0, 107, 107, 33, 9, 0x1"];
        let index = index(&[&HEAD[..], &rows].concat(), &[(30, 1)]).unwrap();
        assert_eq!(index.size, Size::new(576, 1024));
        assert!(index.notes[0].contains("3 of its 4 frames can be read: broken off"));
        let segment = index.segment(None, None).unwrap();
        assert_eq!((segment.first, segment.frames, segment.start), (0, 3, 0.04));
        assert_eq!(segment.timing, Timing::Constant(FrameRate::new(30, 1).unwrap()));
        let segment = index.segment(Some(0.05), Some(0.1)).unwrap();
        assert_eq!(
            (segment.first, segment.frames, segment.start, segment.end),
            (1, 1, 0.073, 0.107)
        );
        assert!(index.segment(Some(0.2), None).unwrap_err().to_string().contains("0.14"));
        assert!(index.segment(Some(0.08), Some(0.09)).is_err());
    }

    #[test]
    fn uneven_times_are_kept_and_impossible_ones_mended() {
        let rows = ["0, 0, 0, 40, 9, 0x1", "0, 9, 90, 40, 9, 0x1", "0, 9, 90, 40, 9, 0x1"];
        let index = index(&[&HEAD[..], &rows].concat(), &[(30, 1), (25, 1)]).unwrap();
        let segment = index.segment(None, None).unwrap();
        let stamps = Timestamps::new(1000, vec![0, 90, 91], 92).unwrap();
        assert_eq!(segment.timing, Timing::Variable(Arc::new(stamps)));
        assert!(index.notes[1].contains("1 of its frames had no time"));
    }

    #[test]
    fn the_container_says_when_the_last_frame_ends_where_the_stream_is_wrong() {
        let rows = ["0, 0, 0, 100, 9, 0x1", "0, 500, 500, 100, 9, 0x1"];
        let lines = [&HEAD[..], &rows].concat();
        for (span, length, end) in [
            (None, None, 1000),
            (Some((0, 400)), Some(0.6), 600),
            (Some((0, 700)), Some(0.6), 700),
            (Some((0, 400)), Some(0.3), 1000),
            (None, Some(f64::NAN), 1000),
        ] {
            assert_eq!(
                index_of(&lines, &[], span, length).unwrap().end,
                end,
                "{span:?} {length:?}"
            );
        }
    }

    #[test]
    fn no_frames_are_an_error_and_changes_in_the_middle_noted() {
        assert!(index(&HEAD, &[]).unwrap_err().contains("not one frame"));
        let rows = ["0, 0, 0, 40, 9, 0x1", "0, 40, 40, 40, 12, 0x1", "0, NOPTS, NOPTS, 0, 9, 0x1"];
        let index = index(&[&HEAD[..], &rows].concat(), &[]).unwrap();
        assert!(index.changes && index.notes[1].contains("at frame 1"), "{:?}", index.notes);
        assert_eq!(index.segment(None, None).unwrap().frames, 3);
    }
}
