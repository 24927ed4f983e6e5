//! What every operation says about itself; each has a file of its own.

use crate::{Real, Shape};

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

    /// How many channels it gives for inputs of so many.
    fn channels(&self, inputs: &[usize]) -> usize {
        inputs[0]
    }

    /// How many of its input's columns one step along a row of its output is.
    fn stride(&self) -> usize {
        1
    }

    /// Whether it has trained weights, and so makes a network deeper.
    fn has_weights(&self) -> bool {
        false
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
