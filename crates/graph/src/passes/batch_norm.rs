//! Batch normalisation becomes part of the convolution before it.

use super::{Rewriter, Rewritten, readers};
use crate::{Affine, Conv2d, Graph, NodeId, Op};

/// Folds each scale and shift by channel into the convolution whose only reader it is, unless the
/// convolution itself is a target. The convolution then has the name of the last that it takes in.
pub fn fold_batch_norm(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let readers = readers(graph);
    let mut rewriter = Rewriter::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        if rewriter.has(NodeId(index)) {
            continue;
        }
        let (mut op, mut ids) = (node.op.clone(), vec![NodeId(index)]);
        if let Op::Conv2d(conv) = &mut op {
            let mut last = NodeId(index);
            while let [reader] = readers[last.index()][..]
                && !targets.contains(&last)
                && let Op::Affine(affine) = &graph.node(reader).op
            {
                *conv = folded(conv, affine);
                last = reader;
                ids.push(last);
            }
        }
        let last = ids[ids.len() - 1];
        rewriter.replace(&ids, &graph.node(last).name, op, &node.inputs);
    }
    rewriter.finish(targets)
}

/// `affine(conv(x))` as one convolution.
fn folded(conv: &Conv2d, affine: &Affine) -> Conv2d {
    let (len, scale) = (conv.weights.len(), affine.scale.clone());
    let filter = len / conv.out_channels.max(1);
    let scaled = move |weights: &[f32]| {
        weights.iter().enumerate().map(|(i, w)| w * scale[i / filter]).collect()
    };
    let bias = conv.bias.iter().zip(&affine.scale[..]).zip(&affine.shift[..]);
    Conv2d {
        weights: conv.weights.clone().map(len, scaled),
        bias: bias.map(|((bias, scale), shift)| bias * scale + shift).collect(),
        ..conv.clone()
    }
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

    #[test]
    fn scales_and_shifts_after_a_convolution_become_part_of_it() {
        let mut builder = GraphBuilder::new("image", 3);
        let ops = [conv(), affine([2.0, -1.0], [0.5, 1.0]), affine([0.5, 4.0], [-1.0, 0.0])];
        let mut last = builder.input();
        for (name, op) in ["conv", "norm", "scale"].into_iter().zip(ops.clone()) {
            last = builder.add(name, op, &[last]);
        }
        let Rewritten { graph, targets } = fold_batch_norm(&builder.finish(), &[last]);
        assert_eq!(graph.nodes().len(), 2);
        assert_eq!(targets, [graph.find("scale").unwrap()]);
        let data: Vec<f64> = (0..18).map(f64::from).collect();
        let run = |ops: &[Op]| {
            let (mut shape, mut data) = (Shape::new(3, 2, 3), data.clone());
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
