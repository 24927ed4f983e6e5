//! What the terms of a recipe are on a network: classes by their numbers, channels as lists, and each term as
//! a direction of one of the layers that the network is run to.

use std::sync::Arc;

use graph::{Graph, Network, NodeId, Tensor};
use kernels::Context;

use super::class::{Classes, channels};
use super::guide::{self, GuideFeatures, Guiding, Matching};
use super::{Chooser, Part, Seeding, TermError};
use crate::{Channels, ClassId, Machine, Measure, Pick, PlanError, Recipe, Term};

/// Where a recipe's terms are, of a network that has what they need.
pub(crate) struct Resolved {
    /// The layers, each once.
    pub(crate) targets: Vec<NodeId>,
    /// For each term its part.
    pub(crate) parts: Vec<Part>,
    /// The network's graph with its fully connected layers made convolutions, if its classes need that.
    pub(crate) convolved: Option<Graph>,
}

/// Finds the terms of `recipe` on `network`.
///
/// # Errors
/// A layer, channel or class that is not there.
pub(crate) fn resolve(
    recipe: &Recipe,
    network: &Network,
    (cx, features): (&Context, &GuideFeatures),
) -> Result<Resolved, PlanError> {
    let (mut classes, mut convolved) = (None, None);
    if recipe.objective.iter().any(|term| term.class.is_some()) {
        let mut found = Classes::of(network)?;
        convolved = found.convolved.take();
        classes = Some(found);
    }
    let graph = convolved.as_ref().unwrap_or(&network.graph);
    let mut targets = Vec::new();
    let mut parts = Vec::new();
    for term in &recipe.objective {
        let node = match (&term.class, &classes) {
            (Some(_), Some(classes)) => classes.node,
            _ => graph.find_target(&term.layer)?,
        };
        let target = targets.iter().position(|target| *target == node).unwrap_or_else(|| {
            targets.push(node);
            targets.len() - 1
        });
        let seeding = match term.is_plain() {
            true => None,
            false if !term.guides.is_empty() => Some(guided(term, (cx, features))?),
            false => Some(seeding(recipe, term, (network, graph), node, classes.as_ref())?),
        };
        parts.push(Part { target, seeding });
    }
    Ok(Resolved { targets, parts, convolved })
}

/// What the backward pass starts from for a term with guides.
fn guided(term: &Term, (cx, features): (&Context, &GuideFeatures)) -> Result<Seeding, PlanError> {
    let features = guide::of_term(features, term)?;
    let (measure, cosine) = (term.measure(), term.cosine);
    let (direction, guiding) = match term.pick {
        Pick::Average => (guide::average(&features, measure == Measure::Energy), None),
        Pick::Match => {
            let matching = Matching::new(cx, &features, cosine > 0.0);
            (Vec::new(), Some(Guiding::Match(Arc::new(matching))))
        }
        Pick::Place => (Vec::new(), Some(Guiding::Place(features))),
    };
    Ok(Seeding { direction, listed: Vec::new(), guiding, measure, cosine, at: None })
}

/// What the backward pass starts from for a term that is not a whole layer's energy.
fn seeding(
    recipe: &Recipe,
    term: &Term,
    (network, graph): (&Network, &Graph),
    node: NodeId,
    classes: Option<&Classes>,
) -> Result<Seeding, PlanError> {
    let count = channels(graph, node).unwrap_or(0);
    let (layer, mut listed) = (|| graph.node(node).name.clone(), Vec::new());
    let direction = if let (Some(class), Some(classes)) = (&term.class, classes) {
        let number = classes.number(network, class)? as usize;
        let direction = classes.direction(graph, number, count)?;
        if direction.iter().all(|&weight| weight == 0.0) {
            let network = network.name.clone();
            return Err(TermError::UnusedClass { network, class: number }.into());
        }
        direction
    } else if let Some(name) = &term.vector {
        let values = recipe.vectors.get(name).map_or(&[][..], |vector| &vector.values);
        if values.len() != count {
            let (vector, values, layer) = (name.clone(), values.len(), layer());
            return Err(TermError::VectorLength { vector, values, layer, channels: count }.into());
        }
        values.to_vec()
    } else if let Some(wanted) = &term.channels {
        let mut direction = vec![0.0; count];
        // Until a picture has chosen them, there are none.
        if let Channels::Listed(list) = wanted {
            for &channel in list {
                direction[channel as usize] = 1.0;
            }
            listed = (0..count).filter(|&channel| direction[channel] != 0.0).collect();
        }
        direction
    } else {
        vec![1.0; count]
    };
    let (measure, cosine, at) = (term.measure(), term.cosine, term.at);
    Ok(Seeding { direction, listed, guiding: None, measure, cosine, at })
}

