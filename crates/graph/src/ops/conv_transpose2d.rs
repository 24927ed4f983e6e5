//! Transposed convolution, also called deconvolution.

use std::sync::Arc;

use super::operation::{Activation, Operation, only};
use super::products::{self, Products};
use crate::{Real, Shape, Weights};

/// No kernel, stride or padding is larger; what is computed from them fits any number then.
const MOST_EXTENT: usize = 1 << 20;
/// It is made into a convolution that has its output channels for each pixel of its stride. That has no more
/// channels and no more weights than this.
const MOST_CHANNELS: usize = 1 << 24;
const MOST_WEIGHTS: usize = 1 << 29;

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
    pub(crate) fn reached(&self, axis: usize) -> Option<usize> {
        self.kernel[axis].checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1)
    }

    /// The output's extent along an axis; `None` if nothing is left of it.
    fn extent(&self, axis: usize, input: usize) -> Option<usize> {
        let whole = input.checked_sub(1)?.checked_mul(self.stride[axis])?;
        let whole = whole.checked_add(self.reached(axis)?)?.checked_sub(self.before[axis])?;
        whole.checked_add_signed(self.after[axis].checked_neg()?)
    }
}

impl Products for ConvTranspose2d {
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

    fn parameters(&self) -> (&Weights, &Arc<[f32]>) {
        (&self.weights, &self.bias)
    }
}

impl Operation for ConvTranspose2d {
    fn check(&self) -> Result<(), String> {
        let each = [self.kernel, self.stride, self.dilation];
        if each.as_flattened().contains(&0) {
            return Err(format!(
                "its kernel of {:?} with a stride of {:?} and a dilation of {:?} has a 0 in it",
                self.kernel, self.stride, self.dilation
            ));
        }
        let groups = self.groups;
        let divides = |channels: usize| groups > 0 && channels.is_multiple_of(groups);
        if !divides(self.in_channels) || !divides(self.out_channels) {
            return Err(format!(
                "its {groups} groups do not divide {} and {} channels",
                self.in_channels, self.out_channels
            ));
        }
        let reach = [0, 1].map(|axis| self.reached(axis).unwrap_or(usize::MAX));
        let after = self.after.map(isize::unsigned_abs);
        let extents = [reach, self.stride, self.before, after];
        if extents.as_flattened().iter().any(|&extent| extent > MOST_EXTENT) {
            return Err(format!(
                "its kernel, stride or padding reaches farther than {MOST_EXTENT} positions"
            ));
        }
        let product = |factors: [usize; 4]| {
            factors.iter().try_fold(1usize, |product, &factor| product.checked_mul(factor))
        };
        let [rows, columns] = self.stride;
        let channels = product([self.out_channels, rows, columns, 1]);
        let along = |axis: usize| reach[axis] + 2 * self.stride[axis];
        let pairs = [self.in_channels, self.out_channels / groups];
        let made = product([pairs[0], pairs[1], along(0), along(1)]);
        let few = |count: Option<usize>, most: usize| count.is_some_and(|count| count <= most);
        if !few(channels, MOST_CHANNELS) || !few(made, MOST_WEIGHTS) {
            return Err(format!(
                "its kernel of {:?} with a stride of {:?} and a dilation of {:?} is too large for {} and {} channels",
                self.kernel, self.stride, self.dilation, self.in_channels, self.out_channels
            ));
        }
        let weights = product([pairs[0], pairs[1], self.kernel[0], self.kernel[1]]);
        if weights != Some(self.weights.len()) || self.out_channels != self.bias.len() {
            return Err(format!(
                "has {} weights and a bias for {} channels, which are too many or too few",
                self.weights.len(),
                self.bias.len()
            ));
        }
        Ok(())
    }

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

    fn reach(&self) -> usize {
        self.reached(1).map_or(0, |reach| reach.saturating_sub(1) / self.stride[1].max(1))
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
        products::forward(self, inputs[0], output)
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        vec![products::backward(self, inputs[0].shape, output.shape, dy)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_become_endless_is_refused() {
        let conv = |kernel: [usize; 2], stride, dilation| ConvTranspose2d {
            kernel,
            stride,
            dilation,
            before: [0, 0],
            after: [0, 0],
            out_channels: 1,
            in_channels: 1,
            groups: 1,
            weights: vec![1.0; 4].into(),
            bias: [0.0].into(),
        };
        conv([2, 2], [64, 64], [9, 9]).check().unwrap();
        for (kernel, stride, dilation) in [
            ([2, 2], [1 << 20, 1 << 20], [1, 1]),
            ([2, 2], [1, 1], [1 << 19, 1 << 19]),
            ([1 << 19, 1 << 19], [1, 1], [1, 1]),
        ] {
            assert!(conv(kernel, stride, dilation).check().unwrap_err().contains("too large"));
        }
    }
}
