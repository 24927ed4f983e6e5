//! Movies through the ffmpeg that is installed: raw frames go into its standard input.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use tempfile::NamedTempFile;

use super::{Codec, Container, FrameSink, MovieError, MovieSpec, Quality};

/// The most of ffmpeg's complaints that are kept.
const MOST_SAID: usize = 4096;

/// A movie that ffmpeg is writing.
pub(super) struct Ffmpeg {
    spec: MovieSpec,
    child: Child,
    input: Option<ChildStdin>,
    said: Option<JoinHandle<String>>,
    out: NamedTempFile,
    /// Holds the recipe for as long as ffmpeg may read it.
    _notes: NamedTempFile,
    written: u64,
}

impl Ffmpeg {
    /// Starts ffmpeg on a movie in `out`.
    ///
    /// # Errors
    /// No ffmpeg, or one without the encoder.
    pub(super) fn new(
        spec: MovieSpec,
        container: Container,
        codec: Codec,
        out: NamedTempFile,
    ) -> Result<Self, MovieError> {
        let encoder = choose(codec)?;
        let mut notes = NamedTempFile::new()?;
        notes.write_all(metadata(spec.recipe.as_deref()).as_bytes())?;

        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostats", "-y"]);
        command.args(["-f", "rawvideo", "-pix_fmt", "rgb24"]);
        let (width, height) = (spec.width.next_multiple_of(2), spec.height.next_multiple_of(2));
        command.args(["-video_size", &format!("{width}x{height}")]);
        command.args(["-framerate", &spec.rate.to_string(), "-i", "pipe:0"]);
        command.args(["-f", "ffmetadata", "-i"]).arg(notes.path());
        command.args(["-map", "0:v", "-map_metadata", "1"]);
        let pixels = codec.pixels(spec.quality);
        let filter = format!(
            "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,\
             format={pixels},\
             setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
        );
        command.args(["-vf", &filter]);
        command.args(["-colorspace", "bt709", "-color_primaries", "bt709"]);
        command.args(["-color_trc", "bt709", "-color_range", "tv"]);
        command.args(["-c:v", encoder]).args(settings(encoder, spec.quality));
        if container == Container::Mp4 || container == Container::Mov {
            command.args(["-movflags", "+faststart"]);
            if codec == Codec::H265 {
                command.args(["-tag:v", "hvc1"]);
            }
        }
        command.args(["-f", container.name()]).arg(out.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let said = child.stderr.take().map(|stderr| std::thread::spawn(move || listen(stderr)));
        Ok(Self { spec, child, input, said, out, _notes: notes, written: 0 })
    }

    /// Waits for ffmpeg to end, and says what it said if it failed.
    fn end(&mut self) -> Result<(), MovieError> {
        drop(self.input.take());
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        Err(MovieError::Ffmpeg { status: status.to_string(), said })
    }
}

impl FrameSink for Ffmpeg {
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        let frame = even(rgb, self.spec.width as usize, self.spec.height as usize);
        let Some(input) = &mut self.input else {
            return Err(MovieError::Empty);
        };
        if let Err(error) = input.write_all(&frame) {
            // A pipe that breaks is ffmpeg giving up: its own words say why.
            self.end()?;
            return Err(error.into());
        }
        self.written += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<NamedTempFile, MovieError> {
        if self.written == 0 {
            return Err(MovieError::Empty);
        }
        self.end()?;
        // ffmpeg has put a file of its own under the name.
        let path = std::mem::replace(&mut self.out, NamedTempFile::new()?).into_temp_path();
        let file = std::fs::File::open(&path)?;
        Ok(NamedTempFile::from_parts(file, path))
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        drop(self.input.take());
        if matches!(self.child.try_wait(), Ok(None)) {
            // Not finished: nobody will read what it would still write.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The frame with its last column and row repeated where a size is odd.
fn even(rgb: &[u8], width: usize, height: usize) -> std::borrow::Cow<'_, [u8]> {
    if width.is_multiple_of(2) && height.is_multiple_of(2) {
        return rgb.into();
    }
    let mut frame = Vec::with_capacity((width + 1) * (height + 1) * 3);
    for row in 0..height.next_multiple_of(2) {
        let line = &rgb[row.min(height - 1) * width * 3..][..width * 3];
        frame.extend_from_slice(line);
        if !width.is_multiple_of(2) {
            frame.extend_from_slice(&line[(width - 1) * 3..]);
        }
    }
    frame.into()
}

/// Reads all that ffmpeg says and keeps the end of it.
fn listen(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > MOST_SAID {
            kept.drain(..kept.len() - MOST_SAID);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The first encoder of the codec's that the installed ffmpeg has.
fn choose(codec: Codec) -> Result<&'static str, MovieError> {
    let listed = Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let listed = match listed {
        Ok(listed) => String::from_utf8_lossy(&listed.stdout).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(MovieError::NoFfmpeg { what: codec.title().to_owned() });
        }
        Err(error) => return Err(error.into()),
    };
    let has =
        |name: &&&str| listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    let encoders = codec.encoders();
    encoders
        .iter()
        .find(has)
        .copied()
        .ok_or_else(|| MovieError::NoCodec { codec: codec.title(), wanted: encoders.join(", ") })
}

/// What makes each encoder as good as the quality says.
fn settings(encoder: &str, quality: Quality) -> Vec<&'static str> {
    let pick = |small, good, best| match quality {
        Quality::Small => small,
        Quality::Good => good,
        Quality::Best => best,
    };
    match encoder {
        "libx264" => vec!["-preset", "slow", "-crf", pick("26", "20", "15")],
        "libx265" => {
            vec![
                "-preset",
                "medium",
                "-crf",
                pick("28", "22", "17"),
                "-x265-params",
                "log-level=error",
            ]
        }
        "libsvtav1" => vec!["-preset", "8", "-crf", pick("42", "32", "22")],
        "libaom-av1" => {
            vec!["-cpu-used", "6", "-row-mt", "1", "-b:v", "0", "-crf", pick("38", "28", "18")]
        }
        "librav1e" => vec!["-speed", "8", "-qp", pick("130", "90", "60")],
        "libvpx-vp9" => {
            vec![
                "-deadline",
                "good",
                "-cpu-used",
                "3",
                "-row-mt",
                "1",
                "-b:v",
                "0",
                "-crf",
                pick("40", "30", "20"),
            ]
        }
        "prores_ks" => vec!["-vendor", "apl0", "-profile:v", pick("2", "3", "4")],
        _ => vec!["-q:v", pick("8", "4", "2")],
    }
}

/// What made the movie, in the form ffmpeg reads.
fn metadata(recipe: Option<&str>) -> String {
    let mut text = String::from(";FFMETADATA1\n");
    text.push_str(concat!("encoder=deepdream ", env!("CARGO_PKG_VERSION"), "\n"));
    if let Some(recipe) = recipe {
        let mut escaped = String::new();
        for letter in recipe.chars() {
            if matches!(letter, '=' | ';' | '#' | '\\' | '\n') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        text.push_str(&format!("description={escaped}\ncomment={escaped}\n"));
    }
    text
}
