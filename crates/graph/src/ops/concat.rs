//! Inputs one after another along the channels.

use super::operation::{Activation, Operation};
use crate::{Real, Shape};

pub(super) struct Concat;

impl Operation for Concat {
    fn takes(&self, inputs: usize) -> bool {
        inputs > 0
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let first = *inputs.first().ok_or("has no inputs")?;
        let size = |shape: &Shape| (shape.height, shape.width);
        if let Some(other) = inputs.iter().find(|shape| size(shape) != size(&first)) {
            return Err(format!("cannot join {first} and {other} along the channels"));
        }
        let channels = inputs.iter().try_fold(0usize, |sum, shape| sum.checked_add(shape.channels));
        let channels = channels.ok_or("has more channels than can be counted")?;
        Ok(Some(Shape { channels, ..first }))
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        inputs.iter().fold(0, |sum, &channels| sum.saturating_add(channels))
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        inputs.iter().flat_map(|input| input.data.iter().copied()).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut rest = dy;
        let part = |input: &Activation<'_, T>| {
            let (own, others) = rest.split_at(input.data.len());
            rest = others;
            own.to_vec()
        };
        inputs.iter().map(part).collect()
    }
}
