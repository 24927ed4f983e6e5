//! Which layers a network dreams on by default, and which of its layers are worth trying.

use graph::{Graph, NodeId, Op};

use super::Term;

/// The layers chosen for a network; of one that is not known, one at a depth that is usually worth
/// it. Empty where there is none, and where the network can be used in part only: what depth is worth it is
/// then not known.
pub(crate) fn default_objective(graph: &Graph) -> Vec<Term> {
    if let Some(known) = known(graph) {
        return known;
    }
    if graph.first_unsupported_of_maps().is_some() {
        return Vec::new();
    }
    deep_layer(graph).map(Term::layer).into_iter().collect()
}

/// Whether a network is known by its layers' names, so that its default layers are chosen whatever the picture.
pub fn has_known_layers(graph: &Graph) -> bool {
    known(graph).is_some()
}

/// The layers of a network that is known by its layers' names.
pub(crate) fn known(graph: &Graph) -> Option<Vec<Term>> {
    let layers = KNOWN.iter().find(|known| {
        known
            .marks
            .iter()
            .chain(known.layers.iter().map(|(name, _)| name))
            .all(|name| graph.find_target(name).is_ok())
    });
    let term = |&(name, weight): &(&str, f32)| {
        // The name that the layer is listed under.
        let listed = graph.find(name).map_or(name, |id| &graph.node(id).name);
        Term::layer(listed).weighing(weight)
    };
    Some(layers?.layers.iter().map(term).collect())
}

/// A network that is known by some of its layers' names.
struct Known {
    /// Names that tell it from others, beside those of the layers.
    marks: &'static [&'static str],
    /// The layers to dream on, with their weights.
    layers: &'static [(&'static str, f32)],
}

/// The first that fits counts. The first three were chosen by eye; for the others, what dreamers of other
/// programs use was taken.
const KNOWN: &[Known] = &[
    // BVLC GoogLeNet: animals, buildings and landscapes.
    Known { marks: &[], layers: &[("inception_4c/output", 1.0)] },
    // Inception5h: the same.
    Known { marks: &[], layers: &[("mixed4c", 1.0)] },
    // SqueezeNet: a deep layer for faces and birds, one before it for what holds them together, and
    // a little of the swirls and eyes that fill the space between.
    Known {
        marks: &[],
        layers: &[("fire5/concat", 0.5), ("fire8/concat", 1.0), ("fire9/concat", 4.0)],
    },
    // The same, under torchvision's names: 1.0 and 1.1.
    Known {
        marks: &["features.3.squeeze", "features.5.squeeze"],
        layers: &[("features.7", 0.5), ("features.10", 1.0), ("features.12", 4.0)],
    },
    Known {
        marks: &["features.3.squeeze", "features.6.squeeze"],
        layers: &[("features.7", 0.5), ("features.11", 1.0), ("features.12", 4.0)],
    },
    // GoogLeNet and Inception v3 of torchvision.
    Known { marks: &["inception3a.branch1"], layers: &[("inception4c", 1.0)] },
    Known { marks: &["Mixed_5b.branch1x1"], layers: &[("Mixed_6a", 1.0), ("Mixed_6c", 1.0)] },
    // VGG with 4, 3 and 2 layers in a block, from Caffe and from torchvision.
    Known { marks: &["relu5_4"], layers: &[("relu4_4", 1.0)] },
    Known { marks: &["relu5_3"], layers: &[("relu4_3", 1.0)] },
    Known { marks: &["relu5_2"], layers: &[("relu4_2", 1.0)] },
    // AlexNet and Network in Network.
    Known { marks: &["relu1", "pool5"], layers: &[("relu5", 1.0)] },
    Known { marks: &["relu0", "relu11"], layers: &[("relu7", 1.0)] },
    // ResNet and its relatives, torchvision's and Caffe's.
    Known { marks: &["layer2.1", "layer4.0"], layers: &[("layer3", 1.0)] },
    Known { marks: &["res5a_branch1"], layers: &[("res4b", 1.0)] },
    Known { marks: &["trunk_output.block4"], layers: &[("trunk_output.block3", 1.0)] },
    Known { marks: &["features.denseblock4"], layers: &[("features.denseblock3", 1.0)] },
    // MobileNet and MNASNet: version 2, and 3 large and small.
    Known { marks: &["features.17.conv.0"], layers: &[("features.13", 1.0)] },
    Known { marks: &["features.15.block.0"], layers: &[("features.11", 1.0)] },
    Known { marks: &["features.11.block.0"], layers: &[("features.8", 1.0)] },
    Known { marks: &["layers.13.0.layers.0"], layers: &[("layers.11", 1.0)] },
    // ShuffleNet V2.
    Known { marks: &["stage3.7.branch2.0", "stage4.3.branch2.0"], layers: &[("stage3", 1.0)] },
    // EfficientNet.
    Known { marks: &["features.6.0.block.0"], layers: &[("features.4", 1.0), ("features.6", 1.0)] },
    // ConvNeXt with the names of torchvision, of its authors and of timm.
    Known {
        marks: &["features.7.0.block.0"],
        layers: &[("features.5.5", 1.0), ("features.5.8", 1.0)],
    },
    Known { marks: &["stages.3.0.dwconv"], layers: &[("stages.2.5", 1.0), ("stages.2.8", 1.0)] },
    Known {
        marks: &["stages.3.blocks.0.conv_dw"],
        layers: &[("stages.2.blocks.5", 1.0), ("stages.2.blocks.8", 1.0)],
    },
];

