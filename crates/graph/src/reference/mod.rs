//! Whole networks by each operation's definition, forward and backward.
//!
//! Slow, simple, and generic over the precision: the oracle that tests compare backends with. The
//! operations' definitions are checked by finite differences in `f64`.

mod backend;

use std::sync::Arc;

use crate::{Activation, GraphError, Network, NodeId, Op, Real, Shape, Tensor, Unary};

pub use backend::Reference;

/// A forward pass's activations, by node.
#[derive(Debug)]
pub struct Run<T> {
    shapes: Vec<Option<Shape>>,
    values: Vec<Vec<T>>,
    /// The weights that were used, for the way back.
    _held: Vec<Arc<Vec<f32>>>,
}

impl<T: Real> Run<T> {
    /// One node's activation, rounded to `f32`.
    pub fn activation(&self, node: NodeId) -> Tensor {
        Tensor {
            shape: self.shape(node),
            data: self.values[node.index()].iter().map(|x| x.to_f32()).collect(),
        }
    }

    /// One node's activation.
    pub fn values(&self, node: NodeId) -> &[T] {
        &self.values[node.index()]
    }

    fn of(&self, node: NodeId) -> Activation<'_, T> {
        Activation { shape: self.shape(node), data: self.values(node) }
    }

    /// The ReLU, which may end somewhere, that a channel of a node comes from through nothing but joins, and its
    /// channel there.
    fn rectifier(
        &self,
        network: &Network,
        mut node: NodeId,
        mut channel: usize,
    ) -> Option<(NodeId, usize)> {
        loop {
            let of = network.graph.node(node);
            match of.op {
                Op::Relu | Op::Unary(Unary::Clip { min: 0.0, .. }) => {
                    return Some((node, channel));
                }
                Op::Concat => {
                    let mut inputs = of.inputs.iter();
                    node = *inputs.find(|&&input| {
                        let channels = self.shape(input).channels;
                        let there = channel < channels;
                        channel -= if there { 0 } else { channels };
                        there
                    })?;
                }
                _ => return None,
            }
        }
    }

    /// One node's shape.
    pub fn shape(&self, node: NodeId) -> Shape {
        self.shapes[node.index()].expect("the node was needed")
    }
}

/// Runs `picture` (RGB, 0–255) forward to `targets`.
///
/// # Errors
/// What [`crate::Graph::shapes`] refuses; weights that cannot be read.
pub fn forward<T: Real>(
    network: &Network,
    targets: &[NodeId],
    picture: &Tensor,
) -> Result<Run<T>, GraphError> {
    let graph = &network.graph;
    let shapes = graph.shapes(targets, picture.shape.height, picture.shape.width)?;
    let values = vec![Vec::new(); graph.nodes().len()];
    let mut run = Run { shapes, values, _held: graph.hold_weights(targets)? };
    for id in graph.ancestors(targets) {
        let node = graph.node(id);
        run.values[id.index()] = if let Op::Input { channels } = node.op {
            (0..channels)
                .flat_map(|c| {
                    let spec = &network.input;
                    picture
                        .channel(spec.picture_channel(c))
                        .iter()
                        .map(move |&x| (T::of(x) - T::of(spec.mean[c])) * T::of(spec.scale[c]))
                })
                .collect()
        } else {
            let inputs: Vec<_> = node.inputs.iter().map(|&input| run.of(input)).collect();
            node.op.forward(&inputs, run.shape(id))
        };
    }
    Ok(run)
}

/// The gradient with respect to the picture (RGB, 0–255) for gradients `outputs` at some nodes.
pub fn backward<T: Real>(network: &Network, run: &Run<T>, outputs: &[(NodeId, &Tensor)]) -> Tensor {
    let exact = |tensor: &Tensor| tensor.data.iter().map(|&x| T::of(x)).collect();
    backward_from(network, run, outputs.iter().map(|(node, tensor)| (*node, exact(tensor))), &[])
}

/// As [`backward`], with channels of ReLUs that pass every gradient, whatever their values.
fn backward_from<T: Real>(
    network: &Network,
    run: &Run<T>,
    outputs: impl Iterator<Item = (NodeId, Vec<T>)>,
    alive: &[(NodeId, usize)],
) -> Tensor {
    let graph = &network.graph;
    let mut gradients: Vec<Vec<T>> =
        run.values.iter().map(|values| vec![T::default(); values.len()]).collect();
    for (node, output) in outputs {
        for (sum, x) in gradients[node.index()].iter_mut().zip(output) {
            *sum += x;
        }
    }
    for (index, node) in graph.nodes().iter().enumerate().skip(1).rev() {
        let Some(shape) = run.shapes[index] else { continue };
        let inputs: Vec<_> = node.inputs.iter().map(|&input| run.of(input)).collect();
        let output = Activation { shape, data: &run.values[index] };
        let mut back = node.op.backward(&inputs, output, &gradients[index]);
        for &(_, channel) in alive.iter().filter(|(relu, _)| relu.index() == index) {
            let passed = channel * shape.plane()..(channel + 1) * shape.plane();
            back[0][passed.clone()].copy_from_slice(&gradients[index][passed]);
        }
        for (input, gradient) in node.inputs.iter().zip(back) {
            for (sum, x) in gradients[input.index()].iter_mut().zip(gradient) {
                *sum += x;
            }
        }
    }
    let shape = run.shapes[0].expect("every target needs the picture");
    let mut picture = Tensor::zeros(shape);
    let spec = &network.input;
    for c in 0..shape.channels {
        let plane = &gradients[0][c * shape.plane()..][..shape.plane()];
        for (to, from) in picture.channel_mut(spec.picture_channel(c)).iter_mut().zip(plane) {
            *to = (*from * T::of(spec.scale[c])).to_f32();
        }
    }
    picture
}
