//! The element-wise sum of inputs of one shape.

use super::operation::{Activation, Operation};
use crate::{Real, Shape};

pub(super) struct Add;

impl Operation for Add {
    fn joins(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let first = *inputs.first().ok_or("has no inputs")?;
        match inputs.iter().find(|shape| **shape != first) {
            Some(other) => Err(format!("cannot add {first} and {other}")),
            None => Ok(Some(first)),
        }
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        (0..output.len()).map(|i| inputs.iter().map(|input| input.data[i]).sum()).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        vec![dy.to_vec(); inputs.len()]
    }
}
