//! The plan: a recipe resolved against a network, a picture's size and a machine. Every refusal
//! happens here, before the first convolution.

mod memory;
mod resolved;
mod tiling;
mod together;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use graph::{
    Backend, Backwards, Network, NodeId, Scratch, Size, Storage, Tensor, first_not_finite,
};
use kernels::{Context, Threads};

use crate::ascent::{self, Fft2};
use crate::image::scaled;
use crate::objective::{self, Chooser, Grid, GuideFeatures, Objective, Part, Resolved};
use crate::octaves::Layout;
use crate::random;
use crate::regions::{self, Masks, RegionMasks};
use crate::{
    Ascent, Assets, DreamError, NoiseKind, Octaves, PlanError, Recipe, Term, finish, resize,
};
use memory::Compiled;
use resolved::{as_seen, resolved, weights};
use tiling::{Room, Taken, TileSize, least_size, settle};

pub use tiling::Tiling;

/// What a dream may use.
#[derive(Clone)]
pub struct Machine {
    /// What runs the network.
    pub backend: Arc<dyn Backend>,
    /// The threads that share all other work, and the instructions they may use.
    pub context: Context,
    /// Bytes of memory that are free.
    pub memory: u64,
    /// Where pictures lie that do not fit in the memory. Default: nowhere, and they are refused.
    pub scratch: Storage,
}

/// A dream that can be dreamt: layers found, sizes known, memory enough.
#[derive(Clone)]
pub struct Plan {
    recipe: Recipe,
    /// The recipe's, its steps as its strength makes them.
    ascent: Ascent,
    objective: Objective,
    targets: Vec<NodeId>,
    layout: Layout,
    /// Where regions count.
    masks: Arc<RegionMasks>,
    /// What the layers make of the guides.
    guides: Arc<GuideFeatures>,
    /// How much of a step regions take that fade; the others take all of it.
    region_shares: Vec<(Option<String>, f32)>,
    dropped: u32,
    /// How many of the regions' backward passes follow one forward pass.
    backwards: Backwards,
    memory: u64,
    /// Bytes that it takes at the least.
    needed: u64,
    /// Where its pictures lie, and how many bytes of scratch files they take.
    storage: Storage,
    scratch: u64,
    /// The network as the dream sees it.
    network: Network,
    /// Whether its fully connected layers are convolutions there.
    convolved: bool,
    /// The network as it is.
    original: Network,
    machine: Machine,
    /// Those of the octaves, where the recipe climbs on a spectrum.
    transforms: Arc<[Fft2]>,
    /// How long steps are, as a share of the recipe's.
    step_share: f32,
    /// Whether the system has been asked for the memory.
    asked: Arc<AtomicBool>,
}

impl Plan {
    /// Resolves `recipe` for a picture of `size`.
    ///
    /// Octaves too small for the layers are left out, which [`Self::dropped_octaves`] tells.
    ///
    /// # Errors
    /// Whatever would keep the dream from its end, with a way out.
    pub fn new(
        recipe: &Recipe,
        network: &Network,
        size: Size,
        machine: &Machine,
    ) -> Result<Plan, PlanError> {
        Plan::with_assets(recipe, &Assets::default(), network, size, machine)
    }

    /// As [`Self::new`], with the files that the recipe names.
    ///
    /// # Errors
    /// Whatever would keep the dream from its end, with a way out.
    pub fn with_assets(
        recipe: &Recipe,
        assets: &Assets,
        network: &Network,
        size: Size,
        machine: &Machine,
    ) -> Result<Plan, PlanError> {
        Plan::settled(recipe, assets, network, (size, TileSize::Found), machine)
    }

    /// As [`Self::with_assets`], for one of several frames: how it is cut into tiles does not depend on the memory
    /// that is free when it is made.
    ///
    /// # Errors
    /// Whatever would keep the dream from its end, with a way out.
    pub(crate) fn of_frame(
        recipe: &Recipe,
        assets: &Assets,
        network: &Network,
        size: Size,
        machine: &Machine,
    ) -> Result<Plan, PlanError> {
        Plan::settled(recipe, assets, network, (size, TileSize::Said), machine)
    }

