//! What a recipe says about a zoom: how its frames move, how strongly they are dreamt on, and
//! keyframes.

use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::{Keyframe, Recipe, Rhythm};

documented! {
    /// How the frames of a zoom follow from each other.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Zoom {
        /// Frames in a second. Default: 30.
        pub fps: f64,
        /// When the motion is to have come to rest again, in seconds, where it has an `ease_out`.
        /// Default: none, which means it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub length: Option<f64>,
        /// How many of the recipe's dreams there are to a second of the movie, spread over its frames,
        /// so that the look does not depend on `fps`: a frame, which goes on from what those before it
        /// have dreamt, takes its share of the recipe's steps, at the most all of them. Default: 2.
        pub pace: f64,
        /// How strongly brightness, contrast and colours are kept at those of the first frame, 0–1.
        /// Default: 1.
        pub levels: f64,
        /// How softly that ends at black and white, 0–127: over so many values before them colours go on
        /// ever less. 0 cuts them off there, of which a long zoom makes more and more. Zooms of figures
        /// begin with 16. Default: 0.
        pub shoulder: f64,
        /// How frames move. Default: a slow zoom.
        pub motion: Motion,
        /// A curve that motion and pace go by. Default: none.
        #[serde(skip_serializing_if = "Rhythm::is_default")]
        pub rhythm: Rhythm,
        /// What changes, and when. Default: nothing.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub keyframes: Vec<Keyframe>,
    }
}

impl Default for Zoom {
    fn default() -> Self {
        Self {
            fps: 30.0,
            length: None,
            pace: 2.0,
            levels: 1.0,
            shoulder: 0.0,
            motion: Motion::default(),
            rhythm: Rhythm::default(),
            keyframes: Vec::new(),
        }
    }
}

impl Zoom {
    /// Seconds of motion at full speed between the frame before `frame` and `frame`.
    pub fn motion_before(&self, frame: u64) -> f64 {
        let length = self.length.unwrap_or(f64::INFINITY);
        let eased = |frame: u64| self.motion.eased(frame as f64 / self.fps, length);
        let time = frame as f64 / self.fps;
        (eased(frame) - eased(frame.saturating_sub(1))) * self.rhythm.of_motion(time)
    }

    /// The steps, on each octave, of the frame `time` seconds after the first, and the length of each: this
    /// frame's share of the steps that `recipe` takes. They are as few as can be without any being longer
    /// than the recipe's.
    pub fn share(&self, recipe: &Recipe, time: f64) -> (u32, f32) {
        recipe.ascent.share((self.pace * self.rhythm.of_pace(time) / self.fps).min(1.0))
    }
}

documented! {
    /// What happens from frame to frame, all of it per second, so that the motion does not depend on
    /// the frame rate.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Motion {
        /// How much larger everything gets in a second; below 1, smaller. Default: 1.35.
        pub zoom: f64,
        /// Degrees turned in a second, clockwise. Default: 0.
        pub rotate: f64,
        /// Shift of what is seen in a second, to the right and downwards, as shares of the width and
        /// the height. Default: [0, 0].
        pub shift: [f64; 2],
        /// What zoom and turn go around, as shares of the width and the height from the upper left.
        /// Default: [0.5, 0.5].
        pub centre: [f64; 2],
        /// Added to red, green and blue in a second, in values of 0–255. Default: [0, 0, 0].
        pub tint: [f64; 3],
        /// Seconds in which the motion starts from rest. Default: 0.
        pub ease_in: f64,
        /// Seconds in which the motion comes to rest before the end. Default: 0.
        pub ease_out: f64,
    }
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
    /// Nothing moves; the dream only grows.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ascent;

    #[test]
    fn a_second_has_as_many_steps_at_any_frame_rate() {
        let ascent = Ascent { iterations: 15, step: 1.2, ..Ascent::default() };
        let recipe = Recipe { ascent, ..Recipe::default() };
        for (fps, wanted) in [(30.0, 2), (12.0, 4), (90.0, 1), (3.0, 15), (45.0, 1)] {
            let zoom = Zoom { fps, pace: 3.0, ..Zoom::default() };
            let (steps, length) = zoom.share(&recipe, 0.0);
            assert_eq!(steps, wanted, "at {fps}");
            let climb = fps * f64::from(steps) * f64::from(length);
            assert!((climb - 3.0 * 15.0 * 1.2).abs() < 1e-4, "at {fps}: {climb}");
        }
        let whole = Zoom { fps: 1.0, pace: 3.0, ..Zoom::default() };
        assert_eq!(whole.share(&recipe, 0.0), (15, 1.2));
        assert_eq!(Zoom { pace: 0.0, ..whole }.share(&recipe, 0.0), (1, 0.0));
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
}
