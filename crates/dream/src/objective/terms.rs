//! The objective: terms on the layers of a network, their value, and what a backward pass starts from.

use std::sync::Arc;

use arrayvec::ArrayVec;
use graph::{
    Backwards, Executable, Graph, GraphError, NodeId, OutputGradient, Session, Size, Tensor,
};
use kernels::Threads;

use super::cuts::{Grid, OwnedTile};
use super::diversity::Diversity;
use super::guide::{Features, Guiding};
use super::place::{Owned, View};
use super::seeds::{Active, Seeding, Seeds};
use crate::{Filter, resize};

/// As many layers as a step can start from without memory of its own.
const LAYERS: usize = 16;

/// The network compiled for the layers of a recipe, and its terms.
#[derive(Clone)]
pub(crate) struct Objective {
    executable: Arc<dyn Executable>,
    targets: usize,
    parts: Vec<Part>,
    /// How much each term counts.
    pub(crate) weights: Vec<f32>,
    /// Whether the weights are shares of the gradient.
    pub(crate) shares: bool,
    /// The least size of picture that all layers can see.
    pub(crate) least: Size,
    /// What exact tiles are cut by.
    grid: Arc<Grid>,
}

/// A term: what of a layer is to grow.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The layer's number among those that the network is compiled for.
    pub(crate) target: usize,
    /// What the backward pass starts from; `None` for the layer's own values, all of them.
    pub(crate) seeding: Option<Seeding>,
}

impl Part {
    /// The guide whose same place its directions are those of.
    fn placed(&self) -> Option<&Features> {
        match self.seeding.as_ref().and_then(|seeding| seeding.guiding.as_ref()) {
            Some(Guiding::Place(guide)) => Some(guide),
            _ => None,
        }
    }
}

impl Objective {
    pub(crate) fn new(
        executable: Arc<dyn Executable>,
        targets: usize,
        parts: Vec<Part>,
        (weights, shares): (Vec<f32>, bool),
        (least, grid): (Size, Grid),
    ) -> Self {
        let grid = Arc::new(grid);
        Self { executable, targets, parts, weights, shares, least, grid }
    }

    /// What exact tiles are cut by.
    pub(crate) fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The size of the exact tiles of pictures of `size` that are no longer than `most`, and each of them; `None`
    /// where the picture is one, or cannot be cut.
    pub(super) fn tiles(&self, size: Size, most: u32) -> Option<(Size, Vec<OwnedTile>)> {
        let cuts = self.grid.cut(size, most as usize).ok().filter(|cuts| !cuts.is_whole())?;
        Some((cuts.part(), cuts.parts(&self.grid.positions(size))))
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Gives the terms other parts of the same layers.
    pub(crate) fn set_parts(&mut self, parts: Vec<Part>) {
        self.parts = parts;
    }

    /// The terms of a layer, with weights that may be others than the objective's.
    fn terms_of<'a>(
        &'a self,
        target: usize,
        weights: &'a [f32],
    ) -> impl Iterator<Item = Active<'a>> + Clone + Send + Sync {
        let terms = self.parts.iter().zip(weights).filter(move |(part, _)| part.target == target);
        terms.map(|(part, &weight)| Active { seeding: part.seeding.as_ref(), weight })
    }

    /// A session for pictures of `size`, with the memory of its terms.
    pub(crate) fn evaluation(
        &self,
        size: Size,
        backwards: Backwards,
    ) -> Result<Evaluation<'_>, GraphError> {
        let seeded = |part: &Part| part.seeding.is_some();
        self.evaluation_with(size, backwards, &seeded)
    }

    /// The same for parts of pictures, in which not all positions count.
    pub(crate) fn evaluation_of_parts(&self, size: Size) -> Result<Evaluation<'_>, GraphError> {
        self.evaluation_with(size, Backwards::One, &|_| true)
    }

    fn evaluation_with(
        &self,
        size: Size,
        backwards: Backwards,
        seeded: &dyn Fn(&Part) -> bool,
    ) -> Result<Evaluation<'_>, GraphError> {
        let session = Arc::clone(&self.executable).session_for(size, backwards)?;
        let seeds = |target: usize| {
            let of_target = || self.parts.iter().filter(|part| part.target == target);
            of_target().any(seeded).then(|| {
                let seedings = of_target().map(|part| part.seeding.as_ref());
                Seeds::new(session.target_shape(target), seedings)
            })
        };
        let seeds = (0..self.targets).map(seeds).collect();
        let mut guides: Vec<(Features, Tensor)> = Vec::new();
        for guide in self.parts.iter().filter_map(Part::placed) {
            if !guides.iter().any(|(known, _)| Arc::ptr_eq(known, guide)) {
                let mut stretched = resize(guide, size, Filter::CatmullRom);
                stretched.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
                guides.push((Arc::clone(guide), stretched));
            }
        }
        let energies = vec![0.0; self.targets];
        Ok(Evaluation {
            objective: self,
            backwards,
            session,
            seeds,
            guides,
            energies,
            opened: false,
            first: None,
        })
    }
}

