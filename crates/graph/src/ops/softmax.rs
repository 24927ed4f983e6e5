//! Softmax across channels, at each position.

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

pub(super) struct Softmax;

impl Operation for Softmax {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        only(inputs).map(Some)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let Activation { shape, data: x } = inputs[0];
        let mut y = vec![T::default(); x.len()];
        for position in 0..shape.plane() {
            let at = |c: usize| c * shape.plane() + position;
            let largest = (0..shape.channels)
                .map(|c| x[at(c)])
                .fold(x[position], |a, b| if b > a { b } else { a });
            let sum: T = (0..shape.channels).map(|c| (x[at(c)] - largest).exp()).sum();
            for c in 0..shape.channels {
                y[at(c)] = (x[at(c)] - largest).exp() / sum;
            }
        }
        y
    }

    fn backward<T: Real>(
        &self,
        _: &[Activation<'_, T>],
        Activation { shape, data: y }: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut dx = vec![T::default(); y.len()];
        for position in 0..shape.plane() {
            let at = |c: usize| c * shape.plane() + position;
            let mean: T = (0..shape.channels).map(|c| y[at(c)] * dy[at(c)]).sum();
            for c in 0..shape.channels {
                dx[at(c)] = y[at(c)] * (dy[at(c)] - mean);
            }
        }
        vec![dx]
    }
}