    fn settled(
        recipe: &Recipe,
        assets: &Assets,
        network: &Network,
        (size, tiles): (Size, TileSize),
        machine: &Machine,
    ) -> Result<Plan, PlanError> {
        let mut recipe = resolved(recipe, network)?;
        if size.pixels() == 0 {
            return Err(PlanError::NoPixels { size });
        }
        if recipe.octaves.anchor != Octaves::FULL {
            recipe.octaves.anchor = recipe.anchor(size) as u32;
        }
        let masks = regions::masks(&recipe, assets, machine, recipe.full_size(size))?;
        let original = network.clone();
        let mut network = as_seen(network, &recipe);
        let guides = objective::features(&recipe, assets, &network, machine)?;
        let known = (&machine.context, &guides);
        let Resolved { targets, parts, convolved } = objective::resolve(&recipe, &network, known)?;
        let is_convolved = convolved.is_some();
        network.graph = convolved.unwrap_or(network.graph);
        let full = recipe.full_size(size);
        network.graph.shapes(&targets, full.height, full.width)?;
        let mut layout = Layout::new(&recipe, size);
        let laid_out = layout.sizes.len();
        layout.retain(|size| network.graph.shapes(&targets, size.height, size.width).is_ok());
        let least = least_size(&network.graph, &targets)?;
        let step_share = match recipe.ascent.by_depth {
            true => ascent::step_share(&network.graph, &targets),
            false => 1.0,
        };
        let executable = machine.backend.compile(&network, &targets)?;
        let threads = machine.context.threads().count();
        let pictures = recipe.pictures;
        let beside = |size, of_tiles| {
            objective::bytes_of_terms((&network.graph, &targets), &parts, (size, of_tiles))
                .saturating_add(objective::bytes_of_diversity(
                    (&network.graph, &targets),
                    &parts,
                    (pictures, size),
                ))
        };
        let grid = Grid::new(&network.graph, &targets);
        let backwards = regions::backwards(&recipe);
        let mut compiled = Compiled {
            executable: &*executable,
            beside: &beside,
            least,
            grid: &grid,
            threads,
            backwards,
        };
        let sizes = (size, &layout.sizes[..]);
        let room = Room { memory: machine.memory, scratch: &machine.scratch };
        let room = (tiles, &room);
        let taken = settle(&mut compiled, &mut recipe, sizes, &network.graph, room)?;
        let Taken { memory, least: needed, scratch } = taken;
        let backwards = compiled.backwards;
        let terms = weights(&recipe);
        Ok(Plan {
            dropped: (laid_out - layout.sizes.len()) as u32,
            objective: Objective::new(executable, targets.len(), parts, terms, (least, grid)),
            targets,
            transforms: ascent::transforms(&recipe, &machine.context, &layout.sizes).into(),
            layout,
            masks: Arc::new(masks),
            guides: Arc::new(guides),
            region_shares: Vec::new(),
            step_share,
            backwards,
            memory,
            needed,
            storage: if scratch > 0 { machine.scratch.clone() } else { Storage::default() },
            scratch,
            network,
            convolved: is_convolved,
            original,
            machine: machine.clone(),
            asked: Arc::new(AtomicBool::new(false)),
            ascent: recipe.ascent.whole(),
            recipe,
        })
    }

    /// The size of the dream.
    pub fn size(&self) -> Size {
        *self.layout.sizes.last().expect("a plan has at least one octave")
    }

    /// Gives the dream another seed, at most 2⁶³ − 1.
    pub fn set_seed(&mut self, seed: u64) {
        self.recipe.seed = seed;
    }

    /// How far each step on an octave goes: as the recipe says, and as suits the layers' depth where it asks
    /// for that.
    pub(crate) fn step_length(&self, octave: usize) -> f32 {
        let refine = if octave < self.layout.anchored { 1.0 } else { self.ascent.refine };
        self.ascent.step * self.step_share * refine
    }

    /// Gives each octave another number of steps, at least one, and each step another length.
    pub(crate) fn set_steps(&mut self, (iterations, step): (u32, f32)) {
        (self.ascent.iterations, self.ascent.step) = (iterations, step);
    }

    /// The weight that each of the plan's terms has in a list; terms that are the same add up.
    pub(crate) fn weights_of(&self, terms: &[Term]) -> Vec<f32> {
        let weight = |own: &Term| {
            let same = terms.iter().filter(|term| term.is_same(own));
            same.fold(0.0, |sum, term| sum + term.weight)
        };
        self.recipe.objective.iter().map(weight).collect()
    }

    /// Gives the plan's terms other weights.
    pub(crate) fn set_weights(&mut self, weights: Vec<f32>) {
        self.objective.weights = weights;
    }

