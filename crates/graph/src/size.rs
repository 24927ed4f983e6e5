//! The size of an image in pixels, in one form for every crate.

use std::fmt;
use std::str::FromStr;

/// Rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Size {
    /// A size of `height` rows and `width` columns.
    pub fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    /// How many pixels there are; the largest number for more than that.
    pub fn pixels(self) -> u64 {
        (self.height as u64).saturating_mul(self.width as u64)
    }

    /// The size with the same proportions, rounded, whose longer side is `longest` pixels; no side vanishes.
    pub fn with_longest(self, longest: usize) -> Self {
        let scale = longest as f64 / self.longest().max(1) as f64;
        let side = |side: usize| ((side as f64 * scale).round() as usize).max(1);
        Self { height: side(self.height), width: side(self.width) }
    }

    /// The longer side.
    pub fn longest(self) -> usize {
        self.height.max(self.width)
    }
}

/// Columns first, as people write sizes: `640×400`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    /// `640x400` or `640×400`: columns, then rows, both at least 1.
    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.trim().parse().ok().filter(|side| *side > 0);
        text.split_once(['x', 'X', '×'])
            .and_then(|(width, height)| Some(Self::new(side(height)?, side(width)?)))
            .ok_or_else(|| {
                format!("`{text}` is not a size: write it as WIDTHxHEIGHT, such as 640x400")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_proportions() {
        let scaled = |longest| Size::new(60, 80).with_longest(longest);
        assert_eq!(
            [40, 160, 1].map(scaled),
            [Size::new(30, 40), Size::new(120, 160), Size::new(1, 1)]
        );
    }

    #[test]
    fn sizes_are_read_and_written_columns_first() {
        for text in ["640x400", "640X400", "640×400", " 640 x 400 "] {
            assert_eq!(text.parse(), Ok(Size::new(400, 640)), "{text}");
        }
        assert_eq!(Size::new(400, 640).to_string(), "640×400");
        for text in ["", "640", "0x4", "4x0", "-1x2", "axb", "1x2x3"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
