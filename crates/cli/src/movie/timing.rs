//! When each frame of a movie is seen: evenly, or at the times a video's frames had.

use std::sync::Arc;

use super::Rate;

/// When frames are seen. Clones share it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Timing {
    /// Each as long as any other.
    Even(Rate),
    /// Each from its own moment on.
    Listed(Arc<Stamps>),
}

/// Moments in ticks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stamps {
    scale: u32,
    starts: Vec<u64>,
    end: u64,
}

impl Stamps {
    /// Frames that begin at `starts`, the first of which is 0, and end at `end`, in ticks of which
    /// there are `scale` to the second. `None` unless times rise and frames stay below 2³² ticks each.
    pub(crate) fn new(scale: u32, starts: Vec<u64>, end: u64) -> Option<Self> {
        let rises = starts.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = |(start, next): (&u64, &u64)| u32::try_from(next - start).is_ok();
        let valid = scale > 0
            && starts.first() == Some(&0)
            && rises
            && starts.last().is_some_and(|last| *last < end)
            && starts.iter().zip(starts[1..].iter().chain([&end])).all(fits);
        valid.then_some(Self { scale, starts, end })
    }

    /// Ticks in a second.
    pub(crate) fn scale(&self) -> u32 {
        self.scale
    }

    /// When each frame begins.
    pub(crate) fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// When the last frame ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// When frame `index` begins; the end for what is past the last.
    pub(crate) fn start(&self, index: u64) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.starts.get(index).copied().unwrap_or(self.end)
    }

    /// How many ticks frame `index` is seen.
    pub(crate) fn duration(&self, index: u64) -> u32 {
        u32::try_from(self.start(index + 1) - self.start(index)).unwrap_or(u32::MAX)
    }
}

impl Timing {
    /// Frames in a second, on the mean.
    pub(crate) fn rate(&self) -> Rate {
        match self {
            Timing::Even(rate) => *rate,
            Timing::Listed(stamps) => {
                let frames = stamps.starts.len() as u64 * u64::from(stamps.scale);
                Rate::new(frames, stamps.end)
                    .unwrap_or_else(|| Rate::nearest(frames as f64 / stamps.end as f64))
            }
        }
    }

    /// When frame `index` begins, in `units` to the second, rounded to the nearest.
    pub(crate) fn time(&self, index: u64, units: u32) -> u64 {
        match self {
            Timing::Even(rate) => rate.time(index, units),
            Timing::Listed(stamps) => {
                let scaled = u128::from(stamps.start(index)) * u128::from(units);
                let scale = u128::from(stamps.scale);
                u64::try_from((scaled + scale / 2) / scale).unwrap_or(u64::MAX)
            }
        }
    }

    /// How long frame `index` is seen, in seconds, as a fraction of 16-bit numbers.
    pub(crate) fn delay(&self, index: u64) -> (u16, u16) {
        match self {
            Timing::Even(rate) => rate.delay(),
            Timing::Listed(stamps) => {
                let rate = Rate::new(stamps.scale.into(), stamps.duration(index).into());
                rate.map_or((1, 1000), Rate::delay)
            }
        }
    }

    /// Seconds that the first `frames` frames take.
    pub(crate) fn seconds(&self, frames: u64) -> f64 {
        match self {
            Timing::Even(rate) => frames as f64 / rate.per_second(),
            Timing::Listed(stamps) => stamps.start(frames) as f64 / f64::from(stamps.scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_that_make_no_sense_are_none() {
        assert!(Stamps::new(90_000, vec![0, 3000, 7000], 9000).is_some());
        for (scale, starts, end) in [
            (0, vec![0], 1),
            (10, vec![], 1),
            (10, vec![1], 2),
            (10, vec![0, 5, 5], 9),
            (10, vec![0, 5], 5),
            (10, vec![0], 1 << 33),
        ] {
            assert_eq!(Stamps::new(scale, starts, end), None);
        }
    }

    #[test]
    fn times_are_the_stamps() {
        let stamps = Stamps::new(90_000, vec![0, 3000, 9000], 18_000).unwrap();
        let timing = Timing::Listed(Arc::new(stamps));
        assert_eq!([0, 1, 2, 3].map(|index| timing.time(index, 100)), [0, 3, 10, 20]);
        assert_eq!(timing.delay(1), (1, 15));
        assert_eq!(timing.rate(), Rate::new(15, 1).unwrap());
        assert_eq!(timing.seconds(3), 0.2);
    }
}