/// Bytes beside a session that the terms take for pictures of `size`, or of parts of pictures.
pub(crate) fn bytes_of_terms(
    (graph, targets): (&Graph, &[NodeId]),
    parts: &[Part],
    (size, of_parts): (Size, bool),
) -> u64 {
    let Ok(shapes) = graph.shapes(targets, size.height, size.width) else { return 0 };
    let bytes = |(target, node): (usize, &NodeId)| {
        let terms = || parts.iter().filter(|part| part.target == target);
        let seeded = of_parts || terms().any(|part| part.seeding.is_some());
        let shape = shapes[node.index()].filter(|_| seeded);
        let placed = terms().filter(|part| part.placed().is_some()).count();
        shape.map_or(0, |shape| Seeds::bytes(shape, terms().count(), placed))
    };
    // The guides in the picture's size.
    let placed = parts.iter().filter(|part| part.placed().is_some()).count() as u64;
    let guides = placed.saturating_mul(size.pixels()).saturating_mul(3 * size_of::<f32>() as u64);
    targets.iter().enumerate().map(bytes).sum::<u64>().saturating_add(guides)
}

/// Bytes beside a session that keep pictures of `size` apart which are dreamt together.
pub(crate) fn bytes_of_diversity(
    (graph, targets): (&Graph, &[NodeId]),
    parts: &[Part],
    (pictures, size): (u32, Size),
) -> u64 {
    let Ok(shapes) = graph.shapes(targets, size.height, size.width) else { return 0 };
    let shape = parts.first().and_then(|part| shapes[targets[part.target].index()]);
    let pictures = u64::from(pictures);
    shape.filter(|_| pictures > 1).map_or(0, |shape| Diversity::bytes(pictures, shape))
}

/// Whether the network was shown the picture last, in the same way: a session of [`Backwards::Many`] keeps what it
/// made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    Already,
}

/// The objective on pictures of one size.
pub(crate) struct Evaluation<'p> {
    objective: &'p Objective,
    backwards: Backwards,
    session: Box<dyn Session>,
    /// For each layer the memory of its terms, if one of them asks for more than all of its energy.
    seeds: Vec<Option<Seeds>>,
    /// The guides that terms look to the same place of, as they are and in the picture's size.
    guides: Vec<(Features, Tensor)>,
    /// The energy of each layer whose terms ask for no more.
    energies: Vec<f64>,
    /// Whether the last backward pass went through ReLUs that are closed.
    opened: bool,
    /// The values at the first term's layer and a gradient there, where pictures are kept apart by them.
    first: Option<[Tensor; 2]>,
}

