//! A video's frames as tensors, decoded by ffmpeg while others are dreamt on.

use std::io::Read;
use std::process::{ChildStdout, Stdio};

use dream::Tensor;
use graph::Shape;

use super::source::Source;
use crate::exit::{Failure, Fault};
use crate::ffmpeg::{self, Program, Running};

/// Frames coming out of ffmpeg, upright, with square pixels, as sRGB.
pub(crate) struct Decoder {
    name: String,
    running: Running,
    output: Option<ChildStdout>,
    shape: Shape,
    next: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Decoder {
    /// Begins with frame `first` of the whole video, and ends before frame `end`; `size` is columns and
    /// rows.
    ///
    /// # Errors
    /// ffmpeg cannot be started.
    pub(crate) fn start(
        source: &Source,
        (width, height): (u32, u32),
        first: u64,
        end: u64,
    ) -> Result<Self, Failure> {
        let name = source.path.display().to_string();
        let mut command = Program::Ffmpeg.command();
        ffmpeg::input(&mut command, &source.path);
        command.args(["-map", &format!("0:{}", source.stream), "-fps_mode", "passthrough"]);
        let (matrix, range) = (source.matrix, if source.full_range { "pc" } else { "tv" });
        let filter = format!(
            "trim=start_frame={first}:end_frame={end},\
             scale={width}:{height}:in_color_matrix={matrix}:in_range={range}:out_range=pc:\
             flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24"
        );
        command.args(["-vf", &filter, "-f", "rawvideo", "pipe:1"]);
        let mut running = Running::start(Program::Ffmpeg, command.stdout(Stdio::piped()))
            .map_err(|error| Failure::new(Fault::Picture, format!("{name}: {error}")))?;
        let output = running.output();
        let shape = Shape::new(3, height as usize, width as usize);
        let bytes = vec![0; 3 * shape.plane()];
        Ok(Self { name, running, output, shape, next: first, end, bytes })
    }

    /// The next frame with its place in the whole video: 3 × height × width, 0–255. `None` after the
    /// last.
    ///
    /// # Errors
    /// ffmpeg ended before its time.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Tensor)>, Failure> {
        if self.next == self.end {
            return Ok(None);
        }
        let read = match &mut self.output {
            Some(output) => output.read_exact(&mut self.bytes),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        if let Err(error) = read {
            let why = self.running.end().unwrap_or_else(|error| error.to_string());
            let why = if why.trim().is_empty() { error.to_string() } else { why };
            let what = format!("{}: frame {} cannot be decoded: {why}", self.name, self.next);
            return Err(Failure::new(Fault::Picture, what));
        }
        let plane = self.shape.plane();
        let mut frame = Tensor::zeros(self.shape);
        for (pixel, rgb) in self.bytes.as_chunks::<3>().0.iter().enumerate() {
            for (channel, value) in rgb.iter().enumerate() {
                frame.data[channel * plane + pixel] = f32::from(*value);
            }
        }
        self.next += 1;
        Ok(Some((self.next - 1, frame)))
    }
}
