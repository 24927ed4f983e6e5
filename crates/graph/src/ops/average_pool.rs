//! Average pooling.

use super::operation::{Activation, Operation, only};
use super::window::Window;
use crate::{Real, Shape};

/// Average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// The window.
    pub window: Window,
    /// Whether positions in the padding count as zeros (Caffe) or are left out of the mean
    /// (TensorFlow). What lies beyond even the padding is always left out.
    pub count_padding: bool,
}

impl AveragePool {
    /// How many positions each output's mean is over.
    fn counts(&self, input: Shape, output: Shape) -> Vec<usize> {
        let window = &self.window;
        let mut counts = vec![0; output.plane()];
        if !self.count_padding {
            window.for_each(input, output, |position, _, _| counts[position] += 1);
            return counts;
        }
        let padded = |axis, extent| {
            let span = window.span(axis, extent).expect("the shape was checked");
            span.before + extent + span.after
        };
        let (height, width) = (padded(0, input.height), padded(1, input.width));
        let inside = |axis: usize, at: usize, extent: usize| {
            (0..window.kernel[axis])
                .filter(|k| at * window.stride[axis] + k * window.dilation[axis] < extent)
                .count()
        };
        for (position, count) in counts.iter_mut().enumerate() {
            let (row, column) = (position / output.width, position % output.width);
            *count = inside(0, row, height) * inside(1, column, width);
        }
        counts
    }

    /// Calls `f` with (input index, output index, weight in the mean) for every element of every mean.
    fn for_each<T: Real>(&self, input: Shape, output: Shape, mut f: impl FnMut(usize, usize, T)) {
        let counts = self.counts(input, output);
        self.window.for_each(input, output, |position, _, from| {
            let share = T::of(1.0) / T::of(counts[position] as f32);
            for c in 0..input.channels {
                f(c * input.plane() + from, c * output.plane() + position, share);
            }
        });
    }
}

impl Operation for AveragePool {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        Ok(self.window.output_shape(only(inputs)?))
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let mut y = vec![T::default(); output.len()];
        self.for_each(shape, output, |from, to, share| y[to] += x[from] * share);
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
        self.for_each(shape, output.shape, |from, to, share| dx[from] += dy[to] * share);
        vec![dx]
    }
}
