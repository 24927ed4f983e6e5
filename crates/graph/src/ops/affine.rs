//! A scale and a shift by channel: batch normalisation and scale layers.

use std::sync::Arc;

use super::operation::{Activation, Operation, of_channels};
use crate::{Real, Shape};

/// `scale[c] · x + shift[c]`.
#[derive(Clone, Debug)]
pub struct Affine {
    /// One for each channel.
    pub scale: Arc<[f32]>,
    /// One for each channel.
    pub shift: Arc<[f32]>,
}

impl Operation for Affine {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        of_channels(inputs, "scales", self.scale.len()).map(Some)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.scale, &self.shift]
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let value = |(i, &x): (usize, &T)| {
            let c = i / output.plane();
            x * T::of(self.scale[c]) + T::of(self.shift[c])
        };
        inputs[0].data.iter().enumerate().map(value).collect()
    }

    fn backward<T: Real>(
        &self,
        _: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let plane = output.shape.plane();
        vec![dy.iter().enumerate().map(|(i, &dy)| dy * T::of(self.scale[i / plane])).collect()]
    }
}