    /// Lets the `picture` that is dreamt on choose the channels that the recipe leaves to it, so that
    /// [`Self::recipe`] lists them. [`crate::dream()`] does that by itself.
    ///
    /// # Errors
    /// A picture too small for a layer, or too little memory.
    pub fn choose_channels(&mut self, picture: &Tensor) -> Result<(), PlanError> {
        if !self.recipe.needs_picture() {
            return Ok(());
        }
        let chooser = Chooser { network: &self.original, machine: &self.machine, picture };
        self.recipe = self.recipe.clone().chosen(&chooser)?;
        let known = (&self.machine.context, &*self.guides);
        let Resolved { parts, .. } = objective::resolve(&self.recipe, &self.original, known)?;
        self.objective.set_parts(parts);
        Ok(())
    }

    /// The plan of the same dream on another objective, if that is of the same layers: nothing is compiled
    /// anew for it.
    ///
    /// # Errors
    /// What the network does not have.
    pub fn with_objective(&self, objective: Vec<Term>) -> Result<Option<Plan>, PlanError> {
        let mut plan = self.clone();
        let recipe = Recipe { objective, ..plan.recipe };
        recipe.validate()?;
        let before = regions::names(&self.recipe);
        if regions::names(&recipe).iter().any(|region| !before.contains(region)) {
            return Ok(None);
        }
        plan.recipe = recipe.settled(&self.original, &mut |_, wanted| Ok(wanted.clone()))?;
        let guided = |term: &Term| !term.guides.is_empty();
        let mut guided = plan.recipe.objective.iter().filter(|term| guided(term));
        if guided.any(|term| !self.guides.contains_key(&objective::key(term))) {
            return Ok(None);
        }
        let known = (&self.machine.context, &*self.guides);
        let Resolved { targets, parts, convolved } =
            objective::resolve(&plan.recipe, &self.original, known)?;
        if targets != self.targets || convolved.is_some() != self.convolved {
            return Ok(None);
        }
        let beside = |parts: &[Part]| {
            let tile = self.tiling().map(|tiling| tiling.tile);
            let of_tiles = (tile.unwrap_or(self.size()), tile.is_some());
            objective::bytes_of_terms((&self.network.graph, &targets), parts, of_tiles)
        };
        let more = beside(&parts).saturating_sub(beside(self.objective.parts()));
        plan.memory = plan.memory.saturating_add(more);
        plan.needed = plan.needed.saturating_add(more);
        if plan.memory > self.machine.memory {
            return Ok(None);
        }
        plan.objective.set_parts(parts);
        (plan.objective.weights, plan.objective.shares) = weights(&plan.recipe);
        Ok(Some(plan))
    }

    /// The octaves' sizes, in the order in which they are dreamt on: from small to full.
    pub fn octaves(&self) -> &[Size] {
        &self.layout.sizes
    }

    /// How many of the recipe's octaves are too small for the layers and left out.
    pub fn dropped_octaves(&self) -> u32 {
        self.dropped
    }

    /// Bytes the dream takes at the most, beside the network's weights.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Bytes of scratch files that its pictures lie in: 0 where they fit in the memory.
    pub fn scratch(&self) -> u64 {
        self.scratch
    }

    /// Where its pictures lie.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The recipe, with nothing left to choose: what a dream is to carry.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The noise that a dream starts from, of the kind and the seed that the recipe says.
    pub fn noise(&self, size: Size) -> Tensor {
        self.recipe.noise_in(&self.storage, size, self.context())
    }

    /// Whether there is anything for [`Self::finish`] to do.
    pub fn finishes(&self) -> bool {
        self.recipe.finish.is_any()
    }

    /// Does to a whole dream on `picture` what the recipe says of its end. [`crate::dream()`] does it by
    /// itself.
    pub fn finish(&self, picture: &Tensor, dream: &mut Tensor) {
        if self.finishes() {
            let picture = scaled(self.threads(), picture, dream.shape.size());
            let masks = Masks::new(self, self.size());
            finish::apply(&self.recipe.finish, self.threads(), &picture, masks.reach(), dream);
        }
    }

    /// How many steps each octave takes.
    pub fn iterations(&self) -> u32 {
        self.ascent.iterations
    }

    /// The ascent as it is to be taken.
    pub(crate) fn ascent(&self) -> &Ascent {
        &self.ascent
    }

    /// Where regions count.
    pub(crate) fn masks(&self) -> &RegionMasks {
        &self.masks
    }

