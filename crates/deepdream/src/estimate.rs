//! How long work still takes, from how long it has taken. Work is counted in units that cost about the
//! same each, for a dream pixels × steps.

use std::time::Duration;

/// Foresees when work is done.
///
/// What was done when it is asked first does not count: the first unit of all pays for what is set up.
/// After that the speed is that of the newer half of the work at least, since the units are not quite
/// alike: steps on small octaves cost more by the pixel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimate {
    /// Where the work stood, and when, as it came to be twice what it had been at the mark before.
    marks: Option<[(u64, Duration); 2]>,
}

impl Estimate {
    /// The time left once `done` of `total` units are done `elapsed` after the beginning; `None` where
    /// nothing is known yet. `done` never falls from call to call.
    pub(crate) fn left(&mut self, done: u64, total: u64, elapsed: Duration) -> Option<Duration> {
        if done >= total {
            return Some(Duration::ZERO);
        }
        let marks = self.marks.get_or_insert([(done, elapsed); 2]);
        if done > marks[1].0 && done >= 2 * marks[1].0 {
            *marks = [marks[1], (done, elapsed)];
        }
        let (from, since) = marks[0];
        let (units, took) = (done.checked_sub(from).filter(|&units| units > 0)?, elapsed - since);
        let left = took.as_secs_f64() * (total - done) as f64 / units as f64;
        Duration::try_from_secs_f64(left).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs work whose unit number `n` of `total` takes `cost(n)` seconds; returns how many times as long
    /// as foreseen the rest took, at its worst once `from` of it is done.
    fn worst(total: u64, from: f64, cost: impl Fn(u64) -> f64) -> f64 {
        let whole: f64 = (0..total).map(&cost).sum();
        let (mut estimate, mut elapsed, mut worst) = (Estimate::default(), 0.0, 1.0f64);
        for done in 1..=total {
            elapsed += cost(done - 1);
            let left = estimate.left(done, total, Duration::from_secs_f64(elapsed));
            let Some(left) = left else { continue };
            let share = done as f64 / total as f64;
            if (from..0.99).contains(&share) {
                let ratio = (whole - elapsed) / left.as_secs_f64();
                worst = worst.max(ratio.max(1.0 / ratio));
            }
        }
        worst
    }

    #[test]
    fn even_work_is_foreseen_at_once() {
        assert!(worst(1000, 0.0, |unit| if unit == 0 { 50.0 } else { 0.3 }) < 1.01);
    }

    #[test]
    fn uneven_work_is_foreseen_within_a_factor_of_two() {
        // A slow first unit, and a first quarter that costs more than half as much again.
        let cost = |unit| {
            if unit == 0 {
                5.0
            } else if unit < 250 {
                1.7
            } else {
                1.0
            }
        };
        assert!(worst(1000, 0.02, cost) < 2.0);
        assert!(worst(1000, 0.6, cost) < 1.1);
    }

    #[test]
    fn nothing_is_foreseen_from_nothing() {
        let mut estimate = Estimate::default();
        let seconds = Duration::from_secs;
        assert_eq!(estimate.left(0, 10, seconds(1)), None);
        assert_eq!(estimate.left(0, 10, seconds(2)), None);
        assert_eq!(estimate.left(2, 10, seconds(3)), Some(seconds(8)));
        assert_eq!(estimate.left(10, 10, seconds(9)), Some(Duration::ZERO));
    }
}
