//! Activations that exporters write out as products become one function again: SiLU, HardSwish and GELU.

use std::f32::consts::FRAC_1_SQRT_2;

use super::{Rewriter, Rewritten, prune, readers};
use crate::{Affine, Binary, Graph, NodeId, Op, Unary};

/// How far constants may be from what they are meant to be: some files hold them in half precision.
const NEAR: f32 = 1e-3;

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= NEAR * b.abs()
}

/// `factor · function(x)`, as which a product was recognised.
struct Gate {
    function: Unary,
    x: NodeId,
    factor: f32,
}

/// Rewrites `x · sigmoid(x)`, `x · hard_sigmoid(x)`, `x · clip(x + 3, 0, 6) / 6` and
/// `½ · x · (1 + erf(x / √2))`, with the factors in any place, as the functions they are. What is a target, or
/// read by others too, stays.
pub fn fold_gates(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let readers = readers(graph);
    let mut rewriter = Rewriter::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        let id = NodeId(index);
        if rewriter.has(id) {
            continue;
        }
        let Some(Gate { function, x, factor }) = gate(graph, id) else {
            rewriter.replace(&[id], &node.name, node.op.clone(), &node.inputs);
            continue;
        };
        // A factor behind the product completes one that lacks it.
        let behind = match readers[index][..] {
            [reader] if !near(factor, 1.0) && !targets.contains(&id) => {
                scale(graph, reader).map(|(_, by)| (reader, by))
            }
            _ => None,
        };
        let (mut ids, mut factor) = (vec![id], factor);
        if let Some((reader, by)) = behind {
            factor *= by;
            ids.push(reader);
        }
        if near(factor, 1.0) {
            let last = ids[ids.len() - 1];
            rewriter.replace(&ids, &graph.node(last).name, Op::Unary(function), &[x]);
        } else {
            rewriter.replace(&[id], &node.name, node.op.clone(), &node.inputs);
        }
    }
    let Rewritten { graph, targets } = rewriter.finish(targets);
    prune(&graph, &targets)
}

/// What a product is, if it is one of the functions but for a factor.
fn gate(graph: &Graph, product: NodeId) -> Option<Gate> {
    let node = graph.node(product);
    let (Op::Binary(Binary::Mul), &[a, b]) = (&node.op, &node.inputs[..]) else { return None };
    [(a, b), (b, a)].into_iter().find_map(|(x, gate)| {
        let (x, factor, shift) = line(graph, x);
        let (function, scale) = opening(graph, gate, x)?;
        (shift == 0.0).then_some(Gate { function, x, factor: factor * scale })
    })
}

/// The function that `x · gate` is, if `gate` is a function of `x` that makes it one, and by which factor.
fn opening(graph: &Graph, gate: NodeId, x: NodeId) -> Option<(Unary, f32)> {
    let (source, scale, shift) = line(graph, gate);
    let node = graph.node(source);
    let (Op::Unary(unary), &[input]) = (&node.op, &node.inputs[..]) else { return None };
    let (start, slope, offset) = line(graph, input);
    if start != x {
        return None;
    }
    match *unary {
        Unary::Sigmoid if (slope, offset, shift) == (1.0, 0.0, 0.0) => Some((Unary::Silu, scale)),
        Unary::HardSigmoid { alpha, beta }
            if (slope, offset, shift) == (1.0, 0.0, 0.0)
                && near(alpha, 1.0 / 6.0)
                && near(beta, 0.5) =>
        {
            Some((Unary::HardSwish, scale))
        }
        Unary::Clip { min: 0.0, max: 6.0 } if (slope, offset, shift) == (1.0, 3.0, 0.0) => {
            Some((Unary::HardSwish, 6.0 * scale))
        }
        Unary::Erf if near(slope, FRAC_1_SQRT_2) && offset == 0.0 && near(shift, scale) => {
            Some((Unary::Gelu, 2.0 * scale))
        }
        _ => None,
    }
}

/// The node that `id` is `scale · node + shift` of, with one scale and one shift for all channels; itself if
/// there is no such node.
fn line(graph: &Graph, id: NodeId) -> (NodeId, f32, f32) {
    let (mut id, mut scale, mut shift) = (id, 1.0, 0.0);
    while let Op::Affine(affine) = &graph.node(id).op
        && let Some((by, plus)) = uniform(affine)
    {
        shift += scale * plus;
        scale *= by;
        id = graph.node(id).inputs[0];
    }
    (id, scale, shift)
}

/// What a node multiplies its input by, if that is all it does.
fn scale(graph: &Graph, id: NodeId) -> Option<(NodeId, f32)> {
    let Op::Affine(affine) = &graph.node(id).op else { return None };
    let (scale, shift) = uniform(affine)?;
    (shift == 0.0).then(|| (graph.node(id).inputs[0], scale))
}

