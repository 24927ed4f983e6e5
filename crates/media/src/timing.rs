//! When each frame of a movie is shown: at a constant rate, or at the times a video's frames had.

use std::sync::Arc;

use crate::FrameRate;

/// When frames are shown. Clones share the timestamps.
#[derive(Clone, Debug, PartialEq)]
pub enum Timing {
    /// A constant frame rate.
    Constant(FrameRate),
    /// A variable frame rate: each frame has its own time.
    Variable(Arc<Timestamps>),
}

/// The times at which frames begin, in ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Timestamps {
    scale: u32,
    starts: Vec<u64>,
    end: u64,
}

impl Timestamps {
    /// Frames that begin at `starts`, the first of which is 0; the last ends at `end`. Times are in ticks,
    /// `scale` to the second. `None` unless they rise and each frame takes fewer than 2³² ticks.
    pub fn new(scale: u32, starts: Vec<u64>, end: u64) -> Option<Self> {
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
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// When each frame begins.
    pub fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// When the last frame ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// When frame `index` begins; the end for an index past the last frame.
    pub fn start(&self, index: u64) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.starts.get(index).copied().unwrap_or(self.end)
    }

    /// How many ticks frame `index` is shown.
    pub fn duration(&self, index: u64) -> u32 {
        u32::try_from(self.start(index + 1) - self.start(index)).unwrap_or(u32::MAX)
    }
}

impl Timing {
    /// The average number of frames in a second.
    pub fn rate(&self) -> FrameRate {
        match self {
            Timing::Constant(rate) => *rate,
            Timing::Variable(stamps) => {
                let frames = stamps.starts.len() as u64 * u64::from(stamps.scale);
                FrameRate::new(frames, stamps.end)
                    .unwrap_or_else(|| FrameRate::nearest(frames as f64 / stamps.end as f64))
            }
        }
    }

    /// When frame `index` begins, in `units` to the second, rounded to the nearest.
    pub fn time(&self, index: u64, units: u32) -> u64 {
        match self {
            Timing::Constant(rate) => rate.time(index, units),
            Timing::Variable(stamps) => {
                let scaled = u128::from(stamps.start(index)) * u128::from(units);
                let scale = u128::from(stamps.scale);
                u64::try_from((scaled + scale / 2) / scale).unwrap_or(u64::MAX)
            }
        }
    }

    /// How long frame `index` is shown, in seconds, as a fraction of 16-bit numbers.
    pub fn delay(&self, index: u64) -> (u16, u16) {
        match self {
            Timing::Constant(rate) => rate.delay(),
            Timing::Variable(stamps) => {
                let rate = FrameRate::new(stamps.scale.into(), stamps.duration(index).into());
                rate.map_or((1, 1000), FrameRate::delay)
            }
        }
    }

    /// Seconds that the first `frames` frames take.
    pub fn seconds(&self, frames: u64) -> f64 {
        match self {
            Timing::Constant(rate) => frames as f64 / rate.per_second(),
            Timing::Variable(stamps) => stamps.start(frames) as f64 / f64::from(stamps.scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_that_make_no_sense_are_none() {
        assert!(Timestamps::new(90_000, vec![0, 3000, 7000], 9000).is_some());
        for (scale, starts, end) in [
            (0, vec![0], 1),
            (10, vec![], 1),
            (10, vec![1], 2),
            (10, vec![0, 5, 5], 9),
            (10, vec![0, 5], 5),
            (10, vec![0], 1 << 33),
        ] {
            assert_eq!(Timestamps::new(scale, starts, end), None);
        }
    }

    #[test]
    fn times_are_the_timestamps() {
        let stamps = Timestamps::new(90_000, vec![0, 3000, 9000], 18_000).unwrap();
        let timing = Timing::Variable(Arc::new(stamps));
        assert_eq!([0, 1, 2, 3].map(|index| timing.time(index, 100)), [0, 3, 10, 20]);
        assert_eq!(timing.delay(1), (1, 15));
        assert_eq!(timing.rate(), FrameRate::new(15, 1).unwrap());
        assert_eq!(timing.seconds(3), 0.2);
    }
}
