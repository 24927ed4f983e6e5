//! Positions in one row behind trained ones, as vision transformers have their class token.

use std::sync::Arc;

use super::operation::{Activation, Operation, of_channels};
use crate::{Real, Shape};

/// All positions in one row, row by row, behind others that are the same for every picture.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// How many channels a position has.
    pub channels: usize,
    /// For each position that comes before the input's, its channels.
    pub before: Arc<[f32]>,
}

impl Tokens {
    /// How many positions come before those of the input.
    pub fn count(&self) -> usize {
        self.before.len() / self.channels.max(1)
    }
}

impl Operation for Tokens {
    fn check(&self) -> Result<(), String> {
        match self.before.len().checked_rem(self.channels) {
            Some(0) => Ok(()),
            _ => Err(format!(
                "has {} values for positions of {} channels",
                self.before.len(),
                self.channels
            )),
        }
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = of_channels(inputs, "has positions of", self.channels)?;
        let pixels = input.height.checked_mul(input.width);
        let width = pixels.and_then(|pixels| pixels.checked_add(self.count()));
        let width = width.ok_or("has more positions than can be counted")?;
        Ok((!input.is_empty()).then_some(Shape { height: 1, width, ..input }))
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.before]
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let mut y = Vec::with_capacity(output.len());
        for (c, plane) in x.chunks(shape.plane()).enumerate() {
            let before = self.before.iter().skip(c).step_by(self.channels);
            y.extend(before.map(|&value| T::of(value)));
            y.extend_from_slice(plane);
        }
        y
    }

    fn backward<T: Real>(
        &self,
        _: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let rows = dy.chunks(output.shape.width);
        vec![rows.flat_map(|row| &row[self.count()..]).copied().collect()]
    }
}
