//! Transposed convolution, also called deconvolution.

use std::sync::Arc;

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape, Weights};

/// Transposed convolution: each input adds the kernel, times itself, to the outputs; what a convolution with
/// the same window does backward. Pairs are rows first, then columns.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// How far apart the kernels of neighbouring inputs are.
    pub stride: [usize; 2],
    /// How far apart a kernel's elements are.
    pub dilation: [usize; 2],
    /// Rows and columns left out at the top and the left.
    pub before: [usize; 2],
    /// Rows and columns left out at the bottom and the right; added there, if negative.
    pub after: [isize; 2],
    /// Channels it makes.
    pub out_channels: usize,
    /// Channels of its input.
    pub in_channels: usize,
    /// Into how many independent ones the channels are divided.
    pub groups: usize,
    /// `in_channels × out_channels / groups × kernel height × kernel width`.
    pub weights: Weights,
    /// One for each output channel.
    pub bias: Arc<[f32]>,
}

impl ConvTranspose2d {
    /// Outputs that a kernel reaches along an axis.
    pub(crate) fn reach(&self, axis: usize) -> Option<usize> {
        self.kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1)
    }

    /// The output's extent along an axis; `None` if nothing is left of it.
    fn extent(&self, axis: usize, input: usize) -> Option<usize> {
        let whole = input.checked_sub(1)?.checked_mul(self.stride[axis])?;
        let whole = whole.checked_add(self.reach(axis)?)?.checked_sub(self.before[axis])?;
        whole.checked_add_signed(self.after[axis].checked_neg()?)
    }

    /// Calls `f` with the indices of the input, the weight and the output of every product.
    fn for_each(&self, input: Shape, output: Shape, mut f: impl FnMut(usize, usize, usize)) {
        let (ins, outs) = (self.in_channels / self.groups, self.out_channels / self.groups);
        let [high, wide] = self.kernel;
        for element in 0..high * wide {
            let k = [element / wide, element % wide];
            for position in 0..input.plane() {
                let at = [position / input.width, position % input.width];
                let to = |axis: usize| {
                    let to = at[axis] * self.stride[axis] + k[axis] * self.dilation[axis];
                    to.checked_sub(self.before[axis])
                };
                let (Some(row), Some(column)) = (to(0), to(1)) else { continue };
                if row >= output.height || column >= output.width {
                    continue;
                }
                for i in 0..self.in_channels {
                    for o in 0..outs {
                        let channel = i / ins * outs + o;
                        let weight = (i * outs + o) * high * wide + element;
                        let to = (channel * output.height + row) * output.width + column;
                        f(i * input.plane() + position, weight, to);
                    }
                }
            }
        }
    }
}

impl Operation for ConvTranspose2d {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = only(inputs)?;
        if input.channels != self.in_channels {
            return Err(format!(
                "its weights are for {} channels, its input has {}",
                self.in_channels, input.channels
            ));
        }
        let extents = (self.extent(0, input.height), self.extent(1, input.width));
        let (Some(height), Some(width)) = extents else { return Ok(None) };
        Ok(Some(Shape::new(self.out_channels, height, width)))
    }

    fn channels(&self, _: &[usize]) -> usize {
        self.out_channels
    }

    fn step(&self) -> f64 {
        1.0 / self.stride[1].max(1) as f64
    }

    fn weights(&self) -> Option<&Weights> {
        Some(&self.weights)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.bias]
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let bias = |i: usize| T::of(self.bias[i / output.plane()]);
        let mut y: Vec<T> = (0..output.len()).map(bias).collect();
        self.for_each(shape, output, |from, weight, to| {
            y[to] += x[from] * T::of(self.weights[weight]);
        });
        y
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let shape = inputs[0].shape;
        let mut dx = vec![T::default(); shape.len()];
        self.for_each(shape, output.shape, |from, weight, to| {
            dx[from] += T::of(self.weights[weight]) * dy[to];
        });
        vec![dx]
    }
}
