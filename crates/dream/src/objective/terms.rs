//! The objective: terms on the layers of a network, their value, and what a backward pass starts from.

use std::sync::Arc;

use arrayvec::ArrayVec;
use graph::{Executable, Graph, GraphError, NodeId, OutputGradient, Session, Size, Tensor};
use kernels::Threads;

use super::guide::{Features, Guiding};
use super::place::View;
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
        least: Size,
    ) -> Self {
        Self { executable, targets, parts, weights, shares, least }
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
    pub(crate) fn evaluation(&self, size: Size) -> Result<Evaluation<'_>, GraphError> {
        let session = Arc::clone(&self.executable).session(size)?;
        let seeds = |target: usize| {
            let of_target = || self.parts.iter().filter(|part| part.target == target);
            of_target().any(|part| part.seeding.is_some()).then(|| {
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
        Ok(Evaluation { objective: self, session, seeds, guides })
    }
}

/// Bytes beside a session that the terms take for pictures of `size`.
pub(crate) fn bytes_of_terms(graph: &Graph, targets: &[NodeId], parts: &[Part], size: Size) -> u64 {
    let Ok(shapes) = graph.shapes(targets, size.height, size.width) else { return 0 };
    let bytes = |(target, node): (usize, &NodeId)| {
        let terms = || parts.iter().filter(|part| part.target == target);
        let seeded = terms().any(|part| part.seeding.is_some());
        let shape = shapes[node.index()].filter(|_| seeded);
        let placed = terms().filter(|part| part.placed().is_some()).count();
        shape.map_or(0, |shape| Seeds::bytes(shape, terms().count(), placed))
    };
    // The guides in the picture's size.
    let placed = parts.iter().filter(|part| part.placed().is_some()).count() as u64;
    let guides = placed.saturating_mul(size.pixels()).saturating_mul(3 * size_of::<f32>() as u64);
    targets.iter().enumerate().map(bytes).sum::<u64>().saturating_add(guides)
}

/// The objective on pictures of one size.
pub(crate) struct Evaluation<'p> {
    objective: &'p Objective,
    session: Box<dyn Session>,
    /// For each layer the memory of its terms, if one of them asks for more than all of its energy.
    seeds: Vec<Option<Seeds>>,
    /// The guides that terms look to the same place of, as they are and in the picture's size.
    guides: Vec<(Features, Tensor)>,
}

impl Evaluation<'_> {
    /// Shows the network, as it will see the picture, the guides that terms look to the same place of.
    fn see_guides(&mut self, weights: &[f32]) -> Result<(), GraphError> {
        let Self { objective, session, seeds, guides } = self;
        for (guide, picture) in guides {
            let counts = |(part, weight): &(&Part, &f32)| {
                **weight != 0.0 && part.placed().is_some_and(|own| Arc::ptr_eq(own, guide))
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

    /// Writes the gradient of `Σ weight · value` at `picture`, of which it sees what `view` says, to
    /// `gradient`, and returns the sum itself. There is a weight for each term.
    pub(crate) fn value_and_gradient(
        &mut self,
        threads: &Threads,
        weights: &[f32],
        view: &View,
        picture: &Tensor,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        self.see_guides(weights)?;
        self.session.forward(picture)?;
        let mut value = 0.0;
        for (target, seeds) in self.seeds.iter_mut().enumerate() {
            let terms = self.objective.terms_of(target, weights);
            if let Some(seeds) = seeds {
                self.session.read_activation(target, seeds.activation())?;
                value += seeds.update(threads, view, terms);
            } else {
                let weight = terms.fold(0.0, |sum, term| sum + term.weight);
                value += f64::from(weight) * self.session.half_sum_squares(target)?;
            }
        }
        let objective = self.objective;
        let weight =
            |target| objective.terms_of(target, weights).fold(0.0, |sum, it| sum + it.weight);
        let outputs = self.seeds.iter().enumerate().map(|(target, seeds)| match seeds {
            Some(seeds) => seeds.output_gradient(),
            None => OutputGradient::Activation { weight: weight(target) },
        });
        if self.seeds.len() <= LAYERS {
            let outputs: ArrayVec<_, LAYERS> = outputs.collect();
            self.session.backward(&outputs, gradient)?;
        } else {
            self.session.backward(&outputs.collect::<Vec<_>>(), gradient)?;
        }
        Ok(value)
    }
}
