//! Layer normalisations that exporters write out become one operation again, and take in what scales and
//! shifts them.

use std::sync::Arc;

use super::{Rewriter, Rewritten, prune, readers};
use crate::{Affine, Binary, Graph, GroupNorm, LayerNorm, NodeId, Op, Unary};

/// Rewrites `(x − mean) / √(mean((x − mean)²) + ε)`, the means over the channels, as a [`LayerNorm`], and
/// folds the scale and shift that alone read a normalisation into it. What is a target, or read by others too,
/// stays.
pub fn fold_layer_norm(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let readers = readers(graph);
    let mut rewriter = Rewriter::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        if rewriter.has(NodeId(index)) {
            continue;
        }
        let (mut ids, mut inputs) = (vec![NodeId(index)], node.inputs.clone());
        let mut op = node.op.clone();
        if let Some((x, epsilon)) = written_out(graph, NodeId(index)) {
            // Its channels are known by what scales it; without that, it stays.
            if let [reader] = readers[index][..]
                && let Op::Affine(affine) = &graph.node(reader).op
                && !targets.contains(&NodeId(index))
            {
                let Affine { scale, shift } = affine.clone();
                (op, inputs) = (Op::LayerNorm(LayerNorm { scale, shift, epsilon }), vec![x]);
                ids.push(reader);
            }
        }
        while let Op::LayerNorm(LayerNorm { scale, shift, .. })
        | Op::GroupNorm(GroupNorm { scale, shift, .. }) = &mut op
        {
            let last = ids[ids.len() - 1];
            let [reader] = readers[last.index()][..] else { break };
            let Op::Affine(affine) = &graph.node(reader).op else { break };
            if targets.contains(&last) {
                break;
            }
            *shift = after(shift, affine).zip(&affine.shift[..]).map(|(x, y)| x + y).collect();
            *scale = after(scale, affine).collect::<Arc<[f32]>>();
            ids.push(reader);
        }
        let last = ids[ids.len() - 1];
        rewriter.replace(&ids, &graph.node(last).name, op, &inputs);
    }
    let Rewritten { graph, targets } = rewriter.finish(targets);
    prune(&graph, &targets)
}

/// A normalisation's numbers, scaled.
fn after<'a>(numbers: &'a [f32], affine: &'a Affine) -> impl Iterator<Item = f32> + 'a {
    numbers.iter().zip(&affine.scale[..]).map(|(x, scale)| x * scale)
}

/// What a quotient normalises, and its ε, if it is a normalisation written out.
fn written_out(graph: &Graph, quotient: NodeId) -> Option<(NodeId, f32)> {
    let Op::Binary(Binary::Div) = graph.node(quotient).op else { return None };
    let &[off, deviation] = &graph.node(quotient).inputs[..] else { return None };
    let (variance, epsilon) = under_root(graph, deviation)?;
    let square = mean_of(graph, variance)?;
    let squared = match &graph.node(square).op {
        Op::Unary(Unary::Pow { exponent: 2.0 }) => graph.node(square).inputs[0],
        Op::Binary(Binary::Mul) => match graph.node(square).inputs[..] {
            [a, b] if a == b => a,
            _ => return None,
        },
        _ => return None,
    };
    let difference = graph.node(off);
    let (Op::Binary(Binary::Sub), &[x, mean]) = (&difference.op, &difference.inputs[..]) else {
        return None;
    };
    (squared == off && mean_of(graph, mean)? == x).then_some((x, epsilon))
}

/// What a root is taken of, and what is added to it before.
fn under_root(graph: &Graph, root: NodeId) -> Option<(NodeId, f32)> {
    let node = graph.node(root);
    match node.op {
        Op::Unary(Unary::Sqrt | Unary::Pow { exponent: 0.5 }) => {}
        _ => return None,
    }
    let sum = graph.node(node.inputs[0]);
    let Op::Affine(Affine { scale, shift }) = &sum.op else { return None };
    match (&scale[..], &shift[..]) {
        (&[1.0], &[epsilon]) if epsilon >= 0.0 => Some((sum.inputs[0], epsilon)),
        _ => None,
    }
}

/// What a mean over the channels is of.
fn mean_of(graph: &Graph, mean: NodeId) -> Option<NodeId> {
    let node = graph.node(mean);
    matches!(node.op, Op::ChannelMean).then(|| node.inputs[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GraphBuilder;

    fn affine(scale: &[f32], shift: &[f32]) -> Op {
        Op::Affine(Affine { scale: scale.into(), shift: shift.into() })
    }

    /// A normalisation written out, up to the quotient.
    fn build(b: &mut GraphBuilder, power: bool) -> NodeId {
        let x = b.add("x", Op::Softmax, &[b.input()]);
        let mean = b.add("mean", Op::ChannelMean, &[x]);
        let off = b.add("off", Op::Binary(Binary::Sub), &[x, mean]);
        let square = if power {
            b.add("square", Op::Unary(Unary::Pow { exponent: 2.0 }), &[off])
        } else {
            b.add("square", Op::Binary(Binary::Mul), &[off, off])
        };
        let variance = b.add("variance", Op::ChannelMean, &[square]);
        let sum = b.add("sum", affine(&[1.0], &[1e-5]), &[variance]);
        let root = b.add("root", Op::Unary(Unary::Sqrt), &[sum]);
        b.add("quotient", Op::Binary(Binary::Div), &[off, root])
    }

    #[test]
    fn a_normalisation_written_out_is_one_operation_with_its_scales() {
        for power in [true, false] {
            let mut builder = GraphBuilder::new("image", 3);
            let quotient = build(&mut builder, power);
            let scale = affine(&[2.0, 3.0, 4.0], &[0.0; 3]);
            let scaled = builder.add("scaled", scale, &[quotient]);
            let out = builder.add("out", affine(&[1.0; 3], &[5.0, 6.0, 7.0]), &[scaled]);
            let graph = builder.finish();
            let folded = fold_layer_norm(&graph, &[out]).graph;
            let names: Vec<&str> = folded.nodes().iter().map(|node| &*node.name).collect();
            assert_eq!(names, ["image", "x", "out"]);
            let Op::LayerNorm(norm) = &folded.nodes()[2].op else { panic!("it is no LayerNorm") };
            assert_eq!((&norm.scale[..], &norm.shift[..]), (&[2., 3., 4.][..], &[5., 6., 7.][..]));
            assert_eq!(norm.epsilon, 1e-5);
            // What is wanted by itself stays.
            let kept = fold_layer_norm(&graph, &[out, quotient]).graph;
            assert_eq!(kept.nodes().len(), graph.nodes().len());
        }
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        let mut builder = GraphBuilder::new("image", 3);
        let quotient = build(&mut builder, true);
        let off = builder.find("off").expect("it is there");
        let root = builder.find("root").expect("it is there");
        let other = builder.add("other", Op::Relu, &[off]);
        let other = builder.add("quotient 2", Op::Binary(Binary::Div), &[other, root]);
        let out = builder.add("out", affine(&[2.0; 3], &[0.0; 3]), &[other]);
        let sum = builder.add("sum 2", Op::Add, &[out, quotient]);
        let graph = builder.finish();
        let folded = fold_layer_norm(&graph, &[sum]).graph;
        assert_eq!(folded.nodes().len(), graph.nodes().len());
    }
}
