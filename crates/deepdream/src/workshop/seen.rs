//! What a network sees: its classes by name, and which channels of a layer answer the photo.

use dream::Machine;
use graph::Network;
use media::Image;
use serde_json::{Value, json};

use crate::jobs::ranking;
use crate::{Result, targets};

/// The names of the classes, in their order; none for a network that has no classes to dream of.
pub(super) fn classes(network: &Network) -> Value {
    match dream::class_count(network) {
        Ok(count) if count == network.labels.len() => json!(network.labels),
        _ => json!([]),
    }
}

/// The channels of a layer with their answers, strongest first.
///
/// # Errors
/// No such layer, or a picture too small for it.
pub(super) fn channels(
    network: &Network,
    layer: &str,
    image: &Image,
    at: Option<[f64; 2]>,
    machine: &Machine,
) -> Result<Value> {
    let ranking = ranking(network, layer, image, at, machine)?;
    let ranked = ranking.channels.iter().map(|ranked| (ranked.channel, Some(ranked.answer)));
    Ok(listed(ranked))
}

/// The channels of a layer by their numbers.
///
/// # Errors
/// No such layer.
pub(super) fn unranked(network: &Network, layer: &str) -> Result<Value> {
    targets::find(network, layer)?;
    let layers = network.graph.layers();
    let count = layers.iter().find(|known| known.name == layer).map_or(0, |known| known.channels);
    Ok(listed((0..count).map(|channel| (channel, None))))
}

fn listed(channels: impl Iterator<Item = (usize, Option<f64>)>) -> Value {
    let all = channels.map(|(channel, answer)| json!({ "channel": channel, "answer": answer }));
    all.collect()
}
