//! Pixels become channels: the reverse of [`DepthToSpace`].

use super::depth_to_space::DepthToSpace;
use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

/// Each rectangle of pixels becomes one pixel, with as many times more channels. Rows and columns that fill
/// no rectangle are left out, as a strided convolution does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceToDepth(
    /// What makes the same pixels of these channels again.
    pub DepthToSpace,
);

impl Operation for SpaceToDepth {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let (input, [high, wide]) = (only(inputs)?, self.0.block);
        if high == 0 || wide == 0 {
            return Err(format!("cannot make a pixel of {high}×{wide}"));
        }
        let channels = input.channels.checked_mul(self.0.pixels());
        let channels = channels.ok_or("has more channels than can be counted")?;
        Ok(Some(Shape { channels, height: input.height / high, width: input.width / wide }))
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        inputs[0].saturating_mul(self.0.pixels())
    }

    fn reach(&self) -> usize {
        self.0.block[1].saturating_sub(1)
    }

    fn step(&self) -> f64 {
        self.0.block[1] as f64
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let mut y = vec![T::default(); output.len()];
        self.0.for_each(output, inputs[0].shape, |to, from| y[to] = inputs[0].data[from]);
        y
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut dx = vec![T::default(); inputs[0].data.len()];
        self.0.for_each(output.shape, inputs[0].shape, |from, to| dx[to] = dy[from]);
        vec![dx]
    }
}
