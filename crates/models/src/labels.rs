//! Class names: ImageNet's 1000, and lists beside model files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use graph::{Graph, Op};
use import::printable;

/// The largest list of names that is read, in bytes.
const MAX_LIST: u64 = 1 << 20;

/// The names of ImageNet's 1000 classes in the order of Caffe's networks, which is that of their WordNet
/// numbers. Synonyms are separated by commas.
pub(crate) fn imagenet() -> Vec<String> {
    include_str!("../data/imagenet_classes.txt").lines().map(str::to_owned).collect()
}

/// For each class of a network's last layer with weights, whether any of its weights is not 0.
fn classes(graph: &Graph) -> Vec<bool> {
    let last = graph.nodes().iter().rfind(|node| matches!(node.op, Op::Conv2d(_) | Op::Dense(_)));
    let weights = match last.map(|node| &node.op) {
        Some(Op::Conv2d(conv)) => &conv.weights,
        Some(Op::Dense(dense)) => &dense.weights,
        _ => return Vec::new(),
    };
    // Whoever dreams on that layer is told why they cannot be read.
    let Ok(weights) = weights.get() else { return Vec::new() };
    let outputs = outputs(graph);
    let each = weights.len() / outputs.max(1);
    (0..outputs).map(|o| weights[o * each..][..each].iter().any(|&x| x != 0.0)).collect()
}

/// The number of classes of a network's last layer with weights.
fn outputs(graph: &Graph) -> usize {
    graph
        .nodes()
        .iter()
        .rev()
        .find_map(|node| match &node.op {
            Op::Conv2d(conv) => Some(conv.out_channels),
            Op::Dense(dense) => Some(dense.out_features),
            _ => None,
        })
        .unwrap_or(0)
}

/// ImageNet's names if its 1000 classes are the only ones the network uses, and no names otherwise.
/// Outputs after them whose weights are all 0 are unused.
pub(crate) fn for_outputs(graph: &Graph) -> Vec<String> {
    let classes = classes(graph);
    let names = imagenet();
    let used = classes.iter().rposition(|&used| used).map_or(0, |last| last + 1);
    if used != names.len() {
        return Vec::new();
    }
    let fill = (names.len()..classes.len()).map(|_| "(no class)".to_owned());
    names.into_iter().chain(fill).collect()
}

/// The class names from the first of the text files beside the model file that has one line for each
/// class: `NAME.labels.txt`, `NAME.txt`, and the one called `published`.
pub(crate) fn beside(path: &Path, published: Option<&str>, graph: &Graph) -> Option<Vec<String>> {
    let outputs = outputs(graph);
    let published = published.map(|file| path.with_file_name(file));
    ["labels.txt", "txt"]
        .map(|end| path.with_extension(end))
        .into_iter()
        .chain(published)
        .find_map(|candidate| read(&candidate, outputs))
}

/// The names that a model file has for its classes, if there is one for each.
pub(crate) fn fitting(names: Vec<String>, graph: &Graph) -> Option<Vec<String>> {
    (!names.is_empty() && names.len() == outputs(graph)).then_some(names)
}

/// The lines of a text file, if it can be read and has `count` of them.
fn read(path: &Path, count: usize) -> Option<Vec<String>> {
    if !path.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_LIST).read_to_string(&mut text).ok()?;
    let names: Vec<String> = text.lines().map(|line| printable(line.trim())).collect();
    (names.len() == count && count > 0).then_some(names)
}