impl Evaluation<'_> {
    /// From now on the first term's layer is kept from each evaluation; returns how many channels it has.
    pub(crate) fn keep_first(&mut self) -> usize {
        let shape = self.session.target_shape(self.objective.parts[0].target);
        self.first = Some([Tensor::zeros(shape), Tensor::zeros(shape)]);
        shape.channels
    }

    /// The first term's layer at the last evaluation, if it is kept.
    pub(crate) fn first(&self) -> Option<&Tensor> {
        self.first.as_ref().map(|[values, _]| values)
    }

    /// Writes to `gradient` what a gradient at the first term's layer is at `picture`; `seed` makes it of the
    /// layer's values there, if they are kept.
    pub(crate) fn gradient_from_first(
        &mut self,
        picture: &Tensor,
        seed: impl FnOnce(&Tensor, &mut Tensor),
        gradient: &mut Tensor,
    ) -> Result<(), GraphError> {
        let (target, targets) = (self.objective.parts[0].target, self.objective.targets);
        let Some([values, seeded]) = &mut self.first else { return Ok(()) };
        self.session.forward(picture)?;
        self.session.read_activation(target, values)?;
        seed(values, seeded);
        let outputs = (0..targets).map(|layer| match layer == target {
            true => OutputGradient::Gradient(seeded),
            false => OutputGradient::Activation { weight: 0.0 },
        });
        backward(&mut *self.session, outputs, gradient)
    }

    /// Shows the network, as it will see the picture, the guides that terms look to the same place of.
    fn see_guides(&mut self, weights: &[f32]) -> Result<(), GraphError> {
        let Self { objective, backwards, session, seeds, guides, .. } = self;
        for (guide, picture) in guides {
            // Weights that follow may be others.
            let many = *backwards == Backwards::Many;
            let counts = |(part, weight): &(&Part, &f32)| {
                (many || **weight != 0.0)
                    && part.placed().is_some_and(|own| Arc::ptr_eq(own, guide))
            };
            if !objective.parts.iter().zip(weights).any(|term| counts(&term)) {
                continue;
            }
            session.forward(picture)?;
            for (target, seeds) in seeds.iter_mut().enumerate() {
                let terms = objective.parts.iter().zip(weights);
                let own = terms.filter(|(part, _)| part.target == target).enumerate();
                for (number, _) in own.filter(|(_, term)| counts(term)) {
                    if let Some(features) = seeds.as_mut().and_then(|seeds| seeds.placed(number)) {
                        session.read_activation(target, features)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// From now on the network sees pictures rolled.
    pub(crate) fn set_shift(&mut self, shift: [usize; 2]) {
        self.session.set_shift(shift);
    }

    /// Writes the gradient of `Σ weight · value` at `picture`, which the network may have `seen`, to `gradient`, and
    /// returns the sum itself. There is a weight for each term. The picture is what `view` says of a larger one, of
    /// which of each layer only what is `owned` counts; all of it if that is empty.
    pub(crate) fn value_and_gradient(
        &mut self,
        threads: &Threads,
        weights: &[f32],
        (view, owned): (&View, &[Owned]),
        (picture, seen): (&Tensor, Seen),
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        if seen == Seen::Never || self.backwards == Backwards::One {
            self.see_guides(weights)?;
            self.forward(picture)?;
        } else if self.opened {
            self.session.forward(picture)?;
        }
        self.backward(threads, weights, (view, owned), gradient)
    }

    /// Shows the network a picture, and reads what the layers make of it.
    fn forward(&mut self, picture: &Tensor) -> Result<(), GraphError> {
        self.session.forward(picture)?;
        for (target, seeds) in self.seeds.iter_mut().enumerate() {
            match seeds {
                Some(seeds) => self.session.read_activation(target, seeds.activation())?,
                None => self.energies[target] = self.session.half_sum_squares(target)?,
            }
        }
        if let Some([values, _]) = &mut self.first {
            self.session.read_activation(self.objective.parts[0].target, values)?;
        }
        Ok(())
    }

    /// Begins to look for channels that are 0 everywhere, if these weights make that count: each part is to go
    /// through [`Self::survey`] then, before [`Self::value_and_gradient`].
    pub(crate) fn begin_survey(&mut self, weights: &[f32]) -> bool {
        let Self { objective, seeds, .. } = self;
        let mut counts = false;
        for (target, seeds) in seeds.iter_mut().enumerate() {
            seeds.iter_mut().for_each(Seeds::begin_survey);
            counts |= objective.terms_of(target, weights).any(|term| !term.revives().is_empty());
        }
        counts
    }

    /// Looks at the part `picture`, of which `owned` counts of each layer. Returns whether no other part need be
    /// looked at.
    pub(crate) fn survey(
        &mut self,
        weights: &[f32],
        owned: &[Owned],
        picture: &Tensor,
    ) -> Result<bool, GraphError> {
        let Self { objective, session, seeds, .. } = self;
        session.forward(picture)?;
        let mut done = true;
        for ((target, seeds), owned) in seeds.iter_mut().enumerate().zip(owned) {
            let Some(seeds) = seeds else { continue };
            session.read_activation(target, seeds.activation())?;
            done &= seeds.survey(owned, objective.terms_of(target, weights));
        }
        Ok(done)
    }

    /// The backward pass from what the layers have made of the picture, of which all counts or of each layer what
    /// is `owned`.
    fn backward(
        &mut self,
        threads: &Threads,
        weights: &[f32],
        (view, owned): (&View, &[Owned]),
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let mut value = 0.0;
        for (target, seeds) in self.seeds.iter_mut().enumerate() {
            let view = &View { owned: owned.get(target).copied(), ..*view };
            let terms = self.objective.terms_of(target, weights);
            value += match seeds {
                Some(seeds) => seeds.update(threads, view, terms),
                None => {
                    let weight = terms.fold(0.0, |sum, term| sum + term.weight);
                    f64::from(weight) * self.energies[target]
                }
            };
        }
        let objective = self.objective;
        let weight =
            |target| objective.terms_of(target, weights).fold(0.0, |sum, it| sum + it.weight);
        let outputs = self.seeds.iter().enumerate().map(|(target, seeds)| match seeds {
            Some(seeds) => seeds.output_gradient(),
            None => OutputGradient::Activation { weight: weight(target) },
        });
        self.opened =
            outputs.clone().any(|output| matches!(output, OutputGradient::Unmasked { .. }));
        backward(&mut *self.session, outputs, gradient)?;
        Ok(value)
    }
}

/// Takes the backward pass from a gradient at each layer.
fn backward<'a>(
    session: &mut dyn Session,
    outputs: impl ExactSizeIterator<Item = OutputGradient<'a>>,
    gradient: &mut Tensor,
) -> Result<(), GraphError> {
    match outputs.len() <= LAYERS {
        true => session.backward(&outputs.collect::<ArrayVec<_, LAYERS>>(), gradient),
        false => session.backward(&outputs.collect::<Vec<_>>(), gradient),
    }
}
