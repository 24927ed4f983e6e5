//! A dense picture-shaped array.

use crate::Shape;

/// Values in channel, row, column order: `data[(c · height + y) · width + x]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Channels, height and width.
    pub shape: Shape,
    /// `shape.len()` values.
    pub data: Vec<f32>,
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(shape: Shape) -> Self {
        Self { shape, data: vec![0.0; shape.len()] }
    }

    /// One channel's values, row by row.
    pub fn channel(&self, channel: usize) -> &[f32] {
        let plane = self.shape.plane();
        &self.data[channel * plane..][..plane]
    }

    /// One channel's values, row by row.
    pub fn channel_mut(&mut self, channel: usize) -> &mut [f32] {
        let plane = self.shape.plane();
        &mut self.data[channel * plane..][..plane]
    }
}
