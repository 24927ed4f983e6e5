//! Batch normalisation becomes part of the convolution before it.

use std::sync::Arc;

use super::{Rewriter, Rewritten, readers};
use crate::{Affine, Conv2d, ConvTranspose2d, Graph, NodeId, Op, Weights};

/// Folds each scale and shift by channel into the convolution, transposed or not, whose only reader it is,
/// unless the convolution itself is a target. The convolution then has the name of the last that it takes in.
pub fn fold_batch_norm(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let readers = readers(graph);
    let mut rewriter = Rewriter::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        if rewriter.has(NodeId(index)) {
            continue;
        }
        let (mut op, mut ids) = (node.op.clone(), vec![NodeId(index)]);
        let mut last = NodeId(index);
        while let [reader] = readers[last.index()][..]
            && !targets.contains(&last)
            && let Op::Affine(affine) = &graph.node(reader).op
            && let Some(folded) = folded(&op, affine)
        {
            (op, last) = (folded, reader);
            ids.push(last);
        }
        rewriter.replace(&ids, &graph.node(last).name, op, &node.inputs);
    }
    rewriter.finish(targets)
}

/// `affine(op(x))` as one convolution, if `op` is one.
fn folded(op: &Op, affine: &Affine) -> Option<Op> {
    Some(match op {
        Op::Conv2d(conv) => {
            let filter = conv.weights.len() / conv.out_channels.max(1);
            let weights = scaled(&conv.weights, affine, move |weight| weight / filter);
            Op::Conv2d(Conv2d { weights, bias: moved(&conv.bias, affine), ..conv.clone() })
        }
        Op::ConvTranspose2d(conv) => {
            let area = conv.kernel[0] * conv.kernel[1];
            let (ins, outs) = (conv.in_channels / conv.groups, conv.out_channels / conv.groups);
            let channel = move |weight: usize| {
                let (input, output) = (weight / area / outs, weight / area % outs);
                input / ins * outs + output
            };
            let weights = scaled(&conv.weights, affine, channel);
            let bias = moved(&conv.bias, affine);
            Op::ConvTranspose2d(ConvTranspose2d { weights, bias, ..conv.clone() })
        }
        _ => return None,
    })
}

/// Each weight times the scale of the output channel that it is for.
fn scaled(
    weights: &Weights,
    affine: &Affine,
    channel: impl Fn(usize) -> usize + Send + Sync + 'static,
) -> Weights {
    let (len, scale) = (weights.len(), affine.scale.clone());
    let scaled = move |weights: &[f32]| {
        weights.iter().enumerate().map(|(i, w)| w * scale[channel(i)]).collect()
    };
    weights.clone().map(len, scaled)
}

fn moved(bias: &[f32], affine: &Affine) -> Arc<[f32]> {
    let bias = bias.iter().zip(&affine.scale[..]).zip(&affine.shift[..]);
    bias.map(|((bias, scale), shift)| bias * scale + shift).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, GraphBuilder, Shape, Window};

    fn conv() -> Op {
        Op::Conv2d(Conv2d {
            window: Window::new([1, 2], [1, 1]),
            out_channels: 2,
            in_channels: 3,
            groups: 1,
            weights: (0..12).map(|i| i as f32 / 4.0 - 1.0).collect(),
            bias: [0.5, -0.25].into(),
        })
    }

    fn affine(scale: [f32; 2], shift: [f32; 2]) -> Op {
        Op::Affine(Affine { scale: scale.into(), shift: shift.into() })
    }

    /// In groups, with two output channels for each of two inputs.
    fn transposed() -> Op {
        Op::ConvTranspose2d(ConvTranspose2d {
            kernel: [1, 2],
            stride: [1, 2],
            dilation: [1, 1],
            before: [0, 0],
            after: [0, 0],
            out_channels: 2,
            in_channels: 2,
            groups: 2,
            weights: (0..4).map(|i| i as f32 / 4.0 - 1.0).collect(),
            bias: [0.5, -0.25].into(),
        })
    }

    #[test]
    fn scales_and_shifts_after_a_convolution_become_part_of_it() {
        folds(conv(), 3);
        folds(transposed(), 2);
    }

    fn folds(first: Op, channels: usize) {
        let mut builder = GraphBuilder::new("image", channels);
        let ops = [first, affine([2.0, -1.0], [0.5, 1.0]), affine([0.5, 4.0], [-1.0, 0.0])];
        let mut last = builder.input();
        for (name, op) in ["conv", "norm", "scale"].into_iter().zip(ops.clone()) {
            last = builder.add(name, op, &[last]);
        }
        let Rewritten { graph, targets } = fold_batch_norm(&builder.finish(), &[last]);
        assert_eq!(graph.nodes().len(), 2);
        assert_eq!(targets, [graph.find("scale").unwrap()]);
        let data: Vec<f64> = (0..6 * channels as u32).map(f64::from).collect();
        let run = |ops: &[Op]| {
            let (mut shape, mut data) = (Shape::new(channels, 2, 3), data.clone());
            for op in ops {
                let output = op.output_shape(&[shape]).unwrap().unwrap();
                data = op.forward(&[Activation { shape, data: &data }], output);
                shape = output;
            }
            data
        };
        // All numbers are small binary fractions, so that nothing is rounded.
        assert_eq!(run(&[graph.node(targets[0]).op.clone()]), run(&ops));
    }

    #[test]
    fn a_convolution_that_others_read_or_that_is_wanted_stays() {
        let mut builder = GraphBuilder::new("image", 3);
        let first = builder.add("conv", conv(), &[builder.input()]);
        let norm = builder.add("norm", affine([2.0; 2], [0.0; 2]), &[first]);
        let second = builder.add("second", conv(), &[builder.input()]);
        let other = builder.add("other", affine([2.0; 2], [0.0; 2]), &[second]);
        builder.add("relu", Op::Relu, &[second]);
        let graph = builder.finish();
        let nodes = |targets: &[NodeId]| fold_batch_norm(&graph, targets).graph.nodes().len();
        assert_eq!(nodes(&[norm, other]), graph.nodes().len() - 1);
        assert_eq!(nodes(&[norm, other, first]), graph.nodes().len());
    }
}
