//! What ffprobe says about a file.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;

use super::process::{FfmpegError, Program, Running, input};

/// The most bytes of ffprobe's output that are read.
const MOST_BYTES: u64 = 16 << 20;

/// The parts of ffprobe's output that are used here.
#[derive(Deserialize)]
pub(crate) struct ProbeOutput {
    #[serde(default)]
    pub(crate) streams: Vec<ProbeStream>,
    #[serde(default)]
    pub(crate) format: ProbeFormat,
}

/// A file's container.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbeFormat {
    pub(crate) format_name: String,
    pub(crate) start_time: String,
    pub(crate) duration: String,
    tags: serde_json::Map<String, serde_json::Value>,
}

/// One of a file's streams.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbeStream {
    pub(crate) index: u32,
    pub(crate) codec_type: String,
    pub(crate) codec_name: Option<String>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pix_fmt: String,
    pub(crate) field_order: String,
    pub(crate) color_range: String,
    pub(crate) color_space: String,
    pub(crate) color_transfer: String,
    pub(crate) r_frame_rate: String,
    pub(crate) avg_frame_rate: String,
    pub(crate) time_base: String,
    pub(crate) start_pts: Option<i64>,
    pub(crate) duration_ts: Option<i64>,
    pub(crate) nb_frames: String,
    pub(crate) disposition: Disposition,
    tags: serde_json::Map<String, serde_json::Value>,
}

/// What a stream is for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Disposition {
    pub(crate) attached_pic: u8,
}

impl ProbeOutput {
    /// Asks ffprobe about a file.
    ///
    /// # Errors
    /// ffprobe is missing or cannot read the file.
    pub(crate) fn of(path: &Path) -> Result<Self, FfmpegError> {
        let mut command = Program::Ffprobe.command();
        command.args(["-of", "json", "-show_streams", "-show_format"]);
        input(&mut command, path);
        let mut running = Running::start(Program::Ffprobe, command.stdout(Stdio::piped()))?;
        let mut text = String::new();
        if let Some(output) = running.output() {
            output.take(MOST_BYTES).read_to_string(&mut text)?;
        }
        running.end()?;
        Ok(serde_json::from_str(&text).map_err(std::io::Error::other)?)
    }

    /// The recipe in the file's tags, if there is one.
    pub(crate) fn recipe(&self) -> Option<String> {
        let tags = self.streams.iter().map(|stream| &stream.tags).chain([&self.format.tags]);
        let mut texts = tags.flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
        let may = |key: &str| ["description", "comment"].contains(&key.to_lowercase().as_str());
        texts.find(|(key, text)| may(key) && text.contains('=')).map(|(_, text)| text.to_owned())
    }
}