impl Recipe {
    /// This recipe with the classes of its terms, those of keyframes too, as numbers, and their channels as
    /// lists; those that a picture has to choose by `choose`, which is given a layer and makes a list.
    ///
    /// # Errors
    /// A layer, channel or class that is not there, or what `choose` fails with.
    pub(crate) fn settled(
        mut self,
        network: &Network,
        choose: &mut dyn FnMut(&str, &Channels) -> Result<Channels, PlanError>,
    ) -> Result<Recipe, PlanError> {
        let mut classes = None;
        let keyframes = self.zoom.iter_mut().flat_map(|zoom| &mut zoom.keyframes);
        let lists = keyframes.filter_map(|keyframe| keyframe.set.objective.as_mut());
        for term in lists.chain([&mut self.objective]).flatten() {
            if let Some(class) = &term.class {
                let classes = match &classes {
                    Some(classes) => classes,
                    None => classes.insert(Classes::of(network)?),
                };
                term.class = Some(ClassId::Number(classes.number(network, class)?));
            }
            if let Some(wanted) = &term.channels {
                let node = network.graph.find_target(&term.layer)?;
                let count = channels(&network.graph, node).unwrap_or(0);
                check(wanted, &term.layer, count)?;
                term.channels = Some(match wanted {
                    Channels::Listed(_) => continue,
                    Channels::Not(left_out) => Channels::Listed(others(left_out, count)),
                    to_choose => choose(&term.layer, to_choose)?,
                });
            }
        }
        Ok(self)
    }

    /// This recipe with the channels listed that it leaves to the picture that is dreamt on, such as the first
    /// of a movie's frames.
    ///
    /// # Errors
    /// A layer or channels that are not there, a picture too small for a layer, or too little memory.
    pub fn with_channels_chosen(
        self,
        network: &Network,
        machine: &Machine,
        picture: &Tensor,
    ) -> Result<Recipe, PlanError> {
        self.chosen(&Chooser { network, machine, picture })
    }

    pub(crate) fn chosen(self, chooser: &Chooser<'_>) -> Result<Recipe, PlanError> {
        self.settled(chooser.network, &mut |layer, wanted| chooser.choose(layer, wanted))
    }

    /// Whether any term, at whatever time, has channels that a picture has to choose.
    pub fn needs_picture(&self) -> bool {
        let keyframes = self.zoom.iter().flat_map(|zoom| &zoom.keyframes);
        let lists = keyframes.filter_map(|keyframe| keyframe.set.objective.as_ref());
        let mut terms = lists.chain([&self.objective]).flatten();
        terms.any(|term| term.channels.as_ref().is_some_and(Channels::need_picture))
    }
}

/// All channels of a layer of `count` but those in a list.
fn others(left_out: &[u32], count: usize) -> Vec<u32> {
    let mut kept = vec![true; count];
    left_out.iter().for_each(|&channel| kept[channel as usize] = false);
    (0..count as u32).filter(|&channel| kept[channel as usize]).collect()
}

/// Whether a layer of `count` channels has those that are wanted.
fn check(wanted: &Channels, layer: &str, count: usize) -> Result<(), TermError> {
    let layer = || layer.to_owned();
    let fits = match wanted {
        Channels::Listed(list) | Channels::Not(list) => {
            if let Some(&channel) = list.iter().find(|channel| **channel as usize >= count) {
                return Err(TermError::NoChannel { layer: layer(), channels: count, channel });
            }
            matches!(wanted, Channels::Listed(_)) || !others(list, count).is_empty()
        }
        Channels::Strongest(n) | Channels::Average(n) | Channels::Weakest(n) => {
            *n as usize <= count
        }
    };
    if fits {
        return Ok(());
    }
    let asked = wanted.to_string();
    Err(TermError::ChannelCount { asked, layer: layer(), channels: count })
}
