//! What every operation means, computed by its definition in plain loops, forward and backward.
//!
//! Slow, simple, and generic over the precision: the oracle that tests compare the engine with, and
//! itself checked by finite differences in `f64`.

mod backend;

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use crate::{
    AveragePool, Conv2d, Dense, GraphError, Lrn, Network, NodeId, Op, Shape, Tensor, Window,
};

pub use backend::Reference;

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Send
    + Sync
    + 'static
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + Sum
{
    /// From `f32`, exactly.
    fn of(value: f32) -> Self;
    /// To `f32`, rounded.
    fn to_f32(self) -> f32;
    /// `self` to the power of `exponent`.
    fn pow(self, exponent: Self) -> Self;
    /// e to the power of `self`.
    fn exp(self) -> Self;
}

macro_rules! real {
    ($type:ty) => {
        impl Real for $type {
            fn of(value: f32) -> Self {
                value.into()
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn pow(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            fn exp(self) -> Self {
                self.exp()
            }
        }
    };
}
real!(f32);
real!(f64);

/// A forward pass's activations, by node.
#[derive(Debug)]
pub struct Run<T> {
    shapes: Vec<Option<Shape>>,
    values: Vec<Vec<T>>,
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

    /// One node's shape.
    pub fn shape(&self, node: NodeId) -> Shape {
        self.shapes[node.index()].expect("the node was needed")
    }
}

/// Runs `picture` (RGB, 0–255) forward to `targets`.
///
/// # Errors
/// What [`crate::Graph::shapes`] refuses.
pub fn forward<T: Real>(
    network: &Network,
    targets: &[NodeId],
    picture: &Tensor,
) -> Result<Run<T>, GraphError> {
    let graph = &network.graph;
    let shapes = graph.shapes(targets, picture.shape.height, picture.shape.width)?;
    let mut run = Run { shapes, values: vec![Vec::new(); graph.nodes().len()] };
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
            let inputs: Vec<(&[T], Shape)> =
                node.inputs.iter().map(|&i| (run.values(i), run.shape(i))).collect();
            op_forward(&node.op, &inputs, run.shape(id))
        };
    }
    Ok(run)
}

/// The gradient with respect to the picture (RGB, 0–255) for gradients `outputs` at some nodes.
pub fn backward<T: Real>(network: &Network, run: &Run<T>, outputs: &[(NodeId, &Tensor)]) -> Tensor {
    let exact = |tensor: &Tensor| tensor.data.iter().map(|&x| T::of(x)).collect();
    backward_from(network, run, outputs.iter().map(|(node, tensor)| (*node, exact(tensor))))
}

