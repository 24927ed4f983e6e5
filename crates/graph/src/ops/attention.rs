//! Attention: each position's mean of all positions' values, weighted by how its query meets their keys
//! (Vaswani et al. 2017), in several groups of channels side by side, as vision transformers have it
//! (Dosovitskiy et al. 2021).

use super::operation::{Activation, Operation};
use crate::{Real, Shape};

/// For each position of the first input, the queries, the mean of the third, the values, weighted by the softmax
/// of `scale` · query · key over all positions of the second, the keys: for each head by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Into how many groups the channels of each input are divided, one after the other.
    pub heads: usize,
    /// What products of queries and keys are multiplied by.
    pub scale: f32,
}

impl Attention {
    /// For each head, query and key its weight.
    fn weights<T: Real>(&self, [q, k, _]: [Activation<'_, T>; 3]) -> Vec<T> {
        let (queries, keys) = (q.shape.plane(), k.shape.plane());
        let each = q.shape.channels / self.heads;
        let mut weights = Vec::with_capacity(self.heads * queries * keys);
        for row in 0..self.heads * queries {
            let (head, query) = (row / queries, row % queries);
            let product = |key: usize| -> T {
                let channels = head * each..(head + 1) * each;
                let products =
                    channels.map(|c| q.data[c * queries + query] * k.data[c * keys + key]);
                T::of(self.scale) * products.sum()
            };
            let products: Vec<T> = (0..keys).map(product).collect();
            let largest = products.iter().fold(products[0], |a, &b| if b > a { b } else { a });
            let exps: Vec<T> = products.iter().map(|&x| (x - largest).exp()).collect();
            let sum: T = exps.iter().copied().sum();
            weights.extend(exps.iter().map(|&exp| exp / sum));
        }
        weights
    }
}

fn three<'a, T>(inputs: &[Activation<'a, T>]) -> [Activation<'a, T>; 3]
where
    T: Real,
{
    [inputs[0], inputs[1], inputs[2]]
}

impl Operation for Attention {
    fn takes(&self, inputs: usize) -> bool {
        inputs == 3
    }

    fn check(&self) -> Result<(), String> {
        if self.heads == 0 || !self.scale.is_finite() {
            return Err(format!("has {} heads and a scale of {}", self.heads, self.scale));
        }
        Ok(())
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let &[q, k, v] = inputs else {
            return Err(format!("wants three inputs, has {}", inputs.len()));
        };
        if q.channels != k.channels {
            return Err(format!(
                "its queries have {} channels, but its keys have {}; it needs as many of both",
                q.channels, k.channels
            ));
        }
        let divides = |shape: Shape| self.heads > 0 && shape.channels.is_multiple_of(self.heads);
        if !divides(q) || !divides(v) {
            return Err(format!(
                "its {} heads do not divide queries of {} and values of {} channels",
                self.heads, q.channels, v.channels
            ));
        }
        if [k.height, k.width] != [v.height, v.width] {
            return Err(format!(
                "its keys have {}×{} positions, but its values have {}×{}; it needs a value for each key",
                k.height, k.width, v.height, v.width
            ));
        }
        Ok(Some(Shape { channels: v.channels, ..q }))
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        inputs[2]
    }

    fn reach(&self) -> usize {
        usize::MAX
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let [q, k, v] = three(inputs);
        let weights = self.weights([q, k, v]);
        let (queries, keys) = (output.plane(), k.shape.plane());
        let each = v.shape.channels / self.heads;
        let mean = |i: usize| {
            let (channel, query) = (i / queries, i % queries);
            let weights = &weights[(channel / each * queries + query) * keys..][..keys];
            let values = &v.data[channel * keys..][..keys];
            weights.iter().zip(values).map(|(&weight, &value)| weight * value).sum()
        };
        (0..output.len()).map(mean).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let [q, k, v] = three(inputs);
        let weights = self.weights([q, k, v]);
        let (queries, keys) = (output.shape.plane(), k.shape.plane());
        let of_values = v.shape.channels / self.heads;
        let of_keys = q.shape.channels / self.heads;
        let zeros = |input: Activation<'_, T>| vec![T::default(); input.data.len()];
        let (mut dq, mut dk, mut dv) = (zeros(q), zeros(k), zeros(v));
        for row in 0..self.heads * queries {
            let (head, query) = (row / queries, row % queries);
            let weights = &weights[row * keys..][..keys];
            let values = head * of_values..(head + 1) * of_values;
            let gradient = |key: usize| -> T {
                values.clone().map(|c| dy[c * queries + query] * v.data[c * keys + key]).sum()
            };
            let gradients: Vec<T> = (0..keys).map(gradient).collect();
            let excess: T = weights.iter().zip(&gradients).map(|(&p, &g)| p * g).sum();
            for key in 0..keys {
                for c in values.clone() {
                    dv[c * keys + key] += weights[key] * dy[c * queries + query];
                }
                let slope = T::of(self.scale) * weights[key] * (gradients[key] - excess);
                for c in head * of_keys..(head + 1) * of_keys {
                    dq[c * queries + query] += slope * k.data[c * keys + key];
                    dk[c * keys + key] += slope * q.data[c * queries + query];
                }
            }
        }
        vec![dq, dk, dv]
    }
}
