//! The element-wise sum of inputs, broadcast to one shape.

use super::broadcast::{self, partner};
use super::operation::{Activation, Operation};
use crate::{Real, Shape};

pub(super) struct Add;

impl Operation for Add {
    fn takes(&self, inputs: usize) -> bool {
        inputs > 0
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        broadcast::shape(inputs).map(Some)
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        broadcast::channels(inputs)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let value = |i: usize| inputs.iter().map(|x| x.data[partner(x.shape, output, i)]).sum();
        (0..output.len()).map(value).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        inputs.iter().map(|x| broadcast::gather(x.shape, output.shape, |i| dy[i])).collect()
    }
}
