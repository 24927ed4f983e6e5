//! Max pooling.

use super::operation::{Activation, Operation, only};
use super::window::Window;
use crate::{Real, Shape};

/// Max pooling; the padding never wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// The window.
    pub window: Window,
}

impl MaxPool {
    /// The index into `x` of each output's largest input; the first one wins a tie.
    fn argmax<T: Real>(
        &self,
        Activation { shape, data: x }: Activation<'_, T>,
        output: Shape,
    ) -> Vec<Option<usize>> {
        let mut largest: Vec<Option<usize>> = vec![None; output.len()];
        self.window.for_each(shape, output, |position, _, from| {
            for c in 0..shape.channels {
                let (largest, from) =
                    (&mut largest[c * output.plane() + position], c * shape.plane() + from);
                if largest.is_none_or(|best| x[from] > x[best]) {
                    *largest = Some(from);
                }
            }
        });
        largest
    }
}

impl Operation for MaxPool {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        Ok(self.window.output_shape(only(inputs)?))
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let value =
            |index: Option<usize>| index.map_or(T::default(), |index| inputs[0].data[index]);
        self.argmax(inputs[0], output).into_iter().map(value).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut dx = vec![T::default(); inputs[0].data.len()];
        for (to, from) in self.argmax(inputs[0], output.shape).into_iter().enumerate() {
            if let Some(from) = from {
                dx[from] += dy[to];
            }
        }
        vec![dx]
    }
}
