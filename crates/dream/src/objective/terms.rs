//! The objective: terms on the layers of a network, their value, and what a backward pass starts from.

use std::sync::Arc;

use arrayvec::ArrayVec;
use graph::{Executable, Graph, GraphError, NodeId, OutputGradient, Session, Size, Tensor};
use kernels::Threads;

use super::place::View;
use super::seeds::{Active, Seeding, Seeds};

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
        Ok(Evaluation { objective: self, session, seeds })
    }
}

/// Bytes beside a session that the terms take for pictures of `size`.
pub(crate) fn bytes_of_terms(graph: &Graph, targets: &[NodeId], parts: &[Part], size: Size) -> u64 {
    let Ok(shapes) = graph.shapes(targets, size.height, size.width) else { return 0 };
    let bytes = |(target, node): (usize, &NodeId)| {
        let terms = || parts.iter().filter(|part| part.target == target);
        let seeded = terms().any(|part| part.seeding.is_some());
        let shape = shapes[node.index()].filter(|_| seeded);
        shape.map_or(0, |shape| Seeds::bytes(shape, terms().count()))
    };
    targets.iter().enumerate().map(bytes).sum()
}

/// The objective on pictures of one size.
pub(crate) struct Evaluation<'p> {
    objective: &'p Objective,
    session: Box<dyn Session>,
    /// For each layer the memory of its terms, if one of them asks for more than all of its energy.
    seeds: Vec<Option<Seeds>>,
}

impl Evaluation<'_> {
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