fn backward_from<T: Real>(
    network: &Network,
    run: &Run<T>,
    outputs: impl Iterator<Item = (NodeId, Vec<T>)>,
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
        if run.shapes[index].is_none() {
            continue;
        }
        let inputs: Vec<(&[T], Shape)> =
            node.inputs.iter().map(|&i| (run.values(i), run.shape(i))).collect();
        let back = op_backward(
            &node.op,
            &inputs,
            (&run.values[index], run.shapes[index].expect("checked above")),
            &gradients[index],
        );
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

/// The output of `op`, of shape `out`, for `inputs`.
pub fn op_forward<T: Real>(op: &Op, inputs: &[(&[T], Shape)], out: Shape) -> Vec<T> {
    let (x, shape) = inputs[0];
    match op {
        Op::Input { .. } | Op::Unsupported { .. } => unreachable!("never run"),
        Op::Conv2d(conv) => conv_forward(conv, x, shape, out),
        Op::Relu => x.iter().map(|&v| if v > T::default() { v } else { T::default() }).collect(),
        Op::MaxPool(pool) => {
            let winners = winners(&pool.window, x, shape, out);
            winners.into_iter().map(|winner| x[winner]).collect()
        }
        Op::AveragePool(pool) => {
            let mut y = vec![T::default(); out.len()];
            each_average(pool, shape, out, |from, to, share| y[to] += x[from] * share);
            y
        }
        Op::GlobalAveragePool => x
            .chunks(shape.plane())
            .map(|plane| plane.iter().copied().sum::<T>() / T::of(shape.plane() as f32))
            .collect(),
        Op::Lrn(lrn) => {
            let sums = lrn_sums(lrn, x, shape);
            x.iter().zip(sums).map(|(&v, s)| v * s.pow(T::of(-lrn.beta))).collect()
        }
        Op::Concat => inputs.iter().flat_map(|(x, _)| x.iter().copied()).collect(),
        Op::Add => (0..x.len()).map(|i| inputs.iter().map(|(x, _)| x[i]).sum()).collect(),
        Op::Affine(affine) => x
            .iter()
            .enumerate()
            .map(|(i, &v)| {
                let c = i / shape.plane();
                v * T::of(affine.scale[c]) + T::of(affine.shift[c])
            })
            .collect(),
        Op::Dense(dense) => (0..dense.out_features)
            .map(|o| {
                let row = &dense.weights[o * dense.in_features..][..dense.in_features];
                T::of(dense.bias[o]) + row.iter().zip(x).map(|(&w, &v)| T::of(w) * v).sum()
            })
            .collect(),
        Op::Softmax => softmax(x, shape),
    }
}

/// The gradients with respect to each input, for the output `y` and its gradient `dy`.
pub fn op_backward<T: Real>(
    op: &Op,
    inputs: &[(&[T], Shape)],
    (y, out): (&[T], Shape),
    dy: &[T],
) -> Vec<Vec<T>> {
    let (x, shape) = inputs[0];
    let mut dx = vec![T::default(); x.len()];
    match op {
        Op::Input { .. } | Op::Unsupported { .. } => unreachable!("never run"),
        Op::Conv2d(conv) => each_tap(conv, shape, out, |from, weight, to| {
            dx[from] += T::of(conv.weights[weight]) * dy[to];
        }),
        Op::Relu => {
            for i in 0..dx.len() {
                if x[i] > T::default() {
                    dx[i] = dy[i];
                }
            }
        }
        Op::MaxPool(pool) => {
            for (to, from) in winners(&pool.window, x, shape, out).into_iter().enumerate() {
                dx[from] += dy[to];
            }
        }
        Op::AveragePool(pool) => {
            each_average(pool, shape, out, |from, to, share| dx[from] += dy[to] * share);
        }
        Op::GlobalAveragePool => {
            for (i, d) in dx.iter_mut().enumerate() {
                *d = dy[i / shape.plane()] / T::of(shape.plane() as f32);
            }
        }
        Op::Lrn(lrn) => lrn_backward(lrn, x, shape, dy, &mut dx),
        Op::Concat => {
            let mut rest = dy;
            return inputs
                .iter()
                .map(|(x, _)| {
                    let (own, others) = rest.split_at(x.len());
                    rest = others;
                    own.to_vec()
                })
                .collect();
        }
        Op::Add => return vec![dy.to_vec(); inputs.len()],
        Op::Affine(affine) => {
            for i in 0..dx.len() {
                dx[i] = dy[i] * T::of(affine.scale[i / shape.plane()]);
            }
        }
        Op::Dense(Dense { in_features, weights, .. }) => {
            for (o, &d) in dy.iter().enumerate() {
                for i in 0..*in_features {
                    dx[i] += T::of(weights[o * in_features + i]) * d;
                }
            }
        }
        Op::Softmax => {
            let plane = shape.plane();
            for position in 0..plane {
                let at = |c: usize| c * plane + position;
                let mean: T = (0..shape.channels).map(|c| y[at(c)] * dy[at(c)]).sum();
                for c in 0..shape.channels {
                    dx[at(c)] = y[at(c)] * (dy[at(c)] - mean);
                }
            }
        }
    }
    vec![dx]
}

fn conv_forward<T: Real>(conv: &Conv2d, x: &[T], shape: Shape, out: Shape) -> Vec<T> {
    let mut y: Vec<T> = (0..out.len()).map(|i| T::of(conv.bias[i / out.plane()])).collect();
    each_tap(conv, shape, out, |from, weight, to| y[to] += x[from] * T::of(conv.weights[weight]));
    y
}

/// Calls `f` with the indices of the input, the weight and the output of every product.
fn each_tap(conv: &Conv2d, shape: Shape, out: Shape, mut f: impl FnMut(usize, usize, usize)) {
    let (outs, ins) = (conv.out_channels / conv.groups, conv.in_channels);
    let [kernel_height, kernel_width] = conv.window.kernel;
    each_window(&conv.window, shape, out, |position, element, from| {
        for o in 0..conv.out_channels {
            for i in 0..ins {
                let channel = o / outs * ins + i;
                let weight = (o * ins + i) * kernel_height * kernel_width + element;
                f(channel * shape.plane() + from, weight, o * out.plane() + position);
            }
        }
    });
}

/// Calls `f` with (output position, window element, input position) for every element of every
/// window that lies on the picture.
fn each_window(window: &Window, shape: Shape, out: Shape, mut f: impl FnMut(usize, usize, usize)) {
    let before = |axis, extent| window.span(axis, extent).expect("the shape was checked").before;
    let (top, left) = (before(0, shape.height), before(1, shape.width));
    for oy in 0..out.height {
        for ox in 0..out.width {
            for ky in 0..window.kernel[0] {
                for kx in 0..window.kernel[1] {
                    let y = (oy * window.stride[0] + ky * window.dilation[0]).checked_sub(top);
                    let x = (ox * window.stride[1] + kx * window.dilation[1]).checked_sub(left);
                    if let (Some(y), Some(x)) = (y, x)
                        && y < shape.height
                        && x < shape.width
                    {
                        let element = ky * window.kernel[1] + kx;
                        f(oy * out.width + ox, element, y * shape.width + x);
                    }
                }
            }
        }
    }
}

/// The index into `x` of each output's largest input; the first one wins a tie.
fn winners<T: Real>(window: &Window, x: &[T], shape: Shape, out: Shape) -> Vec<usize> {
    let mut winners: Vec<Option<usize>> = vec![None; out.len()];
    each_window(window, shape, out, |position, _, from| {
        for c in 0..shape.channels {
            let (winner, from) =
                (&mut winners[c * out.plane() + position], c * shape.plane() + from);
            if winner.is_none_or(|best| x[from] > x[best]) {
                *winner = Some(from);
            }
        }
    });
    winners.into_iter().map(|winner| winner.expect("a window touches the picture")).collect()
}

/// Calls `f` with (input index, output index, weight in the mean) for every element of every mean.
fn each_average<T: Real>(
    pool: &AveragePool,
    shape: Shape,
    out: Shape,
    mut f: impl FnMut(usize, usize, T),
) {
    let window = &pool.window;
    let rows = window.span(0, shape.height).expect("the shape was checked");
    let columns = window.span(1, shape.width).expect("the shape was checked");
    let mut counts = vec![0usize; out.plane()];
    if pool.count_padding {
        for (position, count) in counts.iter_mut().enumerate() {
            let inside = |axis: usize, at: usize, extent: usize| {
                (0..window.kernel[axis])
                    .filter(|k| at * window.stride[axis] + k * window.dilation[axis] < extent)
                    .count()
            };
            let height = rows.before + shape.height + rows.after;
            let width = columns.before + shape.width + columns.after;
            *count =
                inside(0, position / out.width, height) * inside(1, position % out.width, width);
        }
    } else {
        each_window(window, shape, out, |position, _, _| counts[position] += 1);
    }
    each_window(window, shape, out, |position, _, from| {
        let share = T::of(1.0) / T::of(counts[position] as f32);
        for c in 0..shape.channels {
            f(c * shape.plane() + from, c * out.plane() + position, share);
        }
    });
}

/// `bias + alpha · Σ x²` around each element.
fn lrn_sums<T: Real>(lrn: &Lrn, x: &[T], shape: Shape) -> Vec<T> {
    (0..x.len())
        .map(|i| {
            let squares = lrn_neighbours(lrn, shape, i).map(|j| x[j] * x[j]).sum::<T>();
            T::of(lrn.bias) + T::of(lrn.alpha) * squares
        })
        .collect()
}

fn lrn_neighbours(lrn: &Lrn, shape: Shape, index: usize) -> impl Iterator<Item = usize> {
    let (plane, half) = (shape.plane(), lrn.size / 2);
    let (channel, position) = (index / plane, index % plane);
    (channel.saturating_sub(half)..(channel + half + 1).min(shape.channels))
        .map(move |c| c * plane + position)
}

/// `dx_c = dy_c · s_c^−β − 2αβ · x_c · Σ_k dy_k · x_k · s_k^(−β−1)`
fn lrn_backward<T: Real>(lrn: &Lrn, x: &[T], shape: Shape, dy: &[T], dx: &mut [T]) {
    let sums = lrn_sums(lrn, x, shape);
    let factor = T::of(2.0) * T::of(lrn.alpha) * T::of(lrn.beta);
    for i in 0..dx.len() {
        let shared = lrn_neighbours(lrn, shape, i)
            .map(|j| dy[j] * x[j] * sums[j].pow(T::of(-lrn.beta) - T::of(1.0)))
            .sum::<T>();
        dx[i] = dy[i] * sums[i].pow(T::of(-lrn.beta)) - factor * x[i] * shared;
    }
}

fn softmax<T: Real>(x: &[T], shape: Shape) -> Vec<T> {
    let plane = shape.plane();
    let mut y = vec![T::default(); x.len()];
    for position in 0..plane {
        let at = |c: usize| c * plane + position;
        let largest = (0..shape.channels)
            .map(|c| x[at(c)])
            .fold(x[position], |a, b| if b > a { b } else { a });
        let sum: T = (0..shape.channels).map(|c| (x[at(c)] - largest).exp()).sum();
        for c in 0..shape.channels {
            y[at(c)] = (x[at(c)] - largest).exp() / sum;
        }
    }
    y
}
