//! What convolutions of both kinds have in common: sums of products of inputs and weights.

use std::sync::Arc;

use super::operation::Activation;
use crate::{Real, Shape, Weights};

/// An operation whose outputs are sums of such products and a bias.
pub(super) trait Products {
    /// Calls `f` with the indices of the input, the weight and the output of every product.
    fn for_each(&self, input: Shape, output: Shape, f: impl FnMut(usize, usize, usize));

    /// The weights, and the bias of each output channel.
    fn parameters(&self) -> (&Weights, &Arc<[f32]>);
}

/// The outputs.
pub(super) fn forward<T: Real>(
    of: &impl Products,
    Activation { shape, data: x }: Activation<'_, T>,
    output: Shape,
) -> Vec<T> {
    let (weights, bias) = of.parameters();
    let weights = weights.held();
    let bias = |i: usize| T::of(bias[i / output.plane()]);
    let mut y: Vec<T> = (0..output.len()).map(bias).collect();
    of.for_each(shape, output, |from, weight, to| y[to] += x[from] * T::of(weights[weight]));
    y
}

/// The gradient with respect to an input of shape `input`.
pub(super) fn backward<T: Real>(
    of: &impl Products,
    input: Shape,
    output: Shape,
    dy: &[T],
) -> Vec<T> {
    let weights = of.parameters().0.held();
    let mut dx = vec![T::default(); input.len()];
    of.for_each(input, output, |from, weight, to| dx[from] += T::of(weights[weight]) * dy[to]);
    dx
}
