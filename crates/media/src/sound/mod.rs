//! What a sound does over time, as a curve that a movie can go by: how loud it is, or where its beats are.
//!
//! ffmpeg decodes the sound to one channel of 22,050 values a second. Of each fiftieth of a second the loudness
//! is kept, and how much came into its spectrum; from these the curve is made.

mod beats;

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};

use crate::ffmpeg::{self, FfmpegError, Program, Running};
use crate::movie::MovieError;

/// Values of a sound in a second.
const RATE: usize = 22_050;

/// Values of a sound that are looked at together, and how many windows there are in a second.
const WINDOW: usize = 1024;
const WINDOWS: usize = 50;

/// Values from one window to the next.
const HOP: usize = RATE / WINDOWS;

/// The highest frequencies that are looked at: half of those there are, as the highest say little of beats.
const BINS: usize = WINDOW / 4;

/// How loud silence is, as a share of the loudest: −60 dB.
const SILENCE: f32 = 1e-3;

/// What is heard in a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// How loud it is.
    Loudness,
    /// Its beats: each a jump to the top that fades away.
    Beat,
}

/// What is kept of each window.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heights {
    /// The root mean square of its values.
    loudness: Vec<f32>,
    /// How much came into the spectrum.
    onsets: Vec<f32>,
}

/// The curve of the first `seconds` of a file's sound: `rate` values a second, of 0–1.
///
/// # Errors
/// [`MovieError::NoSound`], or ffmpeg is missing or cannot read the file.
pub fn curve(source: &Path, heard: Heard, seconds: f64, rate: u32) -> Result<Vec<f32>, MovieError> {
    let mut command = Program::Ffmpeg.command();
    command.args(["-t", &format!("{seconds:.3}")]);
    ffmpeg::input(&mut command, source);
    command.args(["-map", "0:a:0", "-ac", "1", "-ar", &RATE.to_string()]);
    command.args(["-f", "f32le", "pipe:1"]);
    let mut running = Running::start(Program::Ffmpeg, command.stdout(Stdio::piped()))?;
    let heights = match running.output() {
        Some(output) => Heights::of(output, (seconds * WINDOWS as f64).ceil() as usize),
        None => Ok(Heights::default()),
    };
    running.end().map_err(|error| match error {
        FfmpegError::Failed { ref stderr, .. } if stderr.contains("matches no streams") => {
            MovieError::NoSound { name: source.display().to_string() }
        }
        error => error.into(),
    })?;
    let heights = heights?;
    let all = match heard {
        Heard::Loudness => loudness(&heights.loudness),
        Heard::Beat => beats::pulses(&heights.onsets),
    };
    let count = all.len() * rate as usize / WINDOWS;
    // The highest of those that a value stands for, so that no beat falls between two.
    let value = |at: usize| {
        let windows = at * WINDOWS / rate as usize..((at + 1) * WINDOWS).div_ceil(rate as usize);
        all[windows.start..windows.end.min(all.len())].iter().copied().fold(0.0, f32::max)
    };
    Ok((0..count).map(value).collect())
}

impl Heights {
    /// Of a sound's values as they come, at the most so many windows.
    fn of(mut sound: impl Read, most: usize) -> Result<Self, MovieError> {
        let mut heights = Self::default();
        let mut spectrum = Spectrum::new();
        let mut bytes = vec![0; HOP * size_of::<f32>()];
        let mut window = vec![0.0; WINDOW];
        while heights.loudness.len() < most && read_whole(&mut sound, &mut bytes)? {
            window.copy_within(HOP.., 0);
            let values = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four));
            for (to, value) in window[WINDOW - HOP..].iter_mut().zip(values) {
                *to = if value.is_finite() { value.clamp(-4.0, 4.0) } else { 0.0 };
            }
            let squares = window[WINDOW - HOP..].iter().map(|x| x * x).sum::<f32>();
            heights.loudness.push((squares / HOP as f32).sqrt());
            heights.onsets.push(spectrum.growth(&window));
        }
        // Whoever writes need not be stopped before its time.
        std::io::copy(&mut sound, &mut std::io::sink())?;
        Ok(heights)
    }
}

