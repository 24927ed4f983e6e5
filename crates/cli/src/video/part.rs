//! Which part of a video is wanted: times, and shares of a work that several machines do.

use std::fmt;
use std::str::FromStr;

/// One of several parts of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    number: u64,
    of: u64,
}

impl Part {
    /// The frames of this part, of `frames` in all.
    pub(crate) fn range(self, frames: u64) -> std::ops::Range<u64> {
        let at = |part: u64| (u128::from(frames) * u128::from(part) / u128::from(self.of)) as u64;
        at(self.number - 1)..at(self.number)
    }

    /// A name for files.
    pub(crate) fn tag(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().ok();
        match text.split_once('/').and_then(|(part, of)| Some((number(part)?, number(of)?))) {
            Some((number, of @ 1..=1_000_000)) if (1..=of).contains(&number) => {
                Ok(Self { number, of })
            }
            _ => Err(format!("`{text}` is no part: write 1/4, 2/4, 3/4 and 4/4, for example")),
        }
    }
}

/// Reads a time: seconds, or hours, minutes and seconds as `1:02:03.5`.
///
/// # Errors
/// Text of another kind, and more than a year.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no time: use seconds, or hours as 1:02:03.5");
    let parts: Vec<&str> = text.split(':').collect();
    let (last, before) = parts.split_last().ok_or_else(wrong)?;
    if before.len() > 2 {
        return Err(wrong());
    }
    let mut time = 0.0;
    for part in before {
        time = 60.0 * (time + f64::from(part.parse::<u32>().map_err(|_| wrong())?));
    }
    let last: f64 = last.parse().map_err(|_| wrong())?;
    if !(0.0..=31_536_000.0).contains(&(time + last)) || (!before.is_empty() && last >= 60.0) {
        return Err(wrong());
    }
    Ok(time + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for (frames, of) in [(10, 3), (2, 5), (0, 1), (100_000, 7)] {
            let mut next = 0;
            for number in 1..=of {
                let range = format!("{number}/{of}").parse::<Part>().unwrap().range(frames);
                assert_eq!(range.start, next);
                next = range.end;
            }
            assert_eq!(next, frames);
        }
        for text in ["", "1", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, time) in [("0", 0.0), ("12.5", 12.5), ("1:30", 90.0), ("01:02:03.25", 3723.25)] {
            assert_eq!(seconds(text), Ok(time), "{text}");
        }
        for text in ["", "x", "-1", "1:2:3:4", "1:60", ":5", "nan", "inf", "1e99"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
