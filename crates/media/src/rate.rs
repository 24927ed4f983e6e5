//! Frame rates as fractions, so that hours of video stay in time.

use std::fmt;
use std::str::FromStr;

/// Frames in a second: `numerator / denominator`, in lowest terms, above 0 and at most 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// A rate, or `None` outside the range.
    pub fn new(numerator: u64, denominator: u64) -> Option<Self> {
        let divisor = gcd(numerator, denominator);
        if divisor == 0 {
            return None;
        }
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        if denominator == 0 || numerator == 0 || numerator / denominator > 1000 {
            return None;
        }
        Some(Self {
            numerator: numerator.try_into().ok()?,
            denominator: denominator.try_into().ok()?,
        })
    }

    /// The rate nearest to a decimal number; 30 if that is not a rate.
    pub fn nearest(fps: f64) -> Self {
        format!("{fps:.6}").parse().unwrap_or(Self { numerator: 30, denominator: 1 })
    }

    /// The numerator.
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// The denominator.
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frames in a second.
    pub fn per_second(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// When frame `index` starts, in `units` to the second, rounded to the nearest.
    pub fn time(self, index: u64, units: u32) -> u64 {
        let scaled = u128::from(index) * u128::from(self.denominator) * u128::from(units);
        let numerator = u128::from(self.numerator);
        u64::try_from((scaled + numerator / 2) / numerator).unwrap_or(u64::MAX)
    }

    /// A frame's duration in seconds as a fraction of 16-bit numbers; to the microsecond where the
    /// exact one does not fit.
    pub fn delay(self) -> (u16, u16) {
        match (u16::try_from(self.denominator), u16::try_from(self.numerator)) {
            (Ok(duration), Ok(second)) => (duration, second),
            _ => {
                let second = if self.per_second() >= 1.0 { 60_000.0 } else { 1.0 };
                let duration = (second / self.per_second()).round().clamp(1.0, 65_535.0);
                (duration as u16, second as u16)
            }
        }
    }
}

impl FromStr for FrameRate {
    type Err = String;

    /// `25`, `12.5`, `30000/1001`; the usual decimals of television rates (`29.97`, `23.976`, …)
    /// mean the exact fractions.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a frame rate: use a number above 0 and up to 1000, such as 25, 29.97 or 30000/1001"
            )
        };
        let parsed = if let Some((numerator, denominator)) = text.split_once('/') {
            let number = |text: &str| text.trim().parse().map_err(|_| wrong());
            Self::new(number(numerator)?, number(denominator)?)
        } else {
            let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
            if digits.len() > 6 || text.starts_with('+') {
                return Err(wrong());
            }
            let unit = 10u64.pow(digits.len() as u32);
            let value: u64 = format!("{whole}{digits}").parse().map_err(|_| wrong())?;
            let exact = Self::new(value, unit);
            exact.map(|exact| exact.television(unit).unwrap_or(exact))
        };
        parsed.ok_or_else(wrong)
    }
}

impl FrameRate {
    /// The fraction n·1000/1001 that this rate is a decimal of, to the precision of 1/`unit`.
    fn television(self, unit: u64) -> Option<Self> {
        if unit < 100 {
            return None;
        }
        [24u64, 30, 48, 60, 120, 240].into_iter().find_map(|whole| {
            let exact = whole as f64 * 1000.0 / 1001.0;
            let near = (self.per_second() - exact).abs() * unit as f64 <= 0.5 + 1e-6;
            if near { Self::new(whole * 1000, 1001) } else { None }
        })
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_exactly() {
        let cases = [
            ("25", (25, 1)),
            ("12.5", (25, 2)),
            ("29.97", (30000, 1001)),
            ("23.976", (24000, 1001)),
            ("23.98", (24000, 1001)),
            ("59.94", (60000, 1001)),
            ("30000/1001", (30000, 1001)),
            ("60/2", (30, 1)),
            ("0.5", (1, 2)),
            ("29.5", (59, 2)),
            ("30.00", (30, 1)),
        ];
        for (text, (numerator, denominator)) in cases {
            let rate: FrameRate = text.parse().unwrap();
            assert_eq!((rate.numerator(), rate.denominator()), (numerator, denominator), "{text}");
        }
        for text in
            ["", "0", "-1", "1001", "x", "1/0", "0/1", "1e3", "+5", "1.2.3", "99999999999/1"]
        {
            assert!(text.parse::<FrameRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_do_not_drift() {
        let rate: FrameRate = "29.97".parse().unwrap();
        assert_eq!(rate.time(30_000 * 3600, 1000), 1001 * 3600 * 1000);
        assert_eq!(FrameRate::nearest(rate.per_second()), rate);
        assert_eq!(rate.delay(), (1001, 30000));
        assert_eq!(FrameRate::new(1_000_003, 100_000).unwrap().delay(), (6000, 60000));
    }
}
