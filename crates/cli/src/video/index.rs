//! Every frame of a video that can be decoded, and when it is seen.
//!
//! Headers may say what they like: one pass through the whole video finds out what there is, before a
//! dream that takes hours begins. Decoding costs little beside dreaming.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use super::source::Source;
use crate::exit::{Failure, Fault};
use crate::ffmpeg::{self, FfmpegError, Program, Running};
use crate::movie::{Rate, Stamps, Timing};

/// The most frames of a video: four days of thirty a second.
const MOST_FRAMES: usize = 10_000_000;

/// What decoding a video gives.
#[derive(Debug)]
pub(crate) struct Index {
    /// Columns and rows of its frames, upright, their pixels square.
    pub(crate) size: (u32, u32),
    /// When each frame begins, in ticks from the file's begin.
    pub(crate) starts: Vec<i64>,
    /// When the last one ends.
    end: i64,
    /// Ticks in a second.
    scale: u32,
    /// Rates it says it has.
    rates: Vec<Rate>,
    /// What is wrong with it, for the user to know.
    pub(crate) notes: Vec<String>,
}

/// A part of a video.
#[derive(Debug, PartialEq)]
pub(crate) struct Cut {
    /// The first frame's place in the whole video.
    pub(crate) first: u64,
    /// How many frames there are.
    pub(crate) frames: u64,
    /// When each is seen, from the first on.
    pub(crate) timing: Timing,
    /// When the first frame begins in the file, in seconds.
    pub(crate) start: f64,
    /// When the last one ends there.
    pub(crate) end: f64,
}

impl Index {
    /// Decodes all frames that begin before `until` (in seconds); `each` is told how many there were
    /// so far, and ends it by saying false.
    ///
    /// # Errors
    /// Not one frame can be decoded, or there is no end to them; or `each` has ended it.
    pub(crate) fn of(
        source: &Source,
        until: Option<f64>,
        each: &dyn Fn(u64) -> bool,
    ) -> Result<Self, Failure> {
        let name = source.path.display();
        let wrong = |what: String| Failure::new(Fault::Picture, format!("{name}: {what}"));
        let (tick, scale) = source.time_base;
        let mut command = Program::Ffmpeg.command();
        command.arg("-copyts");
        ffmpeg::input(&mut command, &source.path);
        command.args(["-map", &format!("0:{}", source.stream), "-fps_mode", "passthrough"]);
        command.args(["-enc_time_base", &format!("{tick}/{scale}"), "-f", "framecrc", "pipe:1"]);
        let mut running = Running::start(Program::Ffmpeg, command.stdout(Stdio::piped()))
            .map_err(|error| wrong(error.to_string()))?;

        let mut list =
            List { time_base: source.time_base, origin: source.origin, ..List::default() };
        let (mut whole, mut rows) = (true, 0);
        for line in running.output().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let line = line.map_err(|error| wrong(error.to_string()))?;
            list.line(&line).map_err(wrong)?;
            if list.starts.len() > MOST_FRAMES {
                return Err(wrong(format!("there are more than {MOST_FRAMES} frames")));
            }
            if list.starts.len() as u64 > rows {
                rows = list.starts.len() as u64;
                if !each(rows) {
                    return Err(Failure::new(Fault::Interrupted, "stopped: nothing was dreamt"));
                }
            }
            if until.is_some_and(|until| list.newest() >= until) {
                whole = false;
                break;
            }
        }
        let said = match if whole { running.end() } else { Ok(String::new()) } {
            Ok(said) | Err(FfmpegError::Failed { said, .. }) => said,
            Err(error) => return Err(wrong(error.to_string())),
        };
        let why = said.lines().next().unwrap_or("ffmpeg does not say why").trim().to_owned();
        list.finish(source, whole.then_some(why)).map_err(wrong)
    }

    /// The frames that begin from `start` on and before `end`, both in seconds.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn cut(&self, start: Option<f64>, end: Option<f64>) -> Result<Cut, String> {
        let seconds = |ticks: i64| ticks as f64 / f64::from(self.scale);
        let at = |time: f64| self.starts.partition_point(|&start| seconds(start) < time);
        let first = start.map_or(0, at);
        let after = end.map_or(self.starts.len(), at);
        if first >= after {
            return Err(format!(
                "there are no frames in this part of it: it lasts {:.3} s",
                seconds(self.end)
            ));
        }
        let starts = &self.starts[first..after];
        let end = self.starts.get(after).copied().unwrap_or(self.end);
        let ticks: Vec<u64> = starts.iter().map(|start| start.abs_diff(starts[0])).collect();
        let even = self.rates.iter().find(|rate| is_even(&ticks, self.scale, **rate));
        let timing = match even {
            Some(rate) => Timing::Even(*rate),
            None => Stamps::new(self.scale, ticks, end.abs_diff(starts[0]))
                .map(|stamps| Timing::Listed(Arc::new(stamps)))
                .ok_or("its frames follow each other at times that make no sense")?,
        };
        Ok(Cut {
            first: first as u64,
            frames: starts.len() as u64,
            timing,
            start: seconds(starts[0]),
            end: seconds(end),
        })
    }
}

