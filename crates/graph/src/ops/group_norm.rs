//! Group normalisation over groups of channels and all positions (Wu and He 2018); with a group for each
//! channel, instance normalisation.

use std::sync::Arc;

use super::normalization::{normalize, normalize_backward};
use super::operation::{Activation, Operation, of_channels};
use crate::{Real, Shape};

/// `scale[c] · (x − mean) / √(variance + epsilon) + shift[c]`, with mean and variance over the channels of a
/// group and all positions.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// Into how many groups the channels are divided.
    pub groups: usize,
    /// One for each channel.
    pub scale: Arc<[f32]>,
    /// One for each channel.
    pub shift: Arc<[f32]>,
    /// What keeps the root away from 0.
    pub epsilon: f32,
}

impl Operation for GroupNorm {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = of_channels(inputs, "normalises", self.scale.len())?;
        if self.groups == 0 || !input.channels.is_multiple_of(self.groups) {
            return Err(format!(
                "its {} groups do not divide {} channels",
                self.groups, input.channels
            ));
        }
        Ok(Some(input))
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.scale, &self.shift]
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let (x, plane) = (inputs[0].data, output.plane());
        let mut y = vec![T::default(); x.len()];
        let group = x.len() / self.groups;
        for first in (0..x.len()).step_by(group) {
            normalize(x, first..first + group, self.epsilon, |i, value| {
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
        let group = x.len() / self.groups;
        let scaled = |i: usize| dy[i] * T::of(self.scale[i / plane]);
        for first in (0..x.len()).step_by(group) {
            normalize_backward(x, first..first + group, self.epsilon, scaled, &mut dx);
        }
        vec![dx]
    }
}