/// Fills `bytes`, unless the end is before that.
fn read_whole(from: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The spectrum of one window after the other.
struct Spectrum {
    fft: Arc<dyn Fft<f32>>,
    hann: Vec<f32>,
    values: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    before: Vec<f32>,
}

impl Spectrum {
    fn new() -> Self {
        // Not the fastest that this processor has: what follows a sound is the same on all of them.
        let fft = FftPlannerScalar::new().plan_fft_forward(WINDOW);
        let turn = std::f32::consts::TAU / WINDOW as f32;
        let zero = Complex::new(0.0, 0.0);
        Self {
            hann: (0..WINDOW).map(|at| 0.5 - 0.5 * (turn * at as f32).cos()).collect(),
            values: vec![zero; WINDOW],
            scratch: vec![zero; fft.get_inplace_scratch_len()],
            before: vec![0.0; BINS],
            fft,
        }
    }

    /// How much louder, on the logarithmic scale of hearing, frequencies are in `window` than in the one before:
    /// the sum over those that are louder (spectral flux).
    fn growth(&mut self, window: &[f32]) -> f32 {
        for (to, (x, hann)) in self.values.iter_mut().zip(window.iter().zip(&self.hann)) {
            *to = Complex::new(x * hann, 0.0);
        }
        self.fft.process_with_scratch(&mut self.values, &mut self.scratch);
        let mut growth = 0.0;
        for (value, before) in self.values[1..].iter().zip(&mut self.before) {
            let height = value.norm().ln_1p();
            growth += (height - *before).max(0.0);
            *before = height;
        }
        growth
    }
}

/// How loud it sounds (Stevens: the 0.6th power), as a share of all that is no silence but the loudest twentieth;
/// it rises at once and falls within a fifth of a second.
fn loudness(heights: &[f32]) -> Vec<f32> {
    let silence = SILENCE * heights.iter().copied().fold(0.0, f32::max);
    let mut sorted: Vec<f32> = heights.iter().copied().filter(|x| *x > silence).collect();
    sorted.sort_by(f32::total_cmp);
    let loud = sorted.get(sorted.len() * 19 / 20).copied().unwrap_or(0.0);
    let (mut last, falls) = (0.0f32, (-1.0 / (0.2 * WINDOWS as f32)).exp());
    let value = |height: &f32| {
        let now = if loud > 0.0 { (height / loud).min(1.0).powf(0.6) } else { 0.0 };
        last = now.max(last * falls);
        last
    };
    heights.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clicks `every` so many seconds, over a hum.
    fn clicks(every: f64, seconds: f64) -> Vec<u8> {
        let value = |at: usize| {
            let time = at as f64 / RATE as f64;
            let since = time % every;
            let hum = 0.05 * (time * 900.0).sin();
            let click = (since * 9000.0).sin() * (-since * 60.0).exp();
            (hum + 0.5 * click) as f32
        };
        (0..(seconds * RATE as f64) as usize).flat_map(|at| value(at).to_le_bytes()).collect()
    }

    #[test]
    fn beats_are_found_at_any_tempo() {
        for every in [0.4, 0.5, 0.63, 0.8] {
            let heights = Heights::of(&clicks(every, 12.0)[..], usize::MAX).unwrap();
            let pulses = beats::pulses(&heights.onsets);
            let rises = |at: &usize| pulses[*at] == 1.0;
            let found: Vec<f64> =
                (0..pulses.len()).filter(rises).map(|at| at as f64 / WINDOWS as f64).collect();
            let wanted = (12.0 / every) as usize;
            assert!(found.len().abs_diff(wanted) <= 1, "{every}: {found:?}");
            for time in &found {
                let off = (time / every - (time / every).round()).abs() * every;
                assert!(off < 0.05, "{every}: {time}");
            }
        }
    }

    #[test]
    fn a_curve_rises_with_the_sound_and_silence_has_none() {
        let swelling: Vec<u8> = (0..4 * RATE)
            .flat_map(|at| ((at as f32 * 0.2).sin() * at as f32 / (4 * RATE) as f32).to_le_bytes())
            .collect();
        let heights = Heights::of(&swelling[..], usize::MAX).unwrap();
        assert_eq!(heights.loudness.len(), 4 * WINDOWS);
        let curve = loudness(&heights.loudness);
        assert!(curve[20] < 0.4 && curve[100] > curve[50] && curve[195] > 0.95, "{curve:?}");
        assert_eq!(Heights::of(&swelling[..], 7).unwrap().loudness.len(), 7);
        // One short sound is heard, however long the silence around it.
        let rare: Vec<f32> = (0..4000).map(|at| if at == 100 { 0.5 } else { 0.0 }).collect();
        assert_eq!(loudness(&rare)[100], 1.0);
        let silence = Heights::of(&vec![0; 4 * RATE][..], usize::MAX).unwrap();
        assert!(loudness(&silence.loudness).iter().all(|x| *x == 0.0));
        assert!(beats::pulses(&silence.onsets).iter().all(|x| *x == 0.0));
        let noise: Vec<u8> = std::iter::repeat_n(f32::NAN.to_le_bytes(), RATE).flatten().collect();
        let none = Heights::of(&noise[..], usize::MAX).unwrap();
        assert!(none.loudness.iter().chain(&none.onsets).all(|x| *x == 0.0));
        assert!(beats::pulses(&[]).is_empty() && loudness(&[]).is_empty());
    }
}
