//! What every operation says about itself; each has a file of its own.

use std::sync::Arc;

use super::taps::Taps;
use super::window::Window;
use crate::{Real, Shape, Weights};

/// An operation's input or output.
#[derive(Clone, Copy, Debug)]
pub struct Activation<'a, T> {
    /// Channels, height and width.
    pub shape: Shape,
    /// `shape.len()` values in channel, row, column order.
    pub data: &'a [T],
}

/// An operation's shape rule, its part in a layer's facts, and its meaning in both directions.
pub(crate) trait Operation {
    /// The shape it gives for inputs of these shapes, or `None` where a window does not fit.
    ///
    /// # Errors
    /// What does not fit, with the sizes.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String>;

    /// Whether it takes so many inputs.
    fn takes(&self, inputs: usize) -> bool {
        inputs == 1
    }

    /// How many channels it gives for inputs of so many.
    fn channels(&self, inputs: &[usize]) -> usize {
        inputs[0]
    }

    /// The window that it slides over its input, if it has one.
    fn window(&self) -> Option<&Window> {
        None
    }

    /// Whether its parameters are some that such an operation can have, whatever its inputs.
    ///
    /// # Errors
    /// What is wrong with them.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether it has the rows and columns of its last input, and nothing else of it.
    fn sized_by_last(&self) -> bool {
        false
    }

    /// How many steps along a row of its input one step along a row of its output is.
    fn step(&self) -> f64 {
        self.window().map_or(1.0, |window| window.stride[1] as f64)
    }

    /// How many columns of its input beside the first one column of its output depends on at the most. What is
    /// computed from all positions and shared by all outputs, such as a global average, does not count; where each
    /// output compares all positions in its own way, as in attention, the number has no end.
    fn reach(&self) -> usize {
        let reach =
            |window: &Window| window.kernel[1].saturating_sub(1).saturating_mul(window.dilation[1]);
        self.window().map_or(0, reach)
    }

    /// The rows and columns that it adds up, if that is all it does.
    fn taps(&self, _input: Shape, _output: Shape) -> Option<[Taps; 2]> {
        None
    }

    /// Whether each of its values depends on its inputs' values at the same position alone, which may be of all
    /// channels. Default: no.
    fn is_local(&self) -> bool {
        false
    }

    /// Its trained weights, if it has any; they make a network deeper.
    fn weights(&self) -> Option<&Weights> {
        None
    }

    /// Its parameters beside the weights: biases, scales.
    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        Vec::new()
    }

    /// Its output, of shape `output`.
    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T>;

    /// The gradients with respect to each input, for its output and the gradient `dy` there.
    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>>;
}

/// The shape of the one input of an operation that has one.
pub(super) fn only(inputs: &[Shape]) -> Result<Shape, String> {
    match inputs {
        [shape] => Ok(*shape),
        _ => Err(format!("wants one input, has {}", inputs.len())),
    }
}

/// The shape of the one input of an operation that has parameters for so many channels: it `does` something to
/// each of them.
pub(super) fn of_channels(inputs: &[Shape], does: &str, channels: usize) -> Result<Shape, String> {
    let input = only(inputs)?;
    if input.channels != channels {
        return Err(format!("it {does} {channels} channels, its input has {}", input.channels));
    }
    Ok(input)
}