    /// Gives the regions other masks.
    pub(crate) fn set_masks(&mut self, masks: RegionMasks) {
        self.masks = Arc::new(masks);
    }

    /// How much of a step the region of this name takes.
    pub(crate) fn share_of(&self, region: Option<&str>) -> f32 {
        let own = self.region_shares.iter().find(|(name, _)| name.as_deref() == region);
        own.map_or(1.0, |(_, share)| *share)
    }

    /// Lets regions take a share of each step, all others all of it.
    pub(crate) fn set_region_shares(&mut self, shares: Vec<(Option<String>, f32)>) {
        self.region_shares = shares;
    }

    pub(crate) fn backwards(&self) -> Backwards {
        self.backwards
    }

    pub(crate) fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The transforms that a climb on this octave needs.
    pub(crate) fn transforms(&self, octave: usize) -> Option<&Fft2> {
        self.transforms.get(octave)
    }

    pub(crate) fn threads(&self) -> &Threads {
        self.machine.context.threads()
    }

    /// On what everything but the network runs.
    pub(crate) fn context(&self) -> &Context {
        &self.machine.context
    }

    /// Whether all that was to lie in scratch files does.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn check_scratch(&self) -> Result<(), PlanError> {
        let failure = self.machine.scratch.as_scratch().and_then(Scratch::failure);
        failure.map_or(Ok(()), |failure| Err(PlanError::ScratchLost(failure)))
    }

    /// Asks the system for the memory of a dream and gives it back, before the plan's first one: what cannot
    /// be had ends the process when it is needed.
    ///
    /// # Errors
    /// If it cannot be had.
    pub(crate) fn ask_for_memory(&self) -> Result<(), PlanError> {
        if self.asked.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let bytes = usize::try_from(self.needed).unwrap_or(usize::MAX);
        let mut memory = Vec::<u8>::new();
        let given = memory.try_reserve_exact(bytes);
        // Or it would not be asked for at all, since nobody uses it.
        std::hint::black_box(&memory);
        given.map_err(|_| PlanError::NotGiven { size: self.size(), needed: self.needed })
    }

    /// Whether no step is to change the picture: the steps are of length 0, or the layers have no weight.
    pub(crate) fn stands_still(&self) -> bool {
        self.ascent.step == 0.0 || self.objective.weights.iter().all(|&weight| weight == 0.0)
    }

    /// The error of a gradient that is not finite at one of the pictures that the network was `shown`.
    pub(crate) fn not_finite(&self, shown: &[Tensor]) -> DreamError {
        let (backend, memory) = (&*self.machine.backend, self.memory);
        match first_not_finite(backend, &self.network, &self.targets, shown, memory) {
            Ok(Some(layer)) => {
                DreamError::NotFinite { layer: self.network.graph.node(layer).name.clone() }
            }
            Ok(None) => DreamError::GradientNotFinite { layers: self.layers() },
            Err(error) => error.into(),
        }
    }

    /// The error of a dream on `picture` in which no step had a gradient. Where a ReLU has made zeros of
    /// what is no number, it names the layer.
    pub(crate) fn no_gradient(&self, picture: &Tensor) -> DreamError {
        let resized = || resize(picture, self.layout.sizes[0], self.recipe.octaves.filter);
        match self.not_finite(&[self.threads().install(resized)]) {
            DreamError::GradientNotFinite { layers } => DreamError::NoGradient { layers },
            error => error,
        }
    }

    /// The layers' names.
    fn layers(&self) -> Vec<String> {
        let name = |target: &NodeId| self.network.graph.node(*target).name.clone();
        self.targets.iter().map(name).collect()
    }
}

impl Recipe {
    /// The size of a dream on a picture of `size`.
    pub fn full_size(&self, size: Size) -> Size {
        self.size.map_or(size, |longest| size.with_longest(longest as usize))
    }

    /// The noise of `size` that a dream by this recipe starts from: of its kind and its seed.
    pub fn noise_of(&self, size: Size, context: &Context) -> Tensor {
        self.noise_in(&Storage::default(), size, context)
    }

    /// The same that lies in `storage`.
    fn noise_in(&self, storage: &Storage, size: Size, context: &Context) -> Tensor {
        match self.noise_kind {
            NoiseKind::Soft => random::noise_in(storage, size, self.seed),
            NoiseKind::Spectrum => ascent::noise(context, (storage, size), self.seed),
        }
    }
}
