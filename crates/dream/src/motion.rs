//! How the frames of a movie move: zoom, turn, shift and tint, all per second, so that the motion
//! does not depend on the frame rate.

use graph::Tensor;
use kernels::Threads;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::sample::sample;

/// What happens from frame to frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Motion {
    /// How much larger everything gets in a second; below 1, smaller. Default: 1.35.
    pub zoom: f64,
    /// Degrees turned in a second, clockwise. Default: 0.
    pub rotate: f64,
    /// Shift of what is seen in a second, to the right and downwards, as shares of the width and the
    /// height. Default: none.
    pub shift: [f64; 2],
    /// What zoom and turn go around, as shares of the width and the height from the upper left.
    /// Default: the middle.
    pub centre: [f64; 2],
    /// Added to red, green and blue in a second, in values of 0–255. Default: none.
    pub tint: [f64; 3],
    /// Seconds in which the motion starts from rest. Default: 0.
    pub ease_in: f64,
    /// Seconds in which the motion comes to rest before the end. Default: 0.
    pub ease_out: f64,
}

impl Default for Motion {
    fn default() -> Self {
        Self {
            zoom: 1.35,
            rotate: 0.0,
            shift: [0.0; 2],
            centre: [0.5; 2],
            tint: [0.0; 3],
            ease_in: 0.0,
            ease_out: 0.0,
        }
    }
}

/// Motions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MotionPreset {
    /// Nothing moves; the picture only goes on dreaming.
    Still,
    /// The zoom of Google's notebook: each frame shows the middle 95 % of the one before.
    Google,
    /// The slow fall of the well-known movies by sentdex: three of 800 columns are trimmed from each
    /// frame, two thirds of them on the right and at the top, and each frame is lit a little.
    Sentdex,
    /// A slow pan with hardly any zoom.
    Drift,
    /// Zoom and turn together.
    Spiral,
}

/// What is wrong with a motion.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("the motion's `{knob}` is {value}, but must be {allowed}")]
pub struct MotionError {
    /// The field.
    pub knob: &'static str,
    /// What it is.
    pub value: f64,
    /// What it may be.
    pub allowed: &'static str,
}

impl Motion {
    /// A named motion, for a movie of `fps` frames in a second: those that programs before this one
    /// defined by the frame are the same from frame to frame at any rate.
    pub fn preset(preset: MotionPreset, fps: f64) -> Self {
        let default = Self::default();
        match preset {
            MotionPreset::Still => Self { zoom: 1.0, ..default },
            MotionPreset::Google => Self { zoom: (1.0 / 0.95f64).powf(fps), ..default },
            MotionPreset::Sentdex => Self {
                zoom: (800.0 / 797.0f64).powf(fps),
                centre: [1.0 / 3.0, 2.0 / 3.0],
                tint: [3.0 * fps; 3],
                ..default
            },
            MotionPreset::Drift => Self { zoom: 1.04, shift: [-0.06, -0.015], ..default },
            MotionPreset::Spiral => Self { zoom: 1.5, rotate: 15.0, ..default },
        }
    }

    /// Whether all values make sense.
    ///
    /// # Errors
    /// The first that does not.
    pub fn validate(&self) -> Result<(), MotionError> {
        let check = |knob, value: f64, range: std::ops::RangeInclusive<f64>, allowed| {
            if range.contains(&value) { Ok(()) } else { Err(MotionError { knob, value, allowed }) }
        };
        check("zoom", self.zoom, 1e-6..=1e6, "between 0.000001 and 1000000")?;
        check("rotate", self.rotate, -36000.0..=36000.0, "between -36000 and 36000 degrees")?;
        for shift in self.shift {
            check("shift", shift, -100.0..=100.0, "between -100 and 100")?;
        }
        for centre in self.centre {
            check("centre", centre, -10.0..=10.0, "between -10 and 10")?;
        }
        for tint in self.tint {
            check("tint", tint, -25500.0..=25500.0, "between -25500 and 25500")?;
        }
        check("ease_in", self.ease_in, 0.0..=86400.0, "between 0 and 86400 seconds")?;
        check("ease_out", self.ease_out, 0.0..=86400.0, "between 0 and 86400 seconds")
    }

    /// How long the motion would have taken at full speed to come as far as it does in `time` seconds
    /// of a movie of `length` seconds (infinite where it has no end). Speed rises and falls as
    /// 3u² − 2u³; a movie too short for both easings has them shortened alike.
    pub fn eased(&self, time: f64, length: f64) -> f64 {
        let covered = |u: f64| u * u * u * (1.0 - 0.5 * u);
        let fit = (length / (self.ease_in + self.ease_out)).min(1.0);
        let (ease_in, ease_out) = (self.ease_in * fit, self.ease_out * fit);
        let time = time.clamp(0.0, length);
        let mut eased = time;
        if time < ease_in {
            eased = ease_in * covered(time / ease_in);
        } else {
            eased -= 0.5 * ease_in;
            let left = length - time;
            if left < ease_out {
                eased += left - 0.5 * ease_out - ease_out * covered(left / ease_out);
            }
        }
        eased
    }

