//! Guides: each position of a layer grows towards the position of another picture that is most like it.
//!
//! T is the layer's column of values at a position, and Y a column of the guide's. The direction is the Y with
//! the greatest `T·Y` (Google's notebook) or, with a cosine, the one with the greatest cosine; of equal ones the
//! first, row by row. The gradient takes the choice as fixed. Or the direction is the Y at the same place of the
//! guide, which is stretched to the picture's size and rolled as the picture is (lucid's caricature).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use graph::{Network, Shape, Tensor};
use kernels::Context;
use kernels::matching::{Candidates, best_matches};

use super::TermError;
use super::seeds::EPSILON;
use crate::{Assets, Guide, Machine, Pick, PlanError, Recipe, Term};

/// The least side of a guide, in pixels. Of a smaller guide, layers see little but its border.
const LEAST: usize = 32;

/// What a layer makes of guides: channels × 1 × positions, where the positions of all guides are in one row.
pub(crate) type Features = Arc<Tensor>;

/// What a recipe's terms need: the features by layer and guides, and for a term that picks the same place the
/// guide's picture.
pub(crate) type GuideFeatures = BTreeMap<(String, Vec<String>, bool), Features>;

/// Where the features of a term are among those.
pub(crate) fn key(term: &Term) -> (String, Vec<String>, bool) {
    (term.layer.clone(), term.guides.clone(), term.is_placed())
}

/// The features of the guides of all terms of `recipe`, at any time, whose network is `network`.
///
/// # Errors
/// A guide that is missing or too small, or a network that cannot be run.
pub(crate) fn features(
    recipe: &Recipe,
    assets: &Assets,
    network: &Network,
    machine: &Machine,
) -> Result<GuideFeatures, PlanError> {
    let mut features = GuideFeatures::new();
    for term in recipe.objective.iter().filter(|term| !term.guides.is_empty()) {
        if let Entry::Vacant(vacant) = features.entry(key(term)) {
            let pictures = pictures(recipe, assets, term)?;
            vacant.insert(Arc::new(match &pictures[..] {
                [picture] if term.is_placed() => picture.clone().into_owned(),
                pictures => {
                    let pictures: Vec<&Tensor> = pictures.iter().map(|one| &**one).collect();
                    seen(&term.layer, &pictures, network, machine)?
                }
            }));
        }
    }
    Ok(features)
}

/// The pictures of a term's guides, as large as the network is to see them; whole, where they are stretched.
fn pictures<'a>(
    recipe: &Recipe,
    assets: &'a Assets,
    term: &Term,
) -> Result<Vec<Cow<'a, Tensor>>, PlanError> {
    let picture = |name: &String| {
        let guide = recipe.guides.get(name).ok_or_else(|| {
            let there = recipe.guides.keys().cloned().collect();
            TermError::NoGuide { name: name.clone(), there }
        })?;
        let picture = assets.guides.get(name);
        let picture = picture.ok_or_else(|| TermError::GuideNotGiven { guide: name.clone() })?;
        // What another term stretches is larger than this one is to see it.
        let is_large = picture.shape.size().longest() > guide.size as usize;
        let picture = match is_large && !term.is_placed() {
            true => {
                // The part that is looked at is cut out of it already.
                let whole = Guide { part: None, ..guide.clone() };
                Cow::Owned(whole.picture(picture, None))
            }
            false => Cow::Borrowed(picture),
        };
        let (size, layer) = (picture.shape.size(), term.layer.clone());
        match size.height.min(size.width) >= LEAST {
            true => Ok(picture),
            false => Err(TermError::SmallGuide { guide: name.clone(), size, layer, least: LEAST }),
        }
    };
    Ok(term.guides.iter().map(picture).collect::<Result<_, _>>()?)
}

/// What a layer makes of some pictures.
pub(super) fn seen(
    layer: &str,
    pictures: &[&Tensor],
    network: &Network,
    machine: &Machine,
) -> Result<Tensor, PlanError> {
    let target = network.graph.find_target(layer)?;
    let executable = machine.backend.compile(network, &[target])?;
    let mut parts = Vec::new();
    for picture in pictures {
        let size = picture.shape.size();
        let needed = executable.memory(size)?.saturating_add(executable.kept_memory(&[size])?);
        if needed > machine.memory {
            let (tiled, free, fits) = (None, machine.memory, None);
            return Err(PlanError::Memory { size, needed, tiled, free, fits });
        }
        let mut session = Arc::clone(&executable).session(size)?;
        session.forward(picture)?;
        parts.push(session.activation(0)?);
    }
    let channels = parts[0].shape.channels;
    let positions = parts.iter().map(|part| part.shape.plane()).sum();
    let mut all = Tensor::zeros(Shape::new(channels, 1, positions));
    for channel in 0..channels {
        let columns = parts.iter().flat_map(|part| part.channel(channel));
        all.channel_mut(channel).iter_mut().zip(columns).for_each(|(to, from)| *to = *from);
    }
    Ok(all)
}

