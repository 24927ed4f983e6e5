//! How much a dreamt video flickers, and how much its light has changed, measured frame by frame.
//!
//! Flicker is the warping error: what differs between a frame and the one before it once the motion is
//! taken out, where the motion can be believed. The motion is the source's, so that it does not
//! depend on the dream (W.-S. Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018).

use graph::Tensor;
use kernels::Threads;

use crate::flow::{Dis, Plane, Preset, agreement, is_cut, warp};
use crate::image::rows;
use crate::parallel;

/// Measures a video; remembers no more of it than its last frame.
#[derive(Default)]
pub struct FlickerMeter {
    last: Option<Last>,
}

struct Last {
    luma: Plane,
    source: Tensor,
    dream: Tensor,
}

/// What was measured on one frame. All are in values of 0–255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameMeasurement {
    /// Root mean square of what the dream adds to its frame.
    pub strength: f64,
    /// Mean of what the dream adds to its frame: above 0, the dream is brighter.
    pub brightness: f64,
    /// What differs from the frame before; `None` for the first frame of a shot.
    pub warping_error: Option<WarpingError>,
}

/// How far a frame is from the one before it, moved to where its parts are now: the mean magnitude of
/// the difference where flow there and back agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarpingError {
    /// From dream to dream.
    pub dream: f64,
    /// From source to source: what is left by the flow's own errors, noise and changing light.
    pub source: f64,
    /// The share of the pixels that this was measured on.
    pub share: f64,
}

impl FlickerMeter {
    /// Measures the next frame: the source, and the dream on it.
    ///
    /// # Panics
    /// If they or the last ones have other sizes.
    pub fn frame(&mut self, threads: &Threads, source: Tensor, dream: Tensor) -> FrameMeasurement {
        assert_eq!(source.shape, dream.shape, "a dream of another size");
        let luma = threads.install(|| Plane::luma(&source));
        let warping_error = self
            .last
            .as_ref()
            .and_then(|last| last.warping_error(threads, &luma, [&source, &dream]));
        let count = source.data.len().max(1) as f64;
        let added: Vec<f32> = dream.data.iter().zip(&source.data).map(|(a, b)| a - b).collect();
        let [sum, squares] = rows::sums(threads, &added, &mut Vec::new(), |value| {
            let value = f64::from(value);
            [value, value * value]
        });
        self.last = Some(Last { luma, source, dream });
        FrameMeasurement {
            strength: (squares / count).sqrt(),
            brightness: sum / count,
            warping_error,
        }
    }
}

impl Last {
    /// How the next frame, whose source has `luma`, differs from this one, or nothing after a cut.
    fn warping_error(
        &self,
        threads: &Threads,
        luma: &Plane,
        [source, dream]: [&Tensor; 2],
    ) -> Option<WarpingError> {
        let dis = Dis::new(Preset::Fine);
        let there = dis.flow(threads, luma, &self.luma);
        let back = dis.flow(threads, &self.luma, luma);
        let agreed = agreement(threads, &there, &back);
        if is_cut(luma, &self.luma, &there, &agreed) {
            return None;
        }
        let pixels: f64 = agreed.data.iter().map(|&value| f64::from(value)).sum();
        let apart = |now: &Tensor, before: &Tensor| {
            let moved = warp(threads, before, &there);
            let of_row = |index: usize| -> f64 {
                let (c, y) = (index / luma.height, index % luma.height);
                let values = rows::row(now, c, y).iter().zip(rows::row(&moved, c, y));
                let values = values.zip(agreed.row(y));
                values.map(|((now, moved), agreed)| f64::from(agreed * (now - moved).abs())).sum()
            };
            let rows = now.shape.channels * luma.height;
            let sums = threads.install(|| parallel::map(rows, of_row));
            sums.iter().sum::<f64>() / (now.shape.channels as f64 * pixels).max(1.0)
        };
        Some(WarpingError {
            dream: apart(dream, &self.dream),
            source: apart(source, &self.source),
            share: pixels / luma.data.len().max(1) as f64,
        })
    }
}
