//! Dense optical flow by dense inverse search (DIS): where each pixel of one picture is in another.
//!
//! From the top of a pyramid down, patches search for themselves (`search`), their answers are
//! spread over the pixels, and a variational refinement (`refine`) makes them agree. The result
//! does not depend on the number of threads. T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast
//! Optical Flow using Dense Inverse Search", ECCV 2016.

mod agreement;
mod field;
mod plane;
mod refine;
mod search;
#[cfg(test)]
mod tests;
mod warp;

use kernels::Threads;

pub use agreement::{agreement, is_cut};
pub use field::FlowField;
pub use plane::Plane;
use search::{Effort, PATCH};
pub use warp::warp;

/// How much work a [`Dis`] does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// From a quarter of the size on.
    Fast,
    /// From half the size on.
    #[default]
    Medium,
    /// Down to the pixels themselves.
    Fine,
}

/// Dense inverse search with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Dis {
    /// The lowest pyramid level worked at: sizes are halved this many times.
    finest: usize,
    effort: Effort,
    /// Rounds of refinement at each level.
    refinements: usize,
}

impl Dis {
    /// A search with a preset's settings.
    pub fn new(preset: Preset) -> Self {
        let (finest, stride, iterations) = match preset {
            Preset::Fast => (2, 4, 16),
            Preset::Medium => (1, 3, 25),
            Preset::Fine => (0, 4, 25),
        };
        Self { finest, effort: Effort { stride, iterations }, refinements: 5 }
    }

    /// Where each pixel of `from` is in `to`. Both are grey planes of values of 0–255 and of the same
    /// size; of pictures without a patch's room in them, no motion is known.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn flow(&self, threads: &Threads, from: &Plane, to: &Plane) -> FlowField {
        assert_eq!((from.width, from.height), (to.width, to.height), "flow between two sizes");
        threads.install(|| self.run(from, to))
    }

    fn run(&self, from: &Plane, to: &Plane) -> FlowField {
        let (width, height) = (from.width, from.height);
        let (shorter, longer) = (width.min(height), width.max(height));
        if shorter < PATCH {
            return FlowField::zeros(width, height);
        }
        let coarsest = coarsest(longer, shorter);
        let finest = self.finest.min(coarsest);
        let unit = 1 << coarsest;
        let padded = |plane: &Plane| {
            plane.padded(0, 0, width.next_multiple_of(unit), height.next_multiple_of(unit))
        };
        let mut pyramid = vec![(padded(from), padded(to))];
        for level in 0..coarsest {
            let (from, to) = &pyramid[level];
            pyramid.push((from.halved(), to.halved()));
        }
        let mut field: Option<FlowField> = None;
        for (from, to) in pyramid[finest..].iter().rev() {
            let start = match &field {
                Some(coarser) => coarser.enlarged(2, from.width, from.height),
                None => FlowField::zeros(from.width, from.height),
            };
            let mut next = search::search(from, to, &start, self.effort);
            refine::refine(from, to, &mut next, self.refinements);
            field = Some(next);
        }
        field.expect("the pyramid has a level").enlarged(1 << finest, width, height)
    }
}

/// The top of the pyramid: patches there reach motions of a fifth of the longer side (θ_s of the
/// paper, section 3), as long as the shorter side holds a patch.
fn coarsest(longer: usize, shorter: usize) -> usize {
    let wanted = (2.0 * longer as f64 / (5.0 * PATCH as f64)).log2().round().max(0.0) as usize;
    let possible = (shorter / PATCH).ilog2() as usize;
    wanted.min(possible)
}
