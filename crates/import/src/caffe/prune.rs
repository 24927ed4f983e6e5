//! Which of a network's layers are there only to train it.

use std::collections::{HashMap, HashSet};

use super::layer::Layer;
use super::proto::Rule;

/// Layers that bring pictures or labels in.
const DATA: &[&str] = &[
    "AnnotatedData",
    "Data",
    "DummyData",
    "HDF5Data",
    "ImageData",
    "Input",
    "MemoryData",
    "WindowData",
];

/// Layers that serve training alone.
const JUDGES: &[&str] = &["Accuracy", "ArgMax", "HDF5Output", "Silence"];

/// Layers with weights, which make a way through the network deep.
const DEEP: &[&str] = &["Convolution", "Deconvolution", "InnerProduct"];

/// Whether the layer brings pictures or labels in.
pub(super) fn is_data(layer: &Layer) -> bool {
    DATA.contains(&layer.r#type.as_str())
}

/// The layers that run outside training, by their rules.
///
/// Of a file that was saved while training, which has no others of their name, those with weights too, since
/// they are what was trained; and all that bring pictures in, since they tell what these are like.
pub(super) fn choose(layers: Vec<Layer>) -> Vec<Layer> {
    let running: Vec<bool> = layers.iter().map(runs).collect();
    let names: HashSet<String> = layers
        .iter()
        .zip(&running)
        .filter(|(_, runs)| **runs)
        .map(|(layer, _)| layer.name.clone())
        .collect();
    let needed =
        |layer: &Layer| is_data(layer) || !layer.blobs.is_empty() && !names.contains(&layer.name);
    let chosen = layers.into_iter().zip(running);
    chosen.filter(|(layer, runs)| *runs || needed(layer)).map(|(layer, _)| layer).collect()
}

/// The layers that the main output needs, in order. That output is the end of the way with the most
/// layers with weights; of several, the last.
pub(super) fn prune(layers: Vec<Layer>) -> Vec<Layer> {
    let wanted = |layer: &Layer| {
        let kind = layer.r#type.as_str();
        let judges = JUDGES.contains(&kind) || kind.ends_with("Loss");
        !is_data(layer) && !judges && !kind.ends_with("WithLoss")
    };
    let layers: Vec<Layer> = layers.into_iter().filter(wanted).collect();

    let mut makers: HashMap<&str, usize> = HashMap::new();
    let mut sources: Vec<Vec<usize>> = Vec::with_capacity(layers.len());
    let mut depths: Vec<usize> = Vec::with_capacity(layers.len());
    for (place, layer) in layers.iter().enumerate() {
        let from: Vec<usize> =
            layer.bottom.iter().filter_map(|name| makers.get(name.as_str()).copied()).collect();
        let before = from.iter().map(|&source| depths[source]).max().unwrap_or(0);
        depths.push(before + usize::from(DEEP.contains(&layer.r#type.as_str())));
        sources.push(from);
        makers.extend(layer.top.iter().map(|name| (name.as_str(), place)));
    }
    let mut needed = vec![false; layers.len()];
    if let Some(main) = (0..layers.len()).max_by_key(|&place| (depths[place], place)) {
        needed[main] = true;
    }
    for place in (0..layers.len()).rev() {
        if needed[place] {
            for &source in &sources[place] {
                needed[source] = true;
            }
        }
    }
    layers.into_iter().zip(needed).filter(|(_, needed)| *needed).map(|(layer, _)| layer).collect()
}

/// Whether a layer runs outside training, by its rules.
fn runs(layer: &Layer) -> bool {
    if layer.include.is_empty() {
        !layer.exclude.iter().any(meets)
    } else {
        layer.include.iter().any(meets)
    }
}

/// Whether use, at level 0 and the stage of that name, meets a rule.
fn meets(rule: &Rule) -> bool {
    const TEST: i32 = 1;
    const STAGE: &str = "deploy";
    rule.phase.is_none_or(|phase| phase == TEST)
        && rule.min_level.is_none_or(|level| level <= 0)
        && rule.max_level.is_none_or(|level| level >= 0)
        && rule.stage.iter().all(|stage| stage == STAGE)
        && rule.not_stage.iter().all(|stage| stage != STAGE)
}
