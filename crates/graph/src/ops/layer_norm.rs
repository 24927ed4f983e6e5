//! Layer normalisation over the channels at each position (Ba et al. 2016), as ConvNeXt and transformers have
//! it.

use std::sync::Arc;

use super::normalization::{normalize, normalize_backward};
use super::operation::{Activation, Operation, of_channels};
use crate::{Real, Shape};

/// `scale[c] · (x − mean) / √(variance + epsilon) + shift[c]`, with mean and variance over the channels of one
/// position.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// One for each channel.
    pub scale: Arc<[f32]>,
    /// One for each channel.
    pub shift: Arc<[f32]>,
    /// What keeps the root away from 0.
    pub epsilon: f32,
}

impl Operation for LayerNorm {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        of_channels(inputs, "normalises", self.scale.len()).map(Some)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.scale, &self.shift]
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let (x, plane) = (inputs[0].data, output.plane());
        let mut y = vec![T::default(); x.len()];
        for position in 0..plane {
            normalize(x, (position..x.len()).step_by(plane), self.epsilon, |i, value| {
                y[i] = value * T::of(self.scale[i / plane]) + T::of(self.shift[i / plane]);
            });
        }
        y
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let (x, plane) = (inputs[0].data, output.shape.plane());
        let mut dx = vec![T::default(); x.len()];
        let scaled = |i: usize| dy[i] * T::of(self.scale[i / plane]);
        for position in 0..plane {
            let channels = (position..x.len()).step_by(plane);
            normalize_backward(x, channels, self.epsilon, scaled, &mut dx);
        }
        vec![dx]
    }
}
