//! Convolution.

use std::sync::Arc;

use super::operation::{Activation, Operation, only};
use super::products::{self, Products};
use super::window::Window;
use crate::{Real, Shape, Weights};

/// Convolution (as in all these formats, correlation: the kernel is not flipped).
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Kernel size, stride, dilation, padding; rounding is always [`crate::Rounding::Floor`].
    pub window: Window,
    /// Channels it makes.
    pub out_channels: usize,
    /// Channels of the input that each output sees: the input's channels / `groups`.
    pub in_channels: usize,
    /// Into how many independent convolutions the channels are divided.
    pub groups: usize,
    /// `out_channels × in_channels × kernel height × kernel width`.
    pub weights: Weights,
    /// One for each output channel.
    pub bias: Arc<[f32]>,
}

impl Products for Conv2d {
    fn for_each(&self, input: Shape, output: Shape, mut f: impl FnMut(usize, usize, usize)) {
        let (outs, ins) = (self.out_channels / self.groups, self.in_channels);
        let [kernel_height, kernel_width] = self.window.kernel;
        self.window.for_each(input, output, |position, element, from| {
            for o in 0..self.out_channels {
                for i in 0..ins {
                    let channel = o / outs * ins + i;
                    let weight = (o * ins + i) * kernel_height * kernel_width + element;
                    f(channel * input.plane() + from, weight, o * output.plane() + position);
                }
            }
        });
    }

    fn parameters(&self) -> (&Weights, &Arc<[f32]>) {
        (&self.weights, &self.bias)
    }
}

impl Operation for Conv2d {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let (input, expected) = (only(inputs)?, self.in_channels * self.groups);
        if input.channels != expected {
            return Err(format!(
                "its weights are for {expected} channels, its input has {}",
                input.channels
            ));
        }
        let shape = self.window.output_shape(input);
        Ok(shape.map(|shape| Shape { channels: self.out_channels, ..shape }))
    }

    fn channels(&self, _: &[usize]) -> usize {
        self.out_channels
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
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
