//! Channels become pixels: the end of a sub-pixel convolution (Shi et al. 2016).

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

/// How the channels of a pixel are numbered that is to become a rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockOrder {
    /// All channels of the rectangle's first pixel, then all of its second: TensorFlow, ONNX's `DCR`.
    PixelsFirst,
    /// All pixels of the first channel, then all of the second: PyTorch's pixel shuffle, ONNX's `CRD`.
    ChannelsFirst,
}

/// Each pixel becomes a rectangle of pixels; there are as many times fewer channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthToSpace {
    /// Height and width of the rectangle.
    pub block: [usize; 2],
    /// Which channel becomes which pixel.
    pub order: BlockOrder,
}

impl DepthToSpace {
    /// The deep channel that becomes channel `channel` of `channels` at `pixel` of the rectangle, counted row
    /// by row.
    pub fn deep_channel(&self, channels: usize, channel: usize, pixel: usize) -> usize {
        match self.order {
            BlockOrder::PixelsFirst => pixel * channels + channel,
            BlockOrder::ChannelsFirst => channel * self.pixels() + pixel,
        }
    }

    /// Pixels of the rectangle.
    pub fn pixels(&self) -> usize {
        self.block[0].saturating_mul(self.block[1])
    }

    /// Calls `f` with (index into the deep map, index into the wide map) of every value.
    pub(super) fn for_each(&self, deep: Shape, wide: Shape, mut f: impl FnMut(usize, usize)) {
        let [high, broad] = self.block;
        for c in 0..wide.channels {
            for y in 0..deep.height * high {
                for x in 0..deep.width * broad {
                    let pixel = y % high * broad + x % broad;
                    let channel = self.deep_channel(wide.channels, c, pixel);
                    let from = (channel * deep.height + y / high) * deep.width + x / broad;
                    f(from, (c * wide.height + y) * wide.width + x);
                }
            }
        }
    }
}

impl Operation for DepthToSpace {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let (input, pixels) = (only(inputs)?, self.pixels());
        if pixels == 0 || !input.channels.is_multiple_of(pixels) {
            return Err(format!(
                "cannot make {}×{} pixels of each {} channels",
                self.block[0], self.block[1], input.channels
            ));
        }
        Ok(Some(Shape {
            channels: input.channels / pixels,
            height: input.height.saturating_mul(self.block[0]),
            width: input.width.saturating_mul(self.block[1]),
        }))
    }

    fn channels(&self, inputs: &[usize]) -> usize {
        inputs[0] / self.pixels().max(1)
    }

    fn step(&self) -> f64 {
        1.0 / self.block[1].max(1) as f64
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        let mut y = vec![T::default(); output.len()];
        self.for_each(inputs[0].shape, output, |from, to| y[to] = inputs[0].data[from]);
        y
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let mut dx = vec![T::default(); inputs[0].data.len()];
        self.for_each(inputs[0].shape, output.shape, |to, from| dx[to] = dy[from]);
        vec![dx]
    }
}
