//! Chosen channels in a chosen order: slices, splits, gathers and permutations of channels.

use std::sync::Arc;

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

/// Output channel `i` is input channel `channels[i]`; channels may be left out and may come again.
#[derive(Clone, Debug)]
pub struct SelectChannels {
    /// The input's channels.
    pub in_channels: usize,
    /// The input channel of each output channel.
    pub channels: Arc<[usize]>,
}

impl Operation for SelectChannels {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = only(inputs)?;
        if input.channels != self.in_channels {
            return Err(format!(
                "it selects from {} channels, its input has {}",
                self.in_channels, input.channels
            ));
        }
        if let Some(beyond) = self.channels.iter().find(|&&channel| channel >= input.channels) {
            return Err(format!("there is no channel {beyond} in {input}"));
        }
        Ok(Some(Shape { channels: self.channels.len(), ..input }))
    }

    fn channels(&self, _: &[usize]) -> usize {
        self.channels.len()
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let plane = |&channel: &usize| &x[channel * shape.plane()..][..shape.plane()];
        self.channels.iter().flat_map(plane).copied().collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let shape = inputs[0].shape;
        let mut dx = vec![T::default(); shape.len()];
        for (&channel, dy) in self.channels.iter().zip(dy.chunks(shape.plane())) {
            let plane = &mut dx[channel * shape.plane()..][..shape.plane()];
            plane.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy);
        }
        vec![dx]
    }
}
