//! How counts and times are told to people.

use std::time::Duration;

/// `1 frame`, `2 frames`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}

/// How long something took: `3.2 s`, `42 s`, `12 min 3 s`, `2 h 5 min`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 9.95 => format!("{seconds:.1} s"),
        seconds => coarse(seconds),
    }
}

/// How long something will still take, in whole seconds, rounded up.
pub(crate) fn time_left(time: Duration) -> String {
    coarse(time.as_secs_f64().ceil())
}

fn coarse(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "frame"), "1 frame");
        assert_eq!(counted(0, "frame"), "0 frames");
        assert_eq!(counted(12, "picture"), "12 pictures");
    }

    #[test]
    fn times_have_two_units_at_most() {
        for (seconds, text) in [
            (0.04, "0.0 s"),
            (3.21, "3.2 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 0 s"),
            (723.0, "12 min 3 s"),
            (3600.0, "1 h 0 min"),
            (100_000.0, "27 h 46 min"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(time_left(Duration::from_millis(3210)), "4 s");
    }
}
