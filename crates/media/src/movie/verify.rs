//! A second look at what ffmpeg has written. On a full disk, or past the limit on a file's size, some
//! versions of ffmpeg stop writing, print nothing and report success.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::MovieError;
use crate::Timing;
use crate::ffmpeg::{self, FfmpegError, Program, Running};

/// How far, in seconds, containers round times: Matroska counts milliseconds.
const ROUNDING: f64 = 0.01;

/// Checks that the movie that ffmpeg has written to `path` is whole: that all of its `frames` frames are
/// there and, by their first and last times, those of `timing`, and that each sound is as long as the
/// container says.
///
/// # Errors
/// [`MovieError::Cut`] for a movie that is not whole; ffprobe is missing.
pub(super) fn verify(path: &Path, frames: u64, timing: &Timing) -> Result<(), MovieError> {
    let mut command = Program::Ffprobe.command();
    // Otherwise the last packet counts although its end is missing.
    command.args(["-fflags", "+discardcorrupt"]);
    let stated = "stream=index,codec_type,duration:format=duration";
    let packets = "packet=stream_index,codec_type,pts_time,duration_time";
    command.args(["-of", "compact", "-show_entries", &format!("{packets}:{stated}")]);
    ffmpeg::input(&mut command, path);
    let mut running = Running::start(Program::Ffprobe, command.stdout(Stdio::piped()))?;
    let mut found = Found::default();
    for line in running.output().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        found.line(&line?);
    }
    match running.end() {
        Ok(_) => {}
        Err(FfmpegError::Failed { .. }) => return Err(MovieError::Cut { frames, found: 0 }),
        Err(error) => return Err(error.into()),
    }
    match found.is_whole(frames, timing) {
        true => Ok(()),
        false => Err(MovieError::Cut { frames, found: found.frames }),
    }
}

/// What ffprobe finds in a movie.
#[derive(Default)]
struct Found {
    frames: u64,
    /// When the first and the last frame begin, in seconds.
    span: Option<(f64, f64)>,
    /// When each sound ends, by the number of its stream.
    sounds: Vec<(String, f64)>,
    /// Whether each sound so far is as long as the container says.
    sounds_are_whole: Option<bool>,
    /// How long the container says the movie is, in seconds.
    duration: Option<f64>,
}

impl Found {
    /// Takes a line in the form of ffprobe's `compact`. Packets come before streams, the container last.
    fn line(&mut self, line: &str) {
        let mut fields = line.split('|');
        let kind = fields.next().unwrap_or_default();
        let fields: Vec<_> = fields.filter_map(|field| field.split_once('=')).collect();
        let word = |name| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let seconds = |name| word(name).and_then(|text| text.parse::<f64>().ok());
        match (kind, word("codec_type")) {
            ("packet", Some("video")) => {
                self.frames += 1;
                if let Some(time) = seconds("pts_time") {
                    let (first, last) = self.span.unwrap_or((time, time));
                    self.span = Some((first.min(time), last.max(time)));
                }
            }
            ("packet", Some("audio")) => {
                let (Some(stream), Some(start)) = (word("stream_index"), seconds("pts_time"))
                else {
                    return;
                };
                let end = start + seconds("duration_time").unwrap_or(0.0);
                match self.sounds.iter_mut().find(|(index, _)| index == stream) {
                    Some((_, last)) => *last = last.max(end),
                    None => self.sounds.push((stream.to_owned(), end)),
                }
            }
            ("stream", Some("audio")) => {
                let end =
                    self.sounds.iter().find(|(index, _)| Some(index.as_str()) == word("index"));
                let end = end.map_or(0.0, |(_, end)| *end);
                let whole = seconds("duration").is_none_or(|stated| end >= stated - ROUNDING);
                self.sounds_are_whole = Some(whole && self.sounds_are_whole.unwrap_or(true));
            }
            ("format", _) => self.duration = seconds("duration"),
            _ => {}
        }
    }

    fn is_whole(&self, frames: u64, timing: &Timing) -> bool {
        let last = timing.seconds(frames.saturating_sub(1));
        let reaches = |time: f64| time >= last - ROUNDING;
        self.frames >= frames
            && self.span.is_some_and(|(first, last)| reaches(last - first))
            // Written last of all: without it, the rest is missing too.
            && self.duration.is_some_and(reaches)
            && self.sounds_are_whole.unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::FrameRate;

    #[test]
    #[ignore = "needs ffmpeg; see CONTRIBUTING"]
    fn a_movie_without_its_end_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let timing = Timing::Constant(FrameRate::new(12, 1).unwrap());
        for (name, more) in [
            ("a.mp4", &["-movflags", "+faststart"][..]),
            ("a.mov", &["-movflags", "+faststart", "-c:v", "prores_ks", "-c:a", "pcm_s16le"]),
            ("a.mkv", &[]),
            ("a.webm", &["-c:v", "libvpx-vp9", "-c:a", "libopus"]),
        ] {
            let path = folder.path().join(name);
            movie(&path, more);
            let whole = std::fs::read(&path).unwrap();
            let look = |bytes: &[u8], frames| {
                let path = folder.path().join("looked at");
                std::fs::write(&path, bytes).unwrap();
                verify(&path, frames, &timing)
            };
            assert!(look(&whole, 24).is_ok(), "{name}");
            assert!(matches!(look(&whole, 25), Err(MovieError::Cut { found: 24, .. })), "{name}");
            for left in [0, 100, whole.len() / 2] {
                let cut = look(&whole[..left], 24);
                assert!(matches!(cut, Err(MovieError::Cut { .. })), "{name}: {left} bytes");
            }
            let end = whole.len() - 1500;
            let cut = look(&whole[..end], 24);
            assert!(matches!(cut, Err(MovieError::Cut { .. })), "{name} without its last bytes");
        }
    }

    /// Two seconds of pictures and sound.
    fn movie(path: &Path, more: &[&str]) {
        let pictures = "testsrc2=size=96x64:rate=12:duration=2";
        let sound = "sine=duration=2:sample_rate=48000";
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound])
            .args(more)
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success(), "{}", path.display());
    }
}