/// The layer that suits guides: one of strokes, petals and ornaments, which is where most networks are at two
/// fifths of their depth.
pub fn guide_layer(graph: &Graph) -> Option<String> {
    let known = GUIDED.iter().find(|name| graph.find_target(name).is_ok());
    known.map(|name| (*name).to_owned()).or_else(|| layer_at(graph, 2))
}

/// The layers for guides of GoogLeNet, Inception5h and SqueezeNet.
const GUIDED: [&str; 3] = ["inception_3b/output", "mixed3b", "fire6/concat"];

/// The layer to dream on: at three fifths of the depth most networks have whole patterns but not yet whole
/// things.
fn deep_layer(graph: &Graph) -> Option<String> {
    layer_at(graph, 3)
}

/// The first layer at so many fifths of the network's depth or deeper: best one that joins branches, or else
/// one that has cut off what is below 0.
fn layer_at(graph: &Graph, fifths: usize) -> Option<String> {
    let layers: Vec<_> = graph
        .layers()
        .into_iter()
        .filter(|layer| graph.find_target(&layer.name).is_ok_and(|id| is_spatial(graph, id)))
        .collect();
    let deepest = layers.iter().map(|layer| layer.depth).max()?;
    let deep = || layers.iter().filter(|layer| layer.depth * 5 >= deepest * fifths);
    let is = |layer: &graph::Layer, wanted: fn(&Op) -> bool| {
        graph.find(&layer.name).is_ok_and(|id| wanted(&graph.node(id).op))
    };
    deep()
        .find(|layer| is(layer, |op| matches!(op, Op::Concat | Op::Add)))
        .or_else(|| deep().find(|layer| is(layer, |op| matches!(op, Op::Relu))))
        .or_else(|| deep().next())
        .map(|layer| layer.name.clone())
}

/// Whether nothing on the way to the layer has done away with positions.
fn is_spatial(graph: &Graph, id: NodeId) -> bool {
    spatial(graph)[id.index()]
}

/// For each node, whether nothing on the way to it has done away with positions. What only weighs channels,
/// as a gate does, takes none away from what it weighs.
fn spatial(graph: &Graph) -> Vec<bool> {
    let mut spatial: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let ends = matches!(
            node.op,
            Op::Dense(_) | Op::GlobalAveragePool | Op::GlobalMaxPool | Op::Softmax
        );
        let mut inputs = node.inputs.iter().map(|input| spatial[input.index()]);
        let kept = match node.inputs.len() {
            0 | 1 => inputs.all(|kept| kept),
            _ => inputs.any(|kept| kept),
        };
        spatial.push(kept && !ends);
    }
    spatial
}

/// A layer that is worth trying, with how deep it lies: 0 at the picture, 1 at the deepest layer that has
/// positions.
#[derive(Clone, Debug, PartialEq)]
pub struct WorthTrying {
    /// The layer.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How deep it lies.
    pub depth: f32,
}

/// How deep layers are worth trying: those before see edges, and those after are mostly about single classes.
const WORTH: std::ops::RangeInclusive<f32> = 0.25..=0.95;

/// The most layers worth trying of those that have one stride.
const MOST_OF_A_STRIDE: usize = 3;