/// Whether frames that begin at `ticks` have this rate, but for the clock's rounding.
fn is_even(ticks: &[u64], scale: u32, rate: Rate) -> bool {
    let numerator = i128::from(rate.numerator());
    let tick = i128::from(scale) * i128::from(rate.denominator());
    ticks
        .iter()
        .enumerate()
        .all(|(index, &at)| (i128::from(at) * numerator - index as i128 * tick).abs() < numerator)
}

/// What the decoding pass has said so far.
#[derive(Default)]
struct List {
    time_base: (u32, u32),
    origin: i64,
    size: Option<(u32, u32)>,
    aspect: (u32, u32),
    starts: Vec<i64>,
    duration: i64,
    bytes: Option<u64>,
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
        let (Some(Ok(_)), Some(Ok(_)), Some(Ok(start)), Some(Ok(duration)), Some(Ok(bytes))) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Ok(());
        };
        let bytes = bytes.unsigned_abs();
        if *self.bytes.get_or_insert(bytes) != bytes {
            let frame = self.starts.len();
            return Err(format!(
                "its pictures change their size or form at frame {frame}: convert it to one form first"
            ));
        }
        let start = self.since_begin(start);
        // A stream may have stood still or gone back; its frames are in order all the same.
        let least = self.starts.last().map_or(i64::MIN, |last| last.saturating_add(1));
        self.mended += u64::from(start < least);
        self.starts.push(start.max(least));
        self.duration = duration.saturating_mul(self.time_base.0.into());
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
    fn finish(self, source: &Source, why: Option<String>) -> Result<Index, String> {
        let complaint = why.clone().unwrap_or_default();
        let (Some((width, height)), Some(&last), true) =
            (self.size, self.starts.last(), self.time_base.1 > 0)
        else {
            return Err(format!("not one frame can be decoded: {complaint}"));
        };
        if width == 0 || height == 0 {
            return Err("its frames have no pixels".into());
        }
        let mut notes = Vec::new();
        let mut note = |text: String| notes.push(format!("{}: {text}", source.path.display()));
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
        if self.mended > 0 {
            note(format!("{} of its frames had no time of their own", self.mended));
        }
        let before = self.starts.len().checked_sub(2).map(|at| last - self.starts[at]);
        let own = source.span.map(|(start, length)| self.since_begin(start.saturating_add(length)));
        let usual = [before.unwrap_or(0), self.duration, i64::from(self.time_base.1) / 25];
        let usual = usual.into_iter().find(|ticks| *ticks > 0).unwrap_or(1);
        // A header that is far off says nothing about the last frame.
        let end = own.filter(|end| *end > last && *end - last <= usual.saturating_mul(10));
        Ok(Index {
            size: square((width, height), self.aspect),
            starts: self.starts,
            end: end.unwrap_or(last.saturating_add(usual)),
            scale: self.time_base.1,
            rates: source.rates.clone(),
            notes,
        })
    }
}

