//! The largest value of each channel; the output is 1 × 1.

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

pub(super) struct GlobalMaxPool;

/// The place of the largest value; the first one wins a tie.
fn largest<T: Real>(plane: &[T]) -> usize {
    (1..plane.len()).fold(0, |best, i| if plane[i] > plane[best] { i } else { best })
}

impl Operation for GlobalMaxPool {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        Ok(Some(Shape::new(only(inputs)?.channels, 1, 1)))
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        x.chunks(shape.plane()).map(|plane| plane[largest(plane)]).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let Activation { shape, data: x } = inputs[0];
        let mut dx = vec![T::default(); x.len()];
        for (c, plane) in x.chunks(shape.plane()).enumerate() {
            dx[c * shape.plane() + largest(plane)] = dy[c];
        }
        vec![dx]
    }
}
