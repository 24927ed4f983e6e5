//! Names of classes: ImageNet's 1000, and lists that stand beside a model.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use graph::{Graph, Op};

/// The most bytes of a list of names.
const MAX_LIST: u64 = 1 << 20;

/// The 1000 ImageNet classes in the order in which the Caffe networks have them (that of their
/// WordNet numbers), each by all its names with commas between.
pub(crate) fn imagenet() -> Vec<String> {
    include_str!("../data/imagenet_classes.txt").lines().map(str::to_owned).collect()
}

/// How many classes a network's last layer with weights tells apart, and which of them can be told
/// at all.
fn classes(graph: &Graph) -> Vec<bool> {
    let last = graph.nodes().iter().rfind(|node| matches!(node.op, Op::Conv2d(_) | Op::Dense(_)));
    let weights = match last.map(|node| &node.op) {
        Some(Op::Conv2d(conv)) => &conv.weights,
        Some(Op::Dense(dense)) => &dense.weights,
        _ => return Vec::new(),
    };
    let outputs = outputs(graph);
    let each = weights.len() / outputs.max(1);
    (0..outputs).map(|o| weights[o * each..][..each].iter().any(|&x| x != 0.0)).collect()
}

/// How many classes a network's last layer with weights tells apart.
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

/// ImageNet's names if the network has its 1000 classes first and no others that any picture could
/// be in: outputs whose weights are all 0 only fill up. None otherwise.
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

/// The names in the text file beside the model file at `path` that has one line for each class:
/// `NAME.labels.txt`, `NAME.txt`, or the one that is called `published`.
pub(crate) fn beside(path: &Path, published: Option<&str>, graph: &Graph) -> Option<Vec<String>> {
    let outputs = outputs(graph);
    let published = published.map(|file| path.with_file_name(file));
    ["labels.txt", "txt"]
        .map(|end| path.with_extension(end))
        .into_iter()
        .chain(published)
        .find_map(|candidate| read(&candidate, outputs))
}

/// The lines of a text file, if there is one with `count` of them.
fn read(path: &Path, count: usize) -> Option<Vec<String>> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_LIST).read_to_string(&mut text).ok()?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    (names.len() == count && count > 0).then_some(names)
}
