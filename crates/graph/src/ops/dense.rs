//! Fully connected layers.

use std::sync::Arc;

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape, Weights};

/// Fully connected layer, over all channels and positions: the output has `out_features` channels and
/// is 1 × 1.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Channels it makes.
    pub out_features: usize,
    /// Channels × height × width of its input.
    pub in_features: usize,
    /// `out_features × in_features`, the input flattened in channel, row, column order.
    pub weights: Weights,
    /// One for each output.
    pub bias: Arc<[f32]>,
}

impl Operation for Dense {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = only(inputs)?;
        if input.len() != self.in_features {
            return Err(format!(
                "its weights are for {} values, its input has {input} = {}; networks with \
                 fully connected layers take only the picture size they were trained with \
                 up to there",
                self.in_features,
                input.len()
            ));
        }
        Ok(Some(Shape::new(self.out_features, 1, 1)))
    }

    fn channels(&self, _: &[usize]) -> usize {
        self.out_features
    }

    fn weights(&self) -> Option<&Weights> {
        Some(&self.weights)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.bias]
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let weights = self.weights.held();
        let value = |o: usize| {
            let row = &weights[o * self.in_features..][..self.in_features];
            let products = row.iter().zip(inputs[0].data).map(|(&w, &x)| T::of(w) * x);
            T::of(self.bias[o]) + products.sum()
        };
        (0..self.out_features).map(value).collect()
    }

    fn backward<T: Real>(
        &self,
        _: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut dx = vec![T::default(); self.in_features];
        for (row, &dy) in self.weights.held().chunks(self.in_features.max(1)).zip(dy) {
            for (dx, &w) in dx.iter_mut().zip(row) {
                *dx += T::of(w) * dy;
            }
        }
        vec![dx]
    }
}
