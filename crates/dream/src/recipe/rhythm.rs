//! What a recipe says about a curve, such as a sound's beats, that a zoom goes by.

use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::documented::documented;
use super::validate::range;

/// Values of a curve in a second.
pub const CURVE_RATE: u32 = 25;

/// The highest value of a curve.
const HIGHEST: u8 = 100;

/// As many values as a curve may have: those of half an hour.
const MOST_VALUES: usize = 30 * 60 * CURVE_RATE as usize;

documented! {
    /// A curve that a zoom goes by, such as how loud a sound is. On the mean over the curve, the movie moves and
    /// dreams as much as without it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Rhythm {
        /// How high the curve is, 0–100, 25 times a second from the first frame on. Past its end, nothing
        /// goes by it. Default: empty.
        pub curve: Vec<u8>,
        /// How much the motion goes by it: 0 not at all; 1 so that everything stands still where the curve
        /// is 0. Default: 0.6.
        pub motion: f64,
        /// How much the pace of the dream goes by it: 0 not at all; 1 so that nothing is dreamt where the
        /// curve is 0. Default: 0.6.
        pub pace: f64,
    }
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { curve: Vec::new(), motion: 0.6, pace: 0.6 }
    }
}

impl Rhythm {
    /// Whether it is what a recipe has that says nothing of it.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many times as fast the motion is, `time` seconds after the first frame.
    pub(crate) fn of_motion(&self, time: f64) -> f64 {
        self.factor(time, self.motion)
    }

    /// How many times as much is dreamt, `time` seconds after the first frame.
    pub(crate) fn of_pace(&self, time: f64) -> f64 {
        self.factor(time, self.pace)
    }

    /// `1 + share · (curve / mean − 1)`, the curve being straight between its values.
    fn factor(&self, time: f64, share: f64) -> f64 {
        let at = time * f64::from(CURVE_RATE);
        let value = |index: usize| self.curve.get(index).map(|value| f64::from(*value));
        let (Some(here), Some(next)) = (value(at as usize), value(at as usize + 1)) else {
            return 1.0;
        };
        let sum: f64 = self.curve.iter().map(|value| f64::from(*value)).sum();
        if sum == 0.0 {
            return 1.0;
        }
        let height = here + at.fract() * (next - here);
        1.0 + share * (height * self.curve.len() as f64 / sum - 1.0)
    }

    /// Whether its values make sense by themselves.
    pub(super) fn validate(&self) -> Result<(), RecipeError> {
        range("zoom.rhythm.motion", self.motion, 0.0..=1.0, "0 is none")?;
        range("zoom.rhythm.pace", self.pace, 0.0..=1.0, "0 is none")?;
        for value in &self.curve {
            range("zoom.rhythm.curve", *value, 0..=HIGHEST, "scale all of its values down")?;
        }
        if self.curve.len() > MOST_VALUES {
            return Err(RecipeError::Value {
                setting: "zoom.rhythm.curve".into(),
                value: format!("a curve of {} values", self.curve.len()),
                problem: format!("it may have {MOST_VALUES} at the most, half an hour's"),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_by_a_curve_is_as_much_as_without_it_on_the_mean() {
        let curve: Vec<u8> = (0..=200).map(|at| (at * 37 % 101) as u8).collect();
        let rhythm = Rhythm { curve, motion: 1.0, pace: 0.5 };
        let end = 200.0 / f64::from(CURVE_RATE);
        let times = |n: usize| (0..n).map(move |at| at as f64 * end / n as f64);
        for of in [Rhythm::of_motion, Rhythm::of_pace] {
            let mean = times(20_000).map(|time| of(&rhythm, time)).sum::<f64>() / 20_000.0;
            assert!((mean - 1.0).abs() < 0.01, "{mean}");
            let least = times(200).map(|time| of(&rhythm, time)).fold(f64::MAX, f64::min);
            assert!((0.0..0.6).contains(&least), "{least}");
        }
        assert_eq!(rhythm.of_motion(0.0), 0.0);
        assert_eq!(rhythm.of_pace(0.0), 0.5);
        assert_eq!(rhythm.of_motion(end + 0.1), 1.0);
        assert_eq!(Rhythm::default().of_motion(1.0), 1.0);
        assert_eq!(Rhythm { curve: vec![0; 99], ..rhythm }.of_pace(1.0), 1.0);
    }
}
