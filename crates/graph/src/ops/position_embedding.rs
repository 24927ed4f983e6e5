//! Trained values for each position that are added to it (Dosovitskiy et al. 2021), at any size.

use std::sync::Arc;

use super::operation::{Activation, Operation, of_channels};
use super::resize::{Coordinates, Extent, Interpolation, Resize};
use crate::{Real, Shape};

/// Adds to each position what was trained for it, on a grid of a certain size. A larger or smaller input gets the
/// grid enlarged or reduced, by cubics as is usual where such networks see other pictures than they were trained
/// with.
#[derive(Clone, Debug)]
pub struct PositionEmbedding {
    /// Rows and columns of the grid.
    pub grid: [usize; 2],
    /// Channels × rows × columns of it.
    pub values: Arc<[f32]>,
}

impl PositionEmbedding {
    fn channels(&self) -> usize {
        self.values.len() / (self.grid[0] * self.grid[1]).max(1)
    }

    /// What is added to an input of `shape`: channels × rows × columns.
    pub fn values<T: Real>(&self, shape: Shape) -> Vec<T> {
        let [height, width] = self.grid;
        let own = Shape::new(self.channels(), height, width);
        let values: Vec<T> = self.values.iter().map(|&value| T::of(value)).collect();
        if own == shape {
            return values;
        }
        let resize = Resize {
            size: [Extent::Fixed(shape.height), Extent::Fixed(shape.width)],
            coordinates: Coordinates::HalfPixel,
            interpolation: Interpolation::Cubic { slope: -0.75, exclude_outside: false },
        };
        resize.forward(&[Activation { shape: own, data: &values }], shape)
    }
}

impl Operation for PositionEmbedding {
    fn check(&self) -> Result<(), String> {
        let area = self.grid[0].checked_mul(self.grid[1]);
        match area.and_then(|area| self.values.len().checked_rem(area)) {
            Some(0) => Ok(()),
            _ => Err(format!(
                "has {} values for a grid of {}×{}",
                self.values.len(),
                self.grid[0],
                self.grid[1]
            )),
        }
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        of_channels(inputs, "has positions of", self.channels()).map(Some)
    }

    fn vectors(&self) -> Vec<&Arc<[f32]>> {
        vec![&self.values]
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        inputs[0].data.iter().zip(self.values::<T>(output)).map(|(&x, value)| x + value).collect()
    }

    fn backward<T: Real>(
        &self,
        _: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        vec![dy.to_vec()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_resized_as_pytorch_does_it() {
        let values = [3, -1, 4, 1, -5, 9, 2, -6, 5, 3, -5, 8, 9, -7, 9, 3].map(|x| x as f32);
        let embedding = PositionEmbedding { grid: [4, 4], values: values.into() };
        // torch.nn.functional.interpolate(…, size=(6, 5), mode="bicubic", align_corners=False), whose numbers these
        // are but for the rounding of 32 bits.
        let expected = [
            [4.0323663, -0.9822118, 0.8718533, 4.1237986, 1.4517561],
            [-2.3323750, 2.8489141, 5.4189453, 1.4725547, -4.2662266],
            [-5.1493912, 6.3598264, 6.6233362, -1.7898380, -4.8208084],
            [2.9678912, 5.5126944, -1.0829716, -3.1421412, 7.0048189],
            [8.5753750, -0.0636641, -2.1064453, 3.3001953, 7.1447266],
            [10.3930503, -5.0586806, 0.2768012, 10.0748090, 2.1012769],
        ];
        let found = embedding.values::<f64>(Shape::new(1, 6, 5));
        for (found, expected) in found.iter().zip(expected.as_flattened()) {
            assert!((found - expected).abs() < 2e-6, "{found} {expected}");
        }
    }

    #[test]
    fn a_grid_is_what_it_is_or_goes_smoothly_to_another_size() {
        let values: Arc<[f32]> = (0..12).map(|i| i as f32).collect();
        let embedding = PositionEmbedding { grid: [2, 3], values: values.clone() };
        assert_eq!(embedding.values::<f32>(Shape::new(2, 2, 3)), &values[..]);
        let wide = embedding.values::<f64>(Shape::new(2, 2, 9));
        // The middle of three columns for each is the column itself.
        let middle = |c: usize, row: usize| wide[(c * 2 + row) * 9 + 4];
        for (c, row) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let own = f64::from(values[(c * 2 + row) * 3 + 1]);
            assert!((middle(c, row) - own).abs() < 1e-5, "{wide:?}");
        }
        let odd = PositionEmbedding { grid: [2, 5], values };
        assert!(odd.check().is_err());
    }
}
