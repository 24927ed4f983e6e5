//! A video's frames, each dreamt on so that the dream stays with what it was dreamt on.
//!
//! What the last dream added to its frame is moved along the optical flow between the two frames, less
//! what `persistence` loses and wherever the flow cannot be believed, and what is missing is dreamt
//! anew (samim23's DeepDreamAnim, with a decay, and with uncovered regions found by flow there and
//! back). A cut begins again.
//!
//! All frames that start from nothing have the recipe's own seed. From there on it rises by one from
//! frame to frame: the few steps of each would else shift the picture by the same few distances every
//! time, and the network's grid would show.

mod flicker;
mod temporal;

use std::collections::BTreeMap;

use graph::{Network, Size, Tensor};

use crate::dreamer::{Around, dream_frame, fitted};
use crate::random::SEEDS;
use crate::regions::{self, Masks};
use crate::standstill::Standstill;
use crate::{
    Ascent, Assets, Checkpoint, DreamError, Machine, Observer, Plan, PlanError, Recipe, Video,
};
pub use flicker::{FlickerMeter, FrameMeasurement, WarpingError};
use temporal::Start;
pub use temporal::TemporalState;

/// How many of the recipe's steps one step may go where nothing was carried over: further, and grain grows.
const LONGEST_STEP: f32 = 3.0;

/// A video that is being dreamt on, frame by frame.
pub struct VideoDreamer {
    /// The recipe, with nothing left to choose.
    recipe: Recipe,
    video: Video,
    plan: Plan,
    state: Option<TemporalState>,
    standstill: Standstill,
}

impl VideoDreamer {
    /// A dream on a video whose frames are of `size`.
    ///
    /// # Errors
    /// What would keep the dream on any of its frames from its end.
    pub fn new(
        recipe: &Recipe,
        network: &Network,
        machine: &Machine,
        size: Size,
    ) -> Result<Self, PlanError> {
        Self::with_assets(recipe, &Assets::default(), network, machine, size)
    }

    /// As [`Self::new`], with the files that the recipe names.
    ///
    /// # Errors
    /// What would keep the dream on any of its frames from its end.
    pub fn with_assets(
        recipe: &Recipe,
        assets: &Assets,
        network: &Network,
        machine: &Machine,
        size: Size,
    ) -> Result<Self, PlanError> {
        let video = recipe.video.clone().unwrap_or_default();
        let recipe =
            Recipe { noise: None, zoom: None, video: Some(video.clone()), ..recipe.clone() };
        let plan = Plan::of_frame(&recipe, assets, network, size, machine)?;
        let (recipe, standstill) = (plan.recipe().clone(), Standstill::default());
        Ok(Self { recipe, video, plan, state: None, standstill })
    }

    /// The size of the dreams.
    pub fn size(&self) -> Size {
        self.plan.size()
    }

    /// The plan of a frame that starts from nothing.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The recipe that the video is to carry: with nothing left to choose, once its first frame has chosen the
    /// channels that it leaves to that.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What the next frame depends on; `None` before the first, and always where frames do not depend
    /// on each other.
    pub fn state(&self) -> Option<&TemporalState> {
        self.state.as_ref()
    }

    /// Goes on after a frame that left `state`: the frames to come are those that would have come.
    /// `None` begins again.
    ///
    /// # Panics
    /// If its pictures have another size than [`Self::size`].
    pub fn resume(&mut self, state: Option<TemporalState>) {
        for picture in state.iter().flat_map(|state| [&state.source, &state.dream]) {
            let shape = picture.shape;
            assert_eq!((shape.channels, shape.size()), (3, self.size()), "the size");
        }
        self.state = state;
    }

    /// Gives regions, by their names, other masks than before, each as
    /// [`Region::map`](crate::Region::map) has it: those of the next frame. In a frame's mask, nothing may
    /// count.
    ///
    /// # Errors
    /// A region that is not there, or a mask of other proportions than the frames.
    pub fn set_masks(&mut self, masks: &BTreeMap<String, Tensor>) -> Result<(), PlanError> {
        if masks.is_empty() {
            return Ok(());
        }
        let (before, size) = (self.plan.masks().clone(), self.plan.size());
        self.plan.set_masks(regions::replaced(before, &self.recipe, size, masks)?);
        Ok(())
    }

    /// The dream that `state` carries as it is to be seen, with the masks of its frame.
    pub fn finished(&self, state: &TemporalState) -> Tensor {
        let mut dream = state.dream.clone();
        self.plan.finish(&state.source, &mut dream);
        dream
    }

    /// The dream, within 0–255, on the next frame, `source`, which is brought to [`Self::size`] first.
    /// After an error the dreamer is as it was before. `observer` is told after every step.
    ///
    /// # Errors
    /// An observer that has had enough, what is computed is no number, or layers that have no gradient at
    /// any frame.
    ///
    /// # Panics
    /// With a frame that has not three channels or no pixels.
    pub fn frame(
        &mut self,
        source: Tensor,
        observer: &mut dyn Observer,
    ) -> Result<Tensor, DreamError> {
        let source = fitted(&self.plan, source);
        if self.recipe.needs_picture() {
            self.plan.choose_channels(&source)?;
            self.recipe = self.plan.recipe().clone();
        }
        let state = self.state.as_ref();
        let mut start =
            state.and_then(|last| last.start(self.plan.context(), &self.video, &source));
        if let Some(start) = &mut start {
            // What was dreamt within a region may have moved out of it.
            Masks::new(&self.plan, self.plan.size()).restore(&mut start.picture, &source);
        }
        let Ascent { iterations, step, .. } = self.recipe.ascent.whole();
        let whole = (iterations, step);
        let (age, dreamt) = match start {
            None => (0, dream_frame(&self.plan, source.clone(), Around::default(), observer)),
            Some(Start { picture, confidence, age }) => {
                let part = self.video.share(&self.recipe);
                let step_map = confidence.map(|confidence| step_map(confidence, whole, part));
                self.plan.set_steps(part);
                self.plan.set_seed(self.recipe.seed.wrapping_add(age) & SEEDS);
                let around = Around { step_map: step_map.as_ref(), origin: Some(&source) };
                let dreamt = dream_frame(&self.plan, picture, around, observer);
                self.plan.set_seed(self.recipe.seed);
                self.plan.set_steps(whole);
                (age, dreamt)
            }
        };
        let Checkpoint { picture: mut dream, climbed, .. } = dreamt?;
        self.standstill.check(&self.plan, climbed, observer)?;
        dream.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 255.0));
        if !self.video.coherence.depends_on_last() {
            self.plan.finish(&source, &mut dream);
            return Ok(dream);
        }
        let state = TemporalState { source, dream, age };
        let finished = self.finished(&state);
        self.state = Some(state);
        Ok(finished)
    }
}

/// How many times as far each pixel's steps go: once where the flow can be believed, and where it
/// cannot, as far as makes the `part` of the steps as much as the `whole`, within limits. Both
/// are numbers of steps and a step's length.
fn step_map(mut confidence: Tensor, whole: (u32, f32), part: (u32, f32)) -> Tensor {
    let longer = whole.1 / part.1.max(f32::MIN_POSITIVE);
    let most = longer * (whole.0 as f32 / part.0 as f32).min(LONGEST_STEP);
    confidence.data.iter_mut().for_each(|x| *x += (1.0 - *x) * most);
    confidence
}
