//! `max(x, 0)`.

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

pub(super) struct Relu;

impl Operation for Relu {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        only(inputs).map(Some)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let zero = T::default();
        inputs[0].data.iter().map(|&x| if x > zero { x } else { zero }).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let zero = T::default();
        let kept = inputs[0].data.iter().zip(dy);
        vec![kept.map(|(&x, &dy)| if x > zero { dy } else { zero }).collect()]
    }
}
