//! A zoom's frames, each made from the one before: moved, dreamt on, and brought back to the colours of the first.

pub(crate) mod fade;
mod motion;

use std::sync::Arc;

use self::motion::Placement;

use graph::{Network, Size, Tensor};
use kernels::CpuLevel;

use crate::dreamer::{Around, dream_frame};
use crate::image::resized;
use crate::objective::Chooser;
use crate::random::SEEDS;
use crate::regions::{self, RegionMasks};
use crate::standstill::Standstill;
use crate::{
    Ascent, Assets, Checkpoint, ColorStats, DreamError, Machine, Observer, Plan, PlanError, Recipe,
    Tiles, Zoom,
};

/// What all frames of a zoom have in common.
pub struct ZoomDreamer {
    recipe: Recipe,
    assets: Assets,
    network: Arc<Network>,
    machine: Machine,
    color_stats: ColorStats,
    /// The plan for the last frame, and the recipe it was made from.
    planned: (Recipe, Plan),
    /// The masks of all regions in the first frame, where some stay with the picture, and where a frame's
    /// pixels were in it.
    masks: Option<RegionMasks>,
    placed: (u64, Placement),
    standstill: Standstill,
}

impl ZoomDreamer {
    /// A zoom that begins with `first`, a frame as [`ZoomDreamer::first`] makes it.
    ///
    /// # Errors
    /// What would keep the first frame, or the one of any keyframe, from being dreamt.
    pub fn new(
        recipe: &Recipe,
        network: Arc<Network>,
        machine: &Machine,
        first: &Tensor,
    ) -> Result<Self, PlanError> {
        Self::with_assets(recipe, Assets::default(), network, machine, first)
    }

    /// As [`Self::new`], with the files that the recipe names.
    ///
    /// # Errors
    /// What would keep the first frame, or the one of any keyframe, from being dreamt.
    pub fn with_assets(
        recipe: &Recipe,
        assets: Assets,
        network: Arc<Network>,
        machine: &Machine,
        first: &Tensor,
    ) -> Result<Self, PlanError> {
        recipe.validate_frames()?;
        let chooser = Chooser { network: &network, machine, picture: first };
        let recipe = recipe.clone().chosen(&chooser)?;
        let size = first.shape.size();
        let plan = |recipe: &Recipe| Plan::of_frame(recipe, &assets, &network, size, machine);
        // Those of regions that only some keyframes' terms are in as well.
        let mut masks = RegionMasks::new();
        for key in recipe.zoom.iter().flat_map(|zoom| &zoom.keyframes) {
            let plan = plan(&still(recipe.at(key.at)?))?;
            masks.extend(plan.masks().iter().map(|(name, mask)| (name.clone(), mask.clone())));
        }
        let start = still(recipe.at(0.0)?);
        let plan = plan(&start)?;
        masks.extend(plan.masks().iter().map(|(name, mask)| (name.clone(), mask.clone())));
        let tiles = match recipe.tiles {
            Tiles::Exact { size: 0 } => Tiles::Whole,
            tiles => tiles,
        };
        let recipe = Recipe { tiles, ..recipe };
        let color_stats = ColorStats::of(machine.context.threads(), first);
        let (machine, standstill) = (machine.clone(), Standstill::default());
        Ok(Self {
            recipe,
            assets,
            network,
            machine,
            color_stats,
            masks: regions::any_follows(plan.recipe()).then_some(masks),
            placed: (0, Placement::STILL),
            planned: (start, plan),
            standstill,
        })
    }

    /// Where the pixels of frame `number`, of `size`, were in the first one.
    fn place(&mut self, number: u64, size: Size) -> Result<Placement, PlanError> {
        if self.placed.0 > number {
            self.placed = (0, Placement::STILL);
        }
        let fps = self.recipe.zoom.as_ref().map_or(Zoom::default().fps, |zoom| zoom.fps);
        for number in self.placed.0 + 1..=number {
            let zoom = self.recipe.at(number as f64 / fps)?.zoom.unwrap_or_default();
            let step = zoom.motion.placement(size, zoom.motion_before(number));
            self.placed = (number, self.placed.1.then(&step));
        }
        Ok(self.placed.1)
    }

