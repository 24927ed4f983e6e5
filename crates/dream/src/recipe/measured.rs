//! Which layer of a network that nobody knows a dream is made of: the one that has most to say about the
//! picture.
//!
//! Depth alone does not tell: networks have layers of which most channels are silent, or in which one channel
//! drowns all others, and dreams on them are grey or of one pattern. So the layers worth trying see a small
//! copy of the picture once, and what they make of it decides. The choice stands in the recipe.

use graph::{Network, Session, Size, Tensor};

use super::Term;
use super::default_layers::{WorthTrying, default_objective, known, worth_trying};
use crate::image::scaled;
use crate::{DreamError, Machine};

/// The longest side of the small copy, in pixels.
const SIDE: usize = 224;

/// How deep layers are compared.
const DEPTHS: std::ops::RangeInclusive<f32> = 0.4..=0.75;

/// The depth that is best where nothing else decides.
const BEST_DEPTH: f32 = 0.6;

/// The most layers that are compared.
const MOST: usize = 8;

/// A channel whose mean square is a smaller part of the layer's is silent.
const SILENT: f64 = 1e-6;

/// The layers to dream on for `image`, planes of RGB of 0–255: those chosen for a known network, or else the
/// one that responds best to the picture.
///
/// # Errors
/// A network that cannot be run.
pub fn measured_objective(
    network: &Network,
    image: &Tensor,
    machine: &Machine,
) -> Result<Vec<Term>, DreamError> {
    let by_depth = default_objective(&network.graph);
    if known(&network.graph).is_some() || by_depth.is_empty() {
        return Ok(by_depth);
    }
    let mut candidates: Vec<WorthTrying> = worth_trying(&network.graph);
    candidates.retain(|layer| DEPTHS.contains(&layer.depth));
    let step = candidates.len().div_ceil(MOST).max(1);
    let candidates: Vec<WorthTrying> = candidates.into_iter().step_by(step).collect();
    if candidates.len() < 2 {
        return Ok(by_depth);
    }
    let size = Size::new(image.shape.height, image.shape.width);
    let longest = size.height.max(size.width).min(SIDE);
    let small = scaled(machine.context.threads(), image, size.with_longest(longest));
    let Some(session) = ready(network, &candidates, &small, machine)? else { return Ok(by_depth) };
    let mut best: Option<(f64, &WorthTrying)> = None;
    for (index, layer) in candidates.iter().enumerate() {
        let score = score(&session.activation(index)?, layer.depth);
        if score > best.map_or(0.0, |(best, _)| best) {
            best = Some((score, layer));
        }
    }
    Ok(best.map_or(by_depth, |(_, layer)| vec![Term::layer(&*layer.name)]))
}

/// A session that has seen the picture; `None` where it is too small for the layers, or memory is.
fn ready(
    network: &Network,
    candidates: &[WorthTrying],
    image: &Tensor,
    machine: &Machine,
) -> Result<Option<Box<dyn Session>>, DreamError> {
    let targets: Vec<_> = candidates.iter().map(|layer| layer.node).collect();
    let size = Size::new(image.shape.height, image.shape.width);
    let executable = machine.backend.compile(network, &targets)?;
    match executable.memory(size) {
        Ok(memory) if memory <= machine.memory => {}
        _ => return Ok(None),
    }
    let mut session = executable.session(size)?;
    session.forward(image)?;
    Ok(Some(session))
}

/// How much an activation has to say: many channels that respond, none that drowns the others, each in few
/// places. 0 where it is not finite.
fn score(activation: &Tensor, depth: f32) -> f64 {
    let plane = activation.shape.plane().max(1);
    let channel = |values: &[f32]| {
        let sum = |f: fn(f64) -> f64| values.iter().map(|&x| f(f64::from(x))).sum::<f64>();
        let (mean, square) = (sum(f64::abs) / plane as f64, sum(|x| x * x) / plane as f64);
        (mean, square)
    };
    let channels: Vec<(f64, f64)> = activation.data.chunks(plane).map(channel).collect();
    let total: f64 = channels.iter().map(|(_, square)| square).sum();
    if !total.is_finite() || total <= 0.0 {
        return 0.0;
    }
    let count = channels.len() as f64;
    let alive = || channels.iter().filter(|(_, square)| *square * count > SILENT * total);
    let share = alive().count() as f64 / count;
    // How many channels share the activity evenly (the participation ratio), of all.
    let squares: f64 = channels.iter().map(|(_, square)| square * square).sum();
    let even = total * total / squares / count;
    // How few places a channel responds in: 0 for everywhere alike (Treves and Rolls 1991).
    let sparse = alive().map(|(mean, square)| 1.0 - mean * mean / square).sum::<f64>();
    let sparse = sparse / (alive().count() as f64).max(1.0);
    let off = f64::from(depth - BEST_DEPTH);
    share * even.sqrt() * sparse * (1.0 - 2.0 * off * off)
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    fn activation(channels: &[[f32; 4]]) -> Tensor {
        Tensor { shape: Shape::new(channels.len(), 2, 2), data: channels.concat().into() }
    }

    #[test]
    fn silent_loud_and_even_layers_have_less_to_say() {
        let score = |channels: &[[f32; 4]]| score(&activation(channels), BEST_DEPTH);
        let lively = score(&[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
        let half_silent = score(&[[1.0, 0.0, 0.0, 0.0], [0.0; 4]]);
        let one_loud = score(&[[100.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
        let even = score(&[[1.0, 0.9, 1.0, 1.0], [1.0, 1.0, 0.9, 1.0]]);
        assert!(lively > half_silent && lively > one_loud && lively > 10.0 * even);
        assert_eq!(score(&[[0.0; 4]; 2]), 0.0);
        assert_eq!(score(&[[f32::NAN; 4]; 2]), 0.0);
        assert_eq!(score(&[[f32::INFINITY, 0.0, 0.0, 0.0]; 2]), 0.0);
    }
}
