//! The share of a video or a gallery that one of several machines makes.

use std::fmt;
use std::str::FromStr;

/// One of several parts of the work, equally large, that machines share among them: written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

impl Shard {
    /// The frames of this part, of `frames` in all.
    pub(crate) fn range(self, frames: u64) -> std::ops::Range<u64> {
        let at = |part: u64| (u128::from(frames) * u128::from(part) / u128::from(self.of)) as u64;
        at(self.number - 1)..at(self.number)
    }

    /// Whether one of several pictures, from 0, is of this part, where the parts take turns.
    pub(crate) fn has(self, picture: usize) -> bool {
        picture as u64 % self.of == self.number - 1
    }

    /// A name for files.
    pub(crate) fn tag(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().ok();
        match text.split_once('/').and_then(|(part, of)| Some((number(part)?, number(of)?))) {
            Some((number, of @ 1..=1_000_000)) if (1..=of).contains(&number) => {
                Ok(Self { number, of })
            }
            _ => Err(format!("`{text}` is not a shard. Write 1/4, 2/4, 3/4 and 4/4, for example")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        for (frames, of) in [(10, 3), (2, 5), (0, 1), (100_000, 7)] {
            let mut next = 0;
            for number in 1..=of {
                let range = format!("{number}/{of}").parse::<Shard>().unwrap().range(frames);
                assert_eq!(range.start, next);
                next = range.end;
            }
            assert_eq!(next, frames);
        }
        let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).into();
        for picture in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.has(picture)).count(), 1);
        }
        for text in ["", "1", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