/// The layers that are worth trying first: the ends of blocks that join branches, or else activations; of
/// those that have one stride a few, the last among them.
pub fn worth_trying(graph: &Graph) -> Vec<WorthTrying> {
    let spatial = spatial(graph);
    let mut readers = vec![Vec::new(); graph.nodes().len()];
    for (index, node) in graph.nodes().iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.index()].push(index));
    }
    let is_activation = |op: &Op| matches!(op, Op::Relu | Op::PRelu(_) | Op::Unary(_));
    let layers: Vec<(NodeId, graph::Layer)> = graph
        .layers()
        .into_iter()
        .filter_map(|layer| Some((graph.find_target(&layer.name).ok()?, layer)))
        .filter(|(id, _)| spatial[id.index()])
        .collect();
    let deepest = layers.iter().map(|(_, layer)| layer.depth).max().unwrap_or(0).max(1);
    let op = |id: &NodeId| &graph.node(*id).op;
    let joins = |id: &NodeId| matches!(op(id), Op::Concat | Op::Add);
    // A block ends with the activation after the join, where there is one.
    let ends_block = |id: &NodeId| {
        let node = graph.node(*id);
        let before = node.inputs.first().filter(|_| is_activation(&node.op));
        let joined =
            before.is_some_and(|before| joins(before) && readers[before.index()].len() == 1);
        let passed_on =
            matches!(readers[id.index()][..], [reader] if is_activation(&graph.nodes()[reader].op));
        joined || joins(id) && !passed_on
    };
    let blocks = layers.iter().filter(|(id, _)| ends_block(id)).count();
    let candidates = layers.iter().filter(|(id, layer)| {
        let depth = layer.depth as f32 / deepest as f32;
        let fits = if blocks >= 3 { ends_block(id) } else { is_activation(op(id)) };
        fits && WORTH.contains(&depth)
    });
    let mut by_stride: Vec<(usize, Vec<&(NodeId, graph::Layer)>)> = Vec::new();
    for candidate in candidates {
        let stride = candidate.1.stride;
        match by_stride.iter_mut().find(|(of, _)| *of == stride) {
            Some((_, group)) => group.push(candidate),
            None => by_stride.push((stride, vec![candidate])),
        }
    }
    let mut worth = Vec::new();
    for (_, group) in by_stride {
        let count = group.len().min(MOST_OF_A_STRIDE);
        for part in 1..=count {
            let (node, layer) = group[group.len() * part / count - 1];
            let depth = layer.depth as f32 / deepest as f32;
            worth.push(WorthTrying { node: *node, name: layer.name.clone(), depth });
        }
    }
    worth.sort_by_key(|layer| layer.node);
    worth
}

#[cfg(test)]
mod tests {
    use graph::{Conv2d, GraphBuilder, Window};

    use super::*;

    fn conv(inputs: usize, stride: usize) -> Op {
        Op::Conv2d(Conv2d {
            window: Window::new([1, 1], [stride; 2]),
            out_channels: 2,
            in_channels: inputs,
            groups: 1,
            weights: vec![1.0; 2 * inputs].into(),
            bias: [0.0; 2].into(),
        })
    }

    /// Blocks of a convolution and a ReLU, of which every second halves the size; with `shortcuts`, each adds
    /// its input before the ReLU.
    fn network(blocks: usize, shortcuts: bool) -> Graph {
        let mut builder = GraphBuilder::new("image", 3);
        let mut x = builder.add("stem", conv(3, 1), &[builder.input()]);
        for block in 0..blocks {
            if block % 2 == 1 {
                x = builder.add(format!("half{block}"), conv(2, 2), &[x]);
            }
            let mut y = builder.add(format!("conv{block}"), conv(2, 1), &[x]);
            if shortcuts {
                y = builder.add(format!("sum{block}"), Op::Add, &[x, y]);
            }
            x = builder.add(format!("block{block}"), Op::Relu, &[y]);
        }
        builder.add("classes", Op::GlobalAveragePool, &[x]);
        builder.finish()
    }

    #[test]
    fn blocks_end_after_their_join() {
        for shortcuts in [false, true] {
            let names: Vec<String> =
                worth_trying(&network(6, shortcuts)).into_iter().map(|layer| layer.name).collect();
            assert_eq!(names, ["block1", "block2", "block3", "block4", "block5"][..names.len()]);
            assert!(names.len() >= 4, "{names:?}");
        }
    }

    #[test]
    fn few_layers_of_one_stride_are_worth_trying() {
        let mut builder = GraphBuilder::new("image", 3);
        let mut x = builder.add("stem", conv(3, 1), &[builder.input()]);
        for block in 0..40 {
            x = builder.add(format!("conv{block}"), conv(2, 1), &[x]);
            x = builder.add(format!("relu{block}"), Op::Relu, &[x]);
        }
        assert_eq!(worth_trying(&builder.finish()).len(), MOST_OF_A_STRIDE);
    }
}
