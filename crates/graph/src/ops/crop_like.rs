//! A part of an activation as large as another: what networks cut off after transposed convolutions.

use super::operation::{Activation, Operation};
use super::taps::{self, Taps};
use crate::{Real, Shape};

/// As many rows and columns of the first input as the second has; nothing else of the second counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropLike {
    /// The first row and column that are taken.
    pub offset: [usize; 2],
}

impl Operation for CropLike {
    fn takes(&self, inputs: usize) -> bool {
        inputs == 2
    }

    fn sized_by_last(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let &[input, like] = inputs else {
            return Err(format!("wants two inputs, has {}", inputs.len()));
        };
        let fits = |axis: usize, part: usize, whole: usize| {
            self.offset[axis].checked_add(part).is_some_and(|end| end <= whole)
        };
        if !fits(0, like.height, input.height) || !fits(1, like.width, input.width) {
            return Err(format!(
                "cannot take {}×{} rows and columns from {}×{} on out of {input}",
                like.height, like.width, self.offset[0], self.offset[1]
            ));
        }
        Ok(Some(Shape { channels: input.channels, ..like }))
    }

    fn taps(&self, _: Shape, output: Shape) -> Option<[Taps; 2]> {
        let axis = |offset: usize, extent: usize| {
            Taps::new((0..extent).map(|position| [(offset + position, 1.0)]))
        };
        Some([axis(self.offset[0], output.height), axis(self.offset[1], output.width)])
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        taps::forward(self, 0.0, inputs, output)
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        taps::backward(self, inputs, output, dy)
    }
}
