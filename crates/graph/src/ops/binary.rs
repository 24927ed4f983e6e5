//! Product, difference and quotient of two inputs, element by element, broadcast to one shape.

use super::broadcast::{self, partner};
use super::operation::{Activation, Operation};
use crate::{Real, Shape};

/// What becomes of the two values that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a · b`: gates as squeeze-and-excitation has them.
    Mul,
    /// `a − b`
    Sub,
    /// `a / b`
    Div,
}

impl Binary {
    fn value<T: Real>(self, a: T, b: T) -> T {
        match self {
            Self::Mul => a * b,
            Self::Sub => a - b,
            Self::Div => a / b,
        }
    }

    /// The slopes with respect to `a` and to `b`.
    fn slopes<T: Real>(self, a: T, b: T) -> [T; 2] {
        let (zero, one) = (T::default(), T::of(1.0));
        match self {
            Self::Mul => [b, a],
            Self::Sub => [one, zero - one],
            Self::Div => [one / b, zero - a / (b * b)],
        }
    }
}

impl Operation for Binary {
    fn takes(&self, inputs: usize) -> bool {
        inputs == 2
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        if inputs.len() != 2 {
            return Err(format!("wants two inputs, has {}", inputs.len()));
        }
        broadcast::shape(inputs).map(Some)
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        broadcast::channels(inputs)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let of = |input: usize, i: usize| {
            let Activation { shape, data } = inputs[input];
            data[partner(shape, output, i)]
        };
        (0..output.len()).map(|i| self.value(of(0, i), of(1, i))).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let of = |input: usize, i: usize| {
            let Activation { shape, data } = inputs[input];
            data[partner(shape, output.shape, i)]
        };
        let gradient = |input: usize| {
            broadcast::gather(inputs[input].shape, output.shape, |i| {
                dy[i] * self.slopes(of(0, i), of(1, i))[input]
            })
        };
        vec![gradient(0), gradient(1)]
    }
}
