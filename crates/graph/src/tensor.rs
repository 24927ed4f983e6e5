//! A dense picture-shaped array.

use crate::{Shape, Storage, Values};

/// Values in channel, row, column order: `data[(c · height + y) · width + x]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Channels, height and width.
    pub shape: Shape,
    /// `shape.len()` values.
    pub data: Values,
}

impl Tensor {
    /// A tensor of zeros.
    pub fn zeros(shape: Shape) -> Self {
        Self::zeros_in(&Storage::default(), shape)
    }

    /// A tensor of zeros that lies in `storage`.
    pub fn zeros_in(storage: &Storage, shape: Shape) -> Self {
        Self { shape, data: storage.zeros(shape.len()) }
    }

    /// Where the values lie, and those of what is made of it are to lie.
    pub fn storage(&self) -> &Storage {
        self.data.storage()
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