    /// The picture as `seconds` of motion at full speed leave it: one resampling for zoom, turn and
    /// shift, and within 0–255.
    pub fn apply(&self, threads: &Threads, picture: &Tensor, seconds: f64) -> Tensor {
        let size = [picture.shape.width as f64, picture.shape.height as f64];
        let centre = [0, 1].map(|axis| self.centre[axis] * size[axis] - 0.5);
        let shift = [0, 1].map(|axis| self.shift[axis] * size[axis] * seconds);
        let shrink = self.zoom.powf(-seconds);
        let (sin, cos) = (self.rotate * seconds).to_radians().sin_cos();
        let mut moved = sample(threads, picture, |x, y| {
            let dx = x as f64 - centre[0] - shift[0];
            let dy = y as f64 - centre[1] - shift[1];
            [centre[0] + shrink * (cos * dx + sin * dy), centre[1] + shrink * (cos * dy - sin * dx)]
        });
        for (channel, tint) in self.tint.iter().enumerate() {
            let tint = (tint * seconds) as f32;
            for value in moved.channel_mut(channel) {
                *value = (*value + tint).clamp(0.0, 255.0);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    /// A smooth picture whose every pixel differs from its neighbours.
    fn picture(width: usize, height: usize) -> Tensor {
        let mut picture = Tensor::zeros(Shape::new(3, height, width));
        for (index, value) in picture.data.iter_mut().enumerate() {
            let (x, y) = ((index % width) as f32, (index / width % height) as f32);
            let phase = (index / (width * height)) as f32;
            *value = 128.0 + 50.0 * (x / 7.0 + phase).sin() + 50.0 * (y / 9.0).cos();
        }
        picture
    }

    fn apart(a: &Tensor, b: &Tensor, margin: usize) -> f32 {
        let (width, height) = (a.shape.width, a.shape.height);
        let mut most = 0.0f32;
        for y in margin..height - margin {
            for x in margin..width - margin {
                let at = y * width + x;
                most = most.max((a.data[at] - b.data[at]).abs());
            }
        }
        most
    }

    #[test]
    fn a_second_is_a_second_at_any_frame_rate() {
        let threads = Threads::new(2).unwrap();
        let motion = Motion { zoom: 1.4, rotate: 8.0, centre: [0.4, 0.6], ..Motion::default() };
        let start = picture(96, 80);
        let at_once = motion.apply(&threads, &start, 1.0);
        for frames in [4, 10] {
            let mut frame = start.clone();
            for _ in 0..frames {
                frame = motion.apply(&threads, &frame, 1.0 / f64::from(frames));
            }
            let apart = apart(&frame, &at_once, 20);
            assert!(apart < 2.0, "{frames} frames: {apart}");
        }
    }

    #[test]
    fn googles_zoom_is_a_twentieth_a_frame_at_any_rate() {
        for fps in [12.0, 30.0, 60.0] {
            let motion = Motion::preset(MotionPreset::Google, fps);
            assert!((motion.zoom.powf(1.0 / fps) - 1.0 / 0.95).abs() < 1e-12);
        }
    }

    #[test]
    fn zoom_leaves_the_centre_and_shift_moves_to_the_right() {
        let threads = Threads::new(1).unwrap();
        let start = picture(101, 81);
        let zoomed = Motion { zoom: 2.0, ..Motion::default() }.apply(&threads, &start, 1.0);
        let middle = 40 * 101 + 50;
        assert!((zoomed.data[middle] - start.data[middle]).abs() < 1e-3);
        let shift = Motion { zoom: 1.0, shift: [10.0 / 101.0, 0.0], ..Motion::default() };
        let shifted = shift.apply(&threads, &start, 1.0);
        assert!((shifted.data[middle + 10] - start.data[middle]).abs() < 1e-3);
        let turn = Motion { zoom: 1.0, rotate: 90.0, ..Motion::default() };
        let turned = turn.apply(&threads, &start, 1.0);
        assert!((turned.data[middle + 20 * 101] - start.data[middle + 20]).abs() < 1e-2);
    }

    #[test]
    fn borders_never_turn_black() {
        let threads = Threads::new(1).unwrap();
        let mut white = Tensor::zeros(Shape::new(3, 30, 40));
        white.data.fill(200.0);
        let motion = Motion { zoom: 0.2, rotate: 33.0, shift: [0.7, -0.9], ..Motion::default() };
        let moved = motion.apply(&threads, &white, 1.0);
        assert!(moved.data.iter().all(|value| (value - 200.0).abs() < 1e-3));
    }

    #[test]
    fn easing_starts_and_ends_at_rest_and_loses_half_of_each() {
        let motion = Motion { ease_in: 2.0, ease_out: 1.0, ..Motion::default() };
        assert_eq!(motion.eased(0.0, 10.0), 0.0);
        assert!((motion.eased(2.0, 10.0) - 1.0).abs() < 1e-12);
        assert!((motion.eased(10.0, 10.0) - 8.5).abs() < 1e-12);
        let speed = |time: f64| (motion.eased(time + 1e-4, 10.0) - motion.eased(time, 10.0)) / 1e-4;
        assert!(speed(0.0) < 1e-3 && speed(9.9999) < 1e-3);
        assert!((speed(5.0) - 1.0).abs() < 1e-6);
        assert!((speed(2.0 - 5e-5) - 1.0).abs() < 1e-3 && (speed(9.0) - 1.0).abs() < 1e-3);
        assert!((motion.eased(1.0, f64::INFINITY) - 0.1875).abs() < 1e-12);
        assert!((motion.eased(1.5, 1.5) - 0.75).abs() < 1e-12);
        assert_eq!(Motion::default().eased(3.0, f64::INFINITY), 3.0);
    }

    #[test]
    fn senseless_values_are_refused() {
        assert!(Motion::default().validate().is_ok());
        for broken in [
            Motion { zoom: 0.0, ..Motion::default() },
            Motion { zoom: f64::NAN, ..Motion::default() },
            Motion { ease_out: -1.0, ..Motion::default() },
            Motion { shift: [f64::INFINITY, 0.0], ..Motion::default() },
        ] {
            assert!(broken.validate().is_err(), "{broken:?}");
        }
    }
}
