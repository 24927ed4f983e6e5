//! ReLU with a trained slope below 0 for each channel (He et al. 2015).

use std::sync::Arc;

use super::operation::{Activation, Operation, of_channels};
use crate::{Real, Shape};

/// `x` above 0, `slope[c] · x` elsewhere.
#[derive(Clone, Debug)]
pub struct PRelu {
    /// One for each channel.
    pub slope: Arc<[f32]>,
}

impl PRelu {
    /// The slope at each of `x`.
    fn slopes<'a, T: Real>(&'a self, x: &'a Activation<'_, T>) -> impl Iterator<Item = T> + 'a {
        let plane = x.shape.plane();
        let below = move |i: usize| T::of(self.slope[i / plane]);
        let slope =
            move |(i, &x): (usize, &T)| if x > T::default() { T::of(1.0) } else { below(i) };
        x.data.iter().enumerate().map(slope)
    }
}

impl Operation for PRelu {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        of_channels(inputs, "has slopes for", self.slope.len()).map(Some)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.slope]
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        self.slopes(&inputs[0]).zip(inputs[0].data).map(|(slope, &x)| slope * x).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        vec![self.slopes(&inputs[0]).zip(dy).map(|(slope, &dy)| slope * dy).collect()]
    }
}
