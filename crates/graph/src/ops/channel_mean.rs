//! The mean over the channels at each position; the output has one channel.

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

pub(super) struct ChannelMean;

impl Operation for ChannelMean {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        Ok(Some(Shape { channels: 1, ..only(inputs)? }))
    }

    fn channels(&self, _: &[usize]) -> usize {
        1
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let mean = |position: usize| {
            let channels = x[position..].iter().step_by(output.plane());
            channels.copied().sum::<T>() / T::of(shape.channels as f32)
        };
        (0..output.plane()).map(mean).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let shape = inputs[0].shape;
        let share = |i: usize| dy[i % output.shape.plane()] / T::of(shape.channels as f32);
        vec![(0..shape.len()).map(share).collect()]
    }
}