/// The one scale and the one shift of all channels.
fn uniform(affine: &Affine) -> Option<(f32, f32)> {
    let (&scale, &shift) = (affine.scale.first()?, affine.shift.first()?);
    let same = affine.scale.iter().all(|&x| x == scale) && affine.shift.iter().all(|&x| x == shift);
    same.then_some((scale, shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GraphBuilder;

    fn affine(scale: f32, shift: f32) -> Op {
        Op::Affine(Affine { scale: vec![scale; 3].into(), shift: vec![shift; 3].into() })
    }

    /// The operations that are left after the first, which gives the function its input.
    fn folded(build: impl Fn(&mut GraphBuilder, NodeId) -> NodeId) -> Vec<String> {
        let mut builder = GraphBuilder::new("image", 3);
        let x = builder.add("x", Op::Softmax, &[builder.input()]);
        let target = build(&mut builder, x);
        let Rewritten { graph, targets } = fold_gates(&builder.finish(), &[target]);
        assert_eq!(targets[0].index(), graph.nodes().len() - 1);
        graph.nodes()[2..].iter().map(|node| format!("{} {:?}", node.name, node.op)).collect()
    }

    #[test]
    fn products_are_the_functions_they_are() {
        let product = Op::Binary(Binary::Mul);
        let silu = folded(|b, x| {
            let gate = b.add("gate", Op::Unary(Unary::Sigmoid), &[x]);
            b.add("out", product.clone(), &[gate, x])
        });
        assert_eq!(silu, ["out Unary(Silu)"]);
        let swish = folded(|b, x| {
            let gate = Unary::HardSigmoid { alpha: 0.166_666_67, beta: 0.5 };
            let gate = b.add("gate", Op::Unary(gate), &[x]);
            b.add("out", product.clone(), &[x, gate])
        });
        assert_eq!(swish, ["out Unary(HardSwish)"]);
        let swish = folded(|b, x| {
            let plus = b.add("plus", affine(1.0, 3.0), &[x]);
            let clip = b.add("clip", Op::Unary(Unary::Clip { min: 0.0, max: 6.0 }), &[plus]);
            let out = b.add("product", product.clone(), &[x, clip]);
            b.add("out", affine(1.0 / 6.0, 0.0), &[out])
        });
        assert_eq!(swish, ["out Unary(HardSwish)"]);
        let scaled = folded(|b, x| {
            let gate = b.add("gate", Op::Unary(Unary::Sigmoid), &[x]);
            let silu = b.add("silu", product.clone(), &[x, gate]);
            b.add("out", affine(2.0, 0.0), &[silu])
        });
        assert_eq!(scaled[0], "silu Unary(Silu)");
        assert_eq!(scaled.len(), 2);
        for halved_first in [false, true] {
            let gelu = folded(|b, x| {
                let by_root = b.add("div", affine(0.707_106_77, 0.0), &[x]);
                let erf = b.add("erf", Op::Unary(Unary::Erf), &[by_root]);
                let plus = b.add("plus", affine(1.0, 1.0), &[erf]);
                if halved_first {
                    let half = b.add("half", affine(0.5, 0.0), &[x]);
                    return b.add("out", product.clone(), &[half, plus]);
                }
                let out = b.add("product", product.clone(), &[x, plus]);
                b.add("out", affine(0.5, 0.0), &[out])
            });
            assert_eq!(gelu, ["out Unary(Gelu)"]);
        }
    }

    #[test]
    fn what_is_wanted_by_itself_or_is_another_function_stays() {
        let product = Op::Binary(Binary::Mul);
        let mut builder = GraphBuilder::new("image", 3);
        let x = builder.add("x", Op::Softmax, &[builder.input()]);
        let gate = builder.add("gate", Op::Unary(Unary::Sigmoid), &[x]);
        let out = builder.add("out", product.clone(), &[gate, x]);
        let Rewritten { graph, targets } = fold_gates(&builder.finish(), &[out, gate]);
        assert!(matches!(graph.node(targets[0]).op, Op::Unary(Unary::Silu)));
        assert!(matches!(graph.node(targets[1]).op, Op::Unary(Unary::Sigmoid)));
        // A gate of something else, and one that is scaled.
        let other = folded(|b, x| {
            let other = b.add("other", Op::Relu, &[x]);
            let gate = b.add("gate", Op::Unary(Unary::Sigmoid), &[other]);
            b.add("out", product.clone(), &[gate, x])
        });
        assert_eq!(other.len(), 3);
        let scaled = folded(|b, x| {
            let gate = b.add("gate", Op::Unary(Unary::Sigmoid), &[x]);
            let gate = b.add("twice", affine(2.0, 0.0), &[gate]);
            b.add("out", product.clone(), &[gate, x])
        });
        assert_eq!(scaled.len(), 3);
    }
}
