//! Local response normalisation across channels (Krizhevsky, Sutskever, Hinton 2012).

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

/// `y_c = x_c / (bias + alpha · Σ x_k²)^beta`, k over the `size` channels around c.
///
/// `alpha` is for one element, as TensorFlow has it; Caffe's is divided by the size of its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// How many channels the sum goes over, the own in the middle; odd.
    pub size: usize,
    /// Weight of the sum of squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub bias: f32,
}

impl Lrn {
    /// `bias + alpha · Σ x²` around each element.
    fn sums<T: Real>(&self, Activation { shape, data: x }: Activation<'_, T>) -> Vec<T> {
        let sum = |i: usize| {
            let squares = self.neighbours(shape, i).map(|j| x[j] * x[j]).sum::<T>();
            T::of(self.bias) + T::of(self.alpha) * squares
        };
        (0..x.len()).map(sum).collect()
    }

    /// The elements that the sum at `index` goes over.
    fn neighbours(&self, shape: Shape, index: usize) -> impl Iterator<Item = usize> {
        let (plane, half) = (shape.plane(), self.size / 2);
        let (channel, position) = (index / plane, index % plane);
        (channel.saturating_sub(half)..(channel + half + 1).min(shape.channels))
            .map(move |c| c * plane + position)
    }
}

impl Operation for Lrn {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        only(inputs).map(Some)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        let sums = self.sums(inputs[0]);
        inputs[0].data.iter().zip(sums).map(|(&x, sum)| x * sum.pow(T::of(-self.beta))).collect()
    }

    /// `dx_c = dy_c · s_c^−β − 2αβ · x_c · Σ_k dy_k · x_k · s_k^(−β−1)`
    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let Activation { shape, data: x } = inputs[0];
        let sums = self.sums(inputs[0]);
        let factor = T::of(2.0) * T::of(self.alpha) * T::of(self.beta);
        let gradient = |i: usize| {
            let shared = self
                .neighbours(shape, i)
                .map(|j| dy[j] * x[j] * sums[j].pow(T::of(-self.beta) - T::of(1.0)))
                .sum::<T>();
            dy[i] * sums[i].pow(T::of(-self.beta)) - factor * x[i] * shared
        };
        vec![(0..x.len()).map(gradient).collect()]
    }
}