/// The direction of a term whose guides count on the mean: that mean, or for energy the sum divided by the sum
/// of its magnitudes.
pub(crate) fn average(features: &Tensor, energy: bool) -> Vec<f32> {
    let sum = |channel: usize| features.channel(channel).iter().map(|x| f64::from(*x)).sum();
    let sums: Vec<f64> = (0..features.shape.channels).map(sum).collect();
    let whole = match energy {
        true => sums.iter().map(|sum| sum.abs()).sum::<f64>(),
        false => features.shape.plane() as f64,
    };
    sums.iter().map(|sum| if whole > 0.0 { (sum / whole) as f32 } else { 0.0 }).collect()
}

/// What the direction at each position is taken from.
#[derive(Clone, Debug)]
pub(crate) enum Guiding {
    /// Whichever position of the guides is most like it.
    Match(Arc<Matching>),
    /// The same place of the guide, whose picture this is, of any size.
    Place(Features),
}

/// A guide's positions to choose from.
pub(crate) struct Matching {
    cx: Context,
    /// The features or, with a cosine, these divided by their norms.
    candidates: Candidates,
    features: Features,
    /// The norm of each position's values, ε included, where there is a cosine.
    norms: Vec<f64>,
}

/// The guide's position that was chosen for each of a layer's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched {
    best: Vec<u32>,
    products: Vec<f32>,
}

impl Matching {
    pub(crate) fn new(cx: &Context, features: &Features, cosine: bool) -> Self {
        let (channels, count) = (features.shape.channels, features.shape.plane());
        if !cosine {
            let candidates = Candidates::new(channels, count, &features.data);
            let features = Arc::clone(features);
            return Self { cx: cx.clone(), candidates, features, norms: Vec::new() };
        }
        let square = |at: usize, channel: usize| f64::from(features.channel(channel)[at]).powi(2);
        let norm = |at: usize| (0..channels).map(|channel| square(at, channel)).sum::<f64>().sqrt();
        let norms: Vec<f64> = (0..count).map(|at| norm(at) + EPSILON).collect();
        let scaled = features.data.iter().enumerate();
        let scaled: Vec<f32> =
            scaled.map(|(at, x)| (f64::from(*x) / norms[at % count]) as f32).collect();
        let candidates = Candidates::new(channels, count, &scaled);
        Self { cx: cx.clone(), candidates, features: Arc::clone(features), norms }
    }

    /// Chooses for all positions of `activation`; returns the sum of the dot products.
    pub(crate) fn choose(&self, activation: &Tensor, matched: &mut Matched) -> f64 {
        let Matched { best, products } = matched;
        best_matches(&self.cx, &self.candidates, &activation.data, best, products);
        if !self.norms.is_empty() {
            for (product, best) in products.iter_mut().zip(&*best) {
                *product = (f64::from(*product) * self.norms[*best as usize]) as f32;
            }
        }
        products.iter().map(|product| f64::from(*product)).sum()
    }

    /// The norm, ε included, of what was chosen for a position, and its dot product with the values there.
    pub(crate) fn chosen(&self, matched: &Matched, position: usize) -> (f64, f64) {
        let norm = self.norms[matched.best[position] as usize];
        (norm, f64::from(matched.products[position]))
    }

    /// The direction's value for a channel, position by position.
    pub(crate) fn direction<'a>(
        &'a self,
        matched: &'a Matched,
        channel: usize,
    ) -> impl Iterator<Item = f32> + 'a {
        let features = self.features.channel(channel);
        matched.best.iter().map(|best| features[*best as usize])
    }
}

impl Matched {
    /// Memory for a layer of so many positions.
    pub(crate) fn new(positions: usize) -> Self {
        Self { best: vec![0; positions], products: vec![0.0; positions] }
    }

    /// The guide's positions, by number.
    #[cfg(test)]
    pub(super) fn best(&self) -> &[u32] {
        &self.best
    }
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matching({} candidates)", self.candidates.count())
    }
}

/// The features of a term's guides.
pub(crate) fn of_term(features: &GuideFeatures, term: &Term) -> Result<Features, TermError> {
    let known = features.get(&key(term)).cloned();
    known.ok_or_else(|| TermError::GuideNotGiven { guide: term.guides.join(", ") })
}

impl Term {
    /// Whether its direction is at each position that of the same place of its guide.
    pub(crate) fn is_placed(&self) -> bool {
        !self.guides.is_empty() && self.pick == Pick::Place
    }
}
