//! What one frame of a video hands to the next, and how the next one starts from it.

use graph::{Shape, Tensor};
use kernels::{Context, Threads};

use crate::flow::{self, Dis, Plane, agreement, is_cut, warp};
use crate::image::{gaussian, rows};
use crate::{Coherence, Video};

/// How far, as a standard deviation in pixels, trust in the flow fades towards where it fails.
const FADE: f32 = 1.5;

/// What one frame hands to the next. With the recipe and the frames to come, it decides the rest of
/// the video.
#[derive(Clone, Debug, PartialEq)]
pub struct TemporalState {
    /// The frame, in the dream's size.
    pub source: Tensor,
    /// The dream on it.
    pub dream: Tensor,
    /// How many frames of the same shot came before it.
    pub age: u64,
}

/// What a frame's dream starts from.
pub(crate) struct Start {
    /// The frame with what is left of the last dream.
    pub(crate) picture: Tensor,
    /// One channel: how far the flow can be believed at each pixel, 0–1; `None` for everywhere.
    pub(crate) confidence: Option<Tensor>,
    /// How many frames of the same shot came before.
    pub(crate) age: u64,
}

impl TemporalState {
    /// The start of the next frame, whose source is `source`; `None` if that begins another shot.
    pub(crate) fn start(&self, cx: &Context, video: &Video, source: &Tensor) -> Option<Start> {
        let threads = cx.threads();
        let (now, before) = threads.install(|| (Plane::luma(source), Plane::luma(&self.source)));
        let dis = Dis::new(flow::Preset::default());
        let there = dis.flow(threads, &now, &before);
        let back = dis.flow(threads, &before, &now);
        let agreed = agreement(threads, &there, &back);
        if is_cut(&now, &before, &there, &agreed) {
            return None;
        }
        let age = self.age.wrapping_add(1);
        let persistence = match video.coherence {
            Coherence::Flow { persistence } => persistence as f32,
            Coherence::Blend { share } => {
                let picture = self.blended(threads, source, share);
                return Some(Start { picture, confidence: None, age });
            }
            Coherence::Independent => return None,
        };
        let confidence = faded(cx, agreed);
        let mut added = self.dream.clone();
        rows::for_each(threads, &mut added, |c, y, row| {
            for (x, source) in row.iter_mut().zip(rows::row(&self.source, c, y)) {
                *x -= source;
            }
        });
        let mut picture = warp(threads, &added, &there);
        rows::for_each(threads, &mut picture, |c, y, row| {
            let places = rows::row(source, c, y).iter().zip(rows::row(&confidence, 0, y));
            for (x, (source, confidence)) in row.iter_mut().zip(places) {
                *x = source + persistence * confidence * *x;
            }
        });
        Some(Start { picture, confidence: Some(confidence), age })
    }

    /// `source` mixed with the last dream, of which there is `share`.
    fn blended(&self, threads: &Threads, source: &Tensor, share: f64) -> Tensor {
        let mut picture = self.dream.clone();
        rows::for_each(threads, &mut picture, |c, y, row| {
            for (x, source) in row.iter_mut().zip(rows::row(source, c, y)) {
                *x = source + share as f32 * (*x - source);
            }
        });
        picture
    }
}

/// Agreement that fades out before it ends, so that no seam is left, and is nowhere more than before.
fn faded(cx: &Context, agreed: Plane) -> Tensor {
    let shape = Shape::new(1, agreed.height, agreed.width);
    let agreed = Tensor { shape, data: agreed.data.into() };
    let mut faded = Tensor::zeros(shape);
    gaussian::blur(cx, &agreed, FADE, &mut faded);
    rows::for_each(cx.threads(), &mut faded, |_, y, row| {
        for (x, agreed) in row.iter_mut().zip(rows::row(&agreed, 0, y)) {
            *x *= agreed;
        }
    });
    faded
}