    /// A picture as the zoom's first frame: in the size the recipe asks for.
    pub fn first(recipe: &Recipe, machine: &Machine, picture: Tensor) -> Tensor {
        let size = recipe.full_size(picture.shape.size());
        resized(machine.context.threads(), picture, size)
    }

    /// The plan of the frame that was dreamt last, or of the first.
    pub fn plan(&self) -> &Plan {
        &self.planned.1
    }

    /// The recipe that frames are to carry: with nothing left to choose.
    pub fn recipe(&self) -> Recipe {
        let resolved = self.planned.1.recipe();
        Recipe {
            version: resolved.version.clone(),
            model: resolved.model.clone(),
            objective: match self.recipe.objective.is_empty() {
                true => resolved.objective.clone(),
                false => self.recipe.objective.clone(),
            },
            ..self.recipe.clone()
        }
    }

    /// The CPU level of what is not the network's: frames depend on it.
    pub fn level(&self) -> CpuLevel {
        self.machine.context.level()
    }

    /// Frame `number` (1 is the one after the first) from the one before. The seed rises by one from
    /// frame to frame. `observer` is told after every step.
    ///
    /// # Errors
    /// Less memory than there was, an observer that has had enough, what is computed is no number, or
    /// layers that have no gradient at any frame.
    pub fn frame(
        &mut self,
        number: u64,
        before: &Tensor,
        observer: &mut dyn Observer,
    ) -> Result<Tensor, DreamError> {
        let place = match self.masks {
            Some(_) => Some(self.place(number, before.shape.size())?),
            None => None,
        };
        let fps = self.recipe.zoom.as_ref().map_or(Zoom::default().fps, |zoom| zoom.fps);
        let time = number as f64 / fps;
        let now = self.recipe.at(time).map_err(PlanError::from)?;
        let zoom = now.zoom.clone().unwrap_or_default();
        let mut now = still(now);
        let steps = zoom.share(&now, time);
        // One plan serves frames that differ in nothing but their steps.
        let Ascent { iterations, step, .. } = self.recipe.ascent;
        now.ascent = Ascent { iterations, step, strength: 1.0, ..now.ascent };

        let threads = self.machine.context.threads();
        let moved = zoom.motion.apply(threads, before, zoom.motion_before(number));
        if self.planned.0 != now {
            let (assets, size) = (&self.assets, before.shape.size());
            let plan = Plan::of_frame(&now, assets, &self.network, size, &self.machine)?;
            self.planned = (now, plan);
        }
        if let (Some(masks), Some(place)) = (&self.masks, place) {
            let moved = regions::moved(masks, threads, before.shape.size(), |at| place.of(at));
            self.planned.1.set_masks(moved);
        }
        let plan = &mut self.planned.1;
        plan.set_steps(steps);
        if let Some(fading) = self.recipe.fading(time) {
            fading.balance(plan, &moved)?;
        }
        plan.set_seed(self.recipe.seed.wrapping_add(number) & SEEDS);
        let Checkpoint { picture: mut frame, climbed, .. } =
            dream_frame(plan, moved, Around::default(), observer)?;
        self.standstill.check(plan, climbed, observer)?;
        match zoom.shoulder as f32 {
            0.0 => self.color_stats.transfer_to(threads, &mut frame, zoom.levels),
            shoulder => self.color_stats.lead(threads, &mut frame, zoom.levels, shoulder),
        }
        frame.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 255.0));
        Ok(frame)
    }
}

/// The recipe of one frame alone, for a picture that has its size already.
fn still(recipe: Recipe) -> Recipe {
    Recipe { size: None, noise: None, zoom: None, video: None, ..recipe }
}
