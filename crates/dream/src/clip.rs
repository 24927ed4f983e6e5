//! A video's frames, each dreamt on so that the dream stays with what it was dreamt on.
//!
//! What the last dream added to its frame is moved along the optical flow between the two frames, less
//! what is lost by `carry` and wherever the flow cannot be believed, and what is missing is dreamt
//! anew (samim23's DeepDreamAnim, with a decay, and occlusions found by flow there and back). A cut
//! begins again.

use net::{Network, Tensor};

use crate::dreamer::fitted;
use crate::flow::{Dis, Plane, agreement, is_cut};
use crate::{
    Coherence, FilmError, Machine, Observer, Plan, PlanError, Recipe, Video, dream, rows, warp,
};

/// What one frame hands to the next. With the recipe and the frames to come, it decides the rest of
/// the video.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// The frame, in the dream's size.
    pub source: Tensor,
    /// The dream on it.
    pub dream: Tensor,
}

/// A video that is being dreamt on, frame by frame.
pub struct Clip {
    /// The recipe, with nothing left to choose.
    recipe: Recipe,
    video: Video,
    plan: Plan,
    carried: Option<Carried>,
}

impl Clip {
    /// A dream on a video whose frames have `height` × `width` pixels.
    ///
    /// # Errors
    /// What would keep the dream on any of its frames from its end.
    pub fn new(
        recipe: &Recipe,
        network: &Network,
        machine: &Machine,
        height: usize,
        width: usize,
    ) -> Result<Self, PlanError> {
        let video = recipe.video.clone().unwrap_or_default();
        let recipe =
            Recipe { noise: None, movie: None, video: Some(video.clone()), ..recipe.clone() };
        let plan = Plan::new(&recipe, network, height, width, machine)?;
        Ok(Self { recipe: plan.recipe().clone(), video, plan, carried: None })
    }

    /// Height and width of the dreams.
    pub fn size(&self) -> (usize, usize) {
        self.plan.size()
    }

    /// The plan of a frame that starts from nothing.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The recipe that the video is to carry: with nothing left to choose.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What the next frame depends on; `None` before the first, and always where frames do not depend
    /// on each other.
    pub fn carried(&self) -> Option<&Carried> {
        self.carried.as_ref()
    }

    /// Goes on after a frame that left `carried`: the frames to come are those that would have come.
    /// `None` begins again.
    ///
    /// # Panics
    /// If its pictures have another size than [`Self::size`].
    pub fn resume(&mut self, carried: Option<Carried>) {
        let (height, width) = self.size();
        for picture in carried.iter().flat_map(|carried| [&carried.source, &carried.dream]) {
            let shape = picture.shape;
            assert_eq!((shape.channels, shape.height, shape.width), (3, height, width), "the size");
        }
        self.carried = carried;
    }

    /// The dream, within 0–255, on the next frame, `source`, which is brought to [`Self::size`] first.
    /// After an error the clip is as it was before. `observer` is told after every step.
    ///
    /// # Errors
    /// An observer that has had enough.
    ///
    /// # Panics
    /// With a frame that has not three channels or no pixels.
    pub fn frame(
        &mut self,
        source: Tensor,
        observer: &mut dyn Observer,
    ) -> Result<Tensor, FilmError> {
        let source = fitted(&self.plan, source);
        let whole = (self.recipe.iterations, self.recipe.step);
        let (start, (iterations, step)) = match self.start(&source) {
            Some(start) => (start, self.video.share(&self.recipe)),
            None => (source.clone(), whole),
        };
        self.plan.set_steps(iterations, step);
        let dreamt = dream(&self.plan, start, observer);
        self.plan.set_steps(whole.0, whole.1);
        let mut dream = dreamt?;
        dream.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 255.0));
        if self.video.coherence.depends_on_last() {
            self.carried = Some(Carried { source, dream: dream.clone() });
        }
        Ok(dream)
    }

    /// `source` with what is left on it of the last dream; none after nothing and after a cut.
    fn start(&self, source: &Tensor) -> Option<Tensor> {
        let last = self.carried.as_ref()?;
        let threads = self.plan.threads();
        let (now, before) = threads.install(|| (Plane::luma(source), Plane::luma(&last.source)));
        let dis = Dis::new(crate::flow::Preset::default());
        let there = dis.flow(threads, &now, &before);
        let back = dis.flow(threads, &before, &now);
        let agreement = agreement(threads, &there, &back);
        if is_cut(&now, &before, &there, &agreement) {
            return None;
        }
        if self.video.coherence == Coherence::Blend {
            let share = self.video.blend as f32;
            let mut start = last.dream.clone();
            rows::for_each(threads, &mut start, |c, y, row| {
                for (x, source) in row.iter_mut().zip(rows::row(source, c, y)) {
                    *x = source + share * (*x - source);
                }
            });
            return Some(start);
        }
        let mut added = last.dream.clone();
        rows::for_each(threads, &mut added, |c, y, row| {
            for (x, source) in row.iter_mut().zip(rows::row(&last.source, c, y)) {
                *x -= source;
            }
        });
        let carry = self.video.carry as f32;
        let mut start = warp(threads, &added, &there);
        rows::for_each(threads, &mut start, |c, y, row| {
            let source = rows::row(source, c, y);
            for ((x, source), believed) in row.iter_mut().zip(source).zip(agreement.row(y)) {
                *x = source + carry * believed * *x;
            }
        });
        Some(start)
    }
}
