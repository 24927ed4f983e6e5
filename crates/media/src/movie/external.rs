//! Movies written by the installed ffmpeg: raw frames go to its standard input.

use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use tempfile::NamedTempFile;

use super::{Codec, Container, FrameSink, MovieError, MovieSpec, Quality, ivf};
use crate::ffmpeg::{Program, Running};
use crate::{Timing, scratch_file};

/// A movie that ffmpeg is writing.
pub(super) struct External {
    spec: MovieSpec,
    program: Running,
    input: Option<ChildStdin>,
    out: NamedTempFile,
    /// Holds the recipe for as long as ffmpeg may read it.
    _notes: NamedTempFile,
    written: u64,
}

impl External {
    /// Starts ffmpeg on a movie in `out`.
    ///
    /// # Errors
    /// ffmpeg is missing or lacks the encoder.
    pub(super) fn new(
        spec: MovieSpec,
        container: Container,
        codec: Codec,
        out: NamedTempFile,
    ) -> Result<Self, MovieError> {
        let encoder = choose(codec)?;
        let mut notes = scratch_file(out.path().parent().unwrap_or(Path::new(".")))?;
        notes.write_all(metadata(spec.recipe.as_deref()).as_bytes())?;

        let mut command = Program::Ffmpeg.command();
        let (width, height) =
            (spec.size.width.next_multiple_of(2), spec.size.height.next_multiple_of(2));
        match &spec.timing {
            Timing::Constant(rate) => {
                command.args(["-f", "rawvideo", "-pix_fmt", "rgb24"]);
                command.args(["-video_size", &format!("{width}x{height}")]);
                command.args(["-framerate", &rate.to_string(), "-i", "pipe:0"]);
            }
            Timing::Variable(_) => {
                command.args(["-f", "ivf", "-c:v", "rawvideo", "-i", "pipe:0"]);
            }
        }
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
        let mpeg = matches!(container, Container::Mp4 | Container::Mov);
        if let Timing::Variable(stamps) = &spec.timing {
            let scale = stamps.scale();
            command.args(["-fps_mode", "passthrough", "-enc_time_base", &format!("1/{scale}")]);
            if mpeg {
                let last = stamps.duration(stamps.starts().len() as u64 - 1);
                // No other container says how long a frame is shown.
                let end = format!("setts=pts=PTS:dts=DTS:duration=round({last}/{scale}/TB)");
                command.args(["-video_track_timescale", &scale.to_string(), "-bsf:v", &end]);
            }
        }
        if mpeg {
            command.args(["-movflags", "+faststart"]);
        }
        if mpeg && codec == Codec::H265 {
            command.args(["-tag:v", "hvc1"]);
        }
        // Otherwise Matroska files contain a random number.
        command.args(["-fflags", "+bitexact", "-f", container.name()]).arg(out.path());
        command.stdin(Stdio::piped());
        let mut program = Running::start(Program::Ffmpeg, &mut command)?;
        let mut input = program.input();
        if let (Timing::Variable(stamps), Some(input)) = (&spec.timing, &mut input) {
            let head = ivf::head([width, height], stamps.scale())?;
            // If the pipe breaks here, it breaks again at the first frame.
            let _ = input.write_all(&head);
        }
        Ok(Self { spec, program, input, out, _notes: notes, written: 0 })
    }

    /// Waits for ffmpeg to end.
    fn end(&mut self) -> Result<(), MovieError> {
        drop(self.input.take());
        self.program.end()?;
        Ok(())
    }
}

impl FrameSink for External {
    fn frame(&mut self, rgb: &[u8]) -> Result<(), MovieError> {
        let frame = even(rgb, self.spec.size.width, self.spec.size.height);
        let Some(input) = &mut self.input else {
            return Err(MovieError::Empty);
        };
        let head = match &self.spec.timing {
            Timing::Constant(_) => Vec::new(),
            Timing::Variable(stamps) => ivf::frame(frame.len(), stamps.start(self.written))?,
        };
        if let Err(error) = input.write_all(&head).and_then(|()| input.write_all(&frame)) {
            // The pipe breaks when ffmpeg gives up: its own message says why.
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
        Ok(self.out)
    }
}

/// The frame with its last column and row repeated where its width and height are odd.
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

/// The best encoder for the codec that the installed ffmpeg has.
fn choose(codec: Codec) -> Result<&'static str, MovieError> {
    let listed = Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let listed = match listed {
        Ok(listed) => String::from_utf8_lossy(&listed.stdout).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(MovieError::NoFfmpeg { what: codec.title() });
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

/// The options that give each encoder the quality asked for.
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

/// The program and the recipe that made the movie, in ffmpeg's metadata format.
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
