//! Makes fully connected layers convolutions, so that a network takes images larger than those it was trained
//! with and gives a map of what it gave one value for (<https://arxiv.org/abs/1411.4038>).

use crate::{Conv2d, Graph, NodeId, Op, Window};

/// `graph` with every fully connected layer as the convolution whose square window is the layer's input in
/// training. Nodes keep their numbers and names. `None` if there is no such layer, or one whose input was no
/// square.
pub fn dense_as_convolutions(graph: &Graph) -> Option<Graph> {
    let mut convolved = graph.clone();
    let mut channels: Vec<Option<usize>> = vec![Some(graph.input_channels())];
    let mut any = false;
    for (index, node) in graph.nodes().iter().enumerate().skip(1) {
        let inputs: Option<Vec<usize>> =
            node.inputs.iter().map(|input| channels[input.index()]).collect();
        if let Op::Dense(dense) = &node.op {
            let in_channels = *inputs.as_ref()?.first()?;
            let side = (dense.in_features / in_channels.max(1)).isqrt();
            if side * side * in_channels != dense.in_features {
                return None;
            }
            let convolution = Conv2d {
                window: Window::new([side, side], [1, 1]),
                out_channels: dense.out_features,
                in_channels,
                groups: 1,
                // Both are in the order of channel, row, column.
                weights: dense.weights.clone(),
                bias: dense.bias.clone(),
            };
            convolved.replace_op(NodeId(index), Op::Conv2d(convolution));
            any = true;
        }
        channels.push(inputs.and_then(|inputs| node.op.channels(&inputs)));
    }
    any.then_some(convolved)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::reference::forward;
    use crate::{Dense, GraphBuilder, InputSpec, Network, Tensor};

    #[test]
    fn a_convolution_gives_what_the_layer_gave_and_a_map_for_more() {
        let mut builder = GraphBuilder::new("image", 3);
        let values = |count: usize| (0..count).map(|i| (i * 7 % 11) as f32 - 5.0);
        let dense = |ins: usize, outs: usize| {
            Op::Dense(Dense {
                out_features: outs,
                in_features: ins,
                weights: values(ins * outs).collect(),
                bias: values(outs).collect::<Arc<[f32]>>(),
            })
        };
        let first = builder.add("first", dense(3 * 4 * 4, 5), &[builder.input()]);
        let relu = builder.add("relu", Op::Relu, &[first]);
        let last = builder.add("last", dense(5, 2), &[relu]);
        let graph = builder.finish();
        let network = |graph: Graph| Network {
            name: String::new(),
            hash: String::new(),
            graph,
            input: InputSpec::default(),
            labels: Vec::new(),
        };
        let convolved = network(dense_as_convolutions(&graph).unwrap());
        let image = |height: usize, width: usize| {
            let mut image = Tensor::zeros(crate::Shape::new(3, height, width));
            image.data.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 13) as f32);
            image
        };
        let trained = image(4, 4);
        let by = |network: &Network, image: &Tensor| {
            forward::<f64>(network, &[last], image).unwrap().activation(last)
        };
        assert_eq!(by(&convolved, &trained), by(&network(graph), &trained));
        assert_eq!(by(&convolved, &image(6, 5)).shape, crate::Shape::new(2, 3, 2));
        assert!(dense_as_convolutions(&GraphBuilder::new("image", 3).finish()).is_none());
        let mut builder = GraphBuilder::new("image", 3);
        builder.add("wide", dense(3 * 2, 5), &[builder.input()]);
        assert!(dense_as_convolutions(&builder.finish()).is_none());
    }
}
