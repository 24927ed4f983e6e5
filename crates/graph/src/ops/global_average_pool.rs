//! The mean of each channel; the output is 1 × 1.

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

pub(super) struct GlobalAveragePool;

impl Operation for GlobalAveragePool {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        Ok(Some(Shape::new(only(inputs)?.channels, 1, 1)))
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let mean = |plane: &[T]| plane.iter().copied().sum::<T>() / T::of(shape.plane() as f32);
        x.chunks(shape.plane()).map(mean).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let shape = inputs[0].shape;
        let share = |i: usize| dy[i / shape.plane()] / T::of(shape.plane() as f32);
        vec![(0..shape.len()).map(share).collect()]
    }
}
