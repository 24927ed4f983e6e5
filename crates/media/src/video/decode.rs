//! A video's frames as images, decoded by ffmpeg while the caller works on others.

use std::io::Read;
use std::process::{ChildStdout, Stdio};

use graph::Size;

use super::VideoError;
use super::source::VideoSource;
use crate::Image;
use crate::ffmpeg::{self, Program, Running};

/// Frames coming out of ffmpeg, upright, with square pixels, as sRGB.
pub struct FrameDecoder {
    name: String,
    running: Running,
    output: Option<ChildStdout>,
    size: Size,
    /// How many frames come before the first that is wanted.
    skipped: u64,
    next: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl FrameDecoder {
    /// Begins with frame `first` of the whole video and ends before frame `end`; the frames are scaled
    /// to `size`.
    ///
    /// # Errors
    /// ffmpeg cannot be started.
    pub fn start(
        source: &VideoSource,
        size: Size,
        first: u64,
        end: u64,
    ) -> Result<Self, VideoError> {
        let name = source.path.display().to_string();
        let mut command = Program::Ffmpeg.command();
        ffmpeg::input(&mut command, &source.path);
        command.args(["-map", &format!("0:{}", source.stream), "-fps_mode", "passthrough"]);
        let Size { height, width } = size;
        let (matrix, range) = (source.matrix, if source.full_range { "pc" } else { "tv" });
        // With each change of the pictures' size, ffmpeg begins to count anew.
        let (skipped, trim) = match source.changes {
            true => (first, String::new()),
            false => (0, format!("trim=start_frame={first}:end_frame={end},")),
        };
        let filter = format!(
            "{trim}scale={width}:{height}:in_color_matrix={matrix}:in_range={range}:out_range=pc:\
             flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24"
        );
        command.args(["-vf", &filter, "-f", "rawvideo", "pipe:1"]);
        let mut running = Running::start(Program::Ffmpeg, command.stdout(Stdio::piped()))
            .map_err(|error| VideoError::Ffmpeg { name: name.clone(), error })?;
        let output = running.output();
        let bytes = vec![0; 3 * height * width];
        Ok(Self { name, running, output, size, skipped, next: first, end, bytes })
    }

    /// The next frame, with its number in the whole video. `None` after the last.
    ///
    /// # Errors
    /// ffmpeg ended before its time.
    pub fn next_frame(&mut self) -> Result<Option<(u64, Image)>, VideoError> {
        if self.next == self.end {
            return Ok(None);
        }
        let read = match &mut self.output {
            Some(output) => (0..=std::mem::take(&mut self.skipped))
                .try_for_each(|_| output.read_exact(&mut self.bytes)),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        let failed = |problem| {
            let (name, frame) = (self.name.clone(), self.next);
            VideoError::Decode { name, frame, problem }
        };
        if let Err(error) = read {
            let stderr = self.running.end().unwrap_or_else(|error| error.to_string());
            return Err(failed(match stderr.trim() {
                "" => error.to_string(),
                stderr => stderr.to_owned(),
            }));
        }
        let frame =
            Image::from_rgb8(self.size, &self.bytes).map_err(|error| failed(error.to_string()))?;
        self.next += 1;
        Ok(Some((self.next - 1, frame)))
    }
}