/// The size with square pixels that loses nothing.
fn square((width, height): (u32, u32), (wide, high): (u32, u32)) -> (u32, u32) {
    let stretched = |side: u32, by: u32, of: u32| {
        let side = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of);
        u32::try_from(side).unwrap_or(u32::MAX)
    };
    // Stretched more than any real picture is, it is an error in the header.
    if wide == 0 || high == 0 || wide / high >= 8 || high / wide >= 8 || wide == high {
        (width, height)
    } else if wide > high {
        (stretched(width, wide, high), height)
    } else {
        (width, stretched(height, high, wide))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(lines: &[&str], rates: &[(u64, u64)]) -> Result<Index, String> {
        let mut list = List::default();
        for line in lines {
            list.line(line)?;
        }
        let source = Source {
            path: "clip.mp4".into(),
            stream: 0,
            time_base: (1, 1000),
            origin: 0,
            rates: rates.iter().filter_map(|rate| Rate::new(rate.0, rate.1)).collect(),
            frames: Some(4),
            span: None,
            matrix: "bt709",
            full_range: false,
            sound: false,
            notes: Vec::new(),
        };
        list.finish(&source, Some("broken off".into()))
    }

    const HEAD: [&str; 3] = ["#tb 0: 1/1000", "#dimensions 0: 720x576", "#sar 0: 64/45"];

    #[test]
    fn rounded_times_of_an_even_video_are_even() {
        let rows = ["0, 40, 40, 33, 9, 0x1", "0, 73, 73, 33, 9, 0x1", "0, 107, 107, 33, 9, 0x1"];
        let index = index(&[&HEAD[..], &rows].concat(), &[(30, 1)]).unwrap();
        assert_eq!(index.size, (1024, 576));
        assert!(index.notes[0].contains("3 of its 4 frames can be read: broken off"));
        let cut = index.cut(None, None).unwrap();
        assert_eq!((cut.first, cut.frames, cut.start), (0, 3, 0.04));
        assert_eq!(cut.timing, Timing::Even(Rate::new(30, 1).unwrap()));
        let cut = index.cut(Some(0.05), Some(0.1)).unwrap();
        assert_eq!((cut.first, cut.frames, cut.start, cut.end), (1, 1, 0.073, 0.107));
        assert!(index.cut(Some(0.2), None).unwrap_err().contains("0.14"));
        assert!(index.cut(Some(0.08), Some(0.09)).is_err());
    }

    #[test]
    fn uneven_times_are_kept_and_impossible_ones_mended() {
        let rows = ["0, 0, 0, 40, 9, 0x1", "0, 9, 90, 40, 9, 0x1", "0, 9, 90, 40, 9, 0x1"];
        let index = index(&[&HEAD[..], &rows].concat(), &[(30, 1), (25, 1)]).unwrap();
        let cut = index.cut(None, None).unwrap();
        let stamps = Stamps::new(1000, vec![0, 90, 91], 92).unwrap();
        assert_eq!(cut.timing, Timing::Listed(Arc::new(stamps)));
        assert!(index.notes[1].contains("1 of its frames had no time"));
    }

    #[test]
    fn nothing_and_changes_in_the_middle_are_refused() {
        assert!(index(&HEAD, &[]).unwrap_err().contains("not one frame"));
        let rows = ["0, 0, 0, 40, 9, 0x1", "0, 40, 40, 40, 12, 0x1"];
        let said = index(&[&HEAD[..], &rows].concat(), &[]).unwrap_err();
        assert!(said.contains("at frame 1"), "{said}");
    }
}
