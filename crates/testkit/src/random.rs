//! Numbers and operations from a seed.

use std::sync::Arc;

use graph::{
    Affine, Attention, BlockOrder, Conv2d, ConvTranspose2d, Coordinates, Crop, Cut, Dense,
    DepthToSpace, Extent, GroupNorm, Interpolation, LayerNorm, Nearest, Op, PRelu, Pad, PadMode,
    Padding, PositionEmbedding, Resize, SelectChannels, Shape, Size, Tensor, Tokens, Window,
};

/// A small generator with a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number, both ends included.
    pub fn range(&mut self, from: usize, to: usize) -> usize {
        from + self.bits() as usize % (to - from + 1)
    }

    /// Between −1 and 1.
    pub fn value(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Numbers between −1 and 1.
    pub fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.value()).collect()
    }

    /// Noise over all of 0–255.
    pub fn image(&mut self, size: Size) -> Tensor {
        let shape = Shape::new(3, size.height, size.width);
        Tensor { shape, data: (0..shape.len()).map(|_| 127.5 + 127.5 * self.value()).collect() }
    }

    /// A tensor of numbers between −1 and 1.
    pub fn tensor(&mut self, shape: Shape) -> Tensor {
        Tensor { shape, data: self.values(shape.len()).into() }
    }

    /// A convolution of `ins` → `outs` channels with weights that keep the size of values.
    pub fn conv(&mut self, window: Window, ins: usize, outs: usize, groups: usize) -> Op {
        let each = ins / groups * window.kernel[0] * window.kernel[1];
        let scale = (6.0 / each as f32).sqrt();
        let weights: Vec<f32> = self.values(outs * each).iter().map(|w| w * scale).collect();
        Op::Conv2d(Conv2d {
            window,
            out_channels: outs,
            in_channels: ins / groups,
            groups,
            weights: weights.into(),
            bias: self.values(outs).iter().map(|b| 0.1 * b).collect::<Vec<_>>().into(),
        })
    }

    /// A scale and a shift that keep the size of values.
    pub fn affine(&mut self, channels: usize) -> Op {
        let scale: Arc<[f32]> = self.values(channels).iter().map(|x| 1.0 + 0.5 * x).collect();
        Op::Affine(Affine { scale, shift: self.values(channels).into() })
    }

    /// A ReLU with slopes below 0 between −1 and 1.
    pub fn prelu(&mut self, channels: usize) -> Op {
        Op::PRelu(PRelu { slope: self.values(channels).into() })
    }

    /// A normalisation over the channels.
    pub fn layer_norm(&mut self, channels: usize) -> Op {
        let scale: Arc<[f32]> = self.values(channels).iter().map(|x| 1.0 + 0.5 * x).collect();
        Op::LayerNorm(LayerNorm { scale, shift: self.values(channels).into(), epsilon: 1e-3 })
    }

    /// A normalisation over groups of channels and all positions.
    pub fn group_norm(&mut self, channels: usize, groups: usize) -> Op {
        let scale: Arc<[f32]> = self.values(channels).iter().map(|x| 1.0 + 0.5 * x).collect();
        let shift = self.values(channels).into();
        Op::GroupNorm(GroupNorm { groups, scale, shift, epsilon: 0.25 })
    }

    /// A fully connected layer over an input of `shape`, with weights that keep the size of values.
    pub fn dense(&mut self, shape: Shape, outs: usize) -> Op {
        let ins = shape.len();
        let scale = (3.0 / ins as f32).sqrt();
        Op::Dense(Dense {
            out_features: outs,
            in_features: ins,
            weights: self.values(outs * ins).iter().map(|w| w * scale).collect(),
            bias: self.values(outs).into(),
        })
    }

    /// A transposed convolution of `ins` → `outs` channels, of any stride and dilation, that leaves out no more
    /// than its kernel reaches.
    pub fn conv_transpose(&mut self, ins: usize, outs: usize, groups: usize) -> Op {
        let mut pair = |low: usize, high: usize| [self.range(low, high), self.range(low, high)];
        let (kernel, stride, dilation) = (pair(1, 4), pair(1, 3), pair(1, 2));
        let (before, after, added) = (pair(0, 3), pair(0, 3), pair(0, 2));
        let each = outs / groups * kernel[0] * kernel[1];
        let scale = (6.0 / (each * ins / outs.max(1)).max(1) as f32).sqrt();
        Op::ConvTranspose2d(ConvTranspose2d {
            kernel,
            stride,
            dilation,
            before,
            after: [0, 1].map(|axis| after[axis] as isize - added[axis] as isize),
            out_channels: outs,
            in_channels: ins,
            groups,
            weights: self.values(ins * each).iter().map(|w| w * scale).collect(),
            bias: self.values(outs).into(),
        })
    }

    /// Attention in so many heads, with weights that many positions have a part in.
    pub fn attention(&mut self, channels: usize, heads: usize) -> Op {
        let scale = 0.25 / (channels as f32 / heads as f32).sqrt();
        Op::Attention(Attention { heads, scale })
    }

    /// Up to three positions before all others.
    pub fn tokens(&mut self, channels: usize) -> Op {
        let count = self.range(0, 3);
        Op::Tokens(Tokens { channels, before: self.values(count * channels).into() })
    }

    /// Values for each position of a small grid.
    pub fn position_embedding(&mut self, channels: usize) -> Op {
        let grid = [self.range(1, 12), self.range(1, 12)];
        let values = self.values(channels * grid[0] * grid[1]).into();
        Op::PositionEmbedding(PositionEmbedding { grid, values })
    }

    /// Some of `channels` channels in any order, some of them again.
    pub fn select_channels(&mut self, channels: usize) -> Op {
        let count = self.range(1, 40);
        Op::SelectChannels(SelectChannels {
            in_channels: channels,
            channels: (0..count).map(|_| self.range(0, channels - 1)).collect(),
        })
    }

    /// How channels become pixels: any number of them, in any order.
    pub fn depth_to_space(&mut self) -> DepthToSpace {
        let order = [BlockOrder::PixelsFirst, BlockOrder::ChannelsFirst][self.range(0, 1)];
        DepthToSpace { block: [self.range(1, 3), self.range(1, 3)], order }
    }

    /// A padding of any kind.
    pub fn pad(&mut self) -> Op {
        let mut pair = || [self.range(0, 12), self.range(0, 12)];
        let (rows, columns) = (pair(), pair());
        let mode = match self.range(0, 4) {
            0 => PadMode::Constant(self.value()),
            1 => PadMode::Reflect,
            2 => PadMode::Symmetric,
            3 => PadMode::Edge,
            _ => PadMode::Wrap,
        };
        Op::Pad(Pad { rows, columns, mode })
    }

    /// A slice of rows and columns that leaves something of an activation of a few pixels.
    pub fn crop(&mut self) -> Op {
        let mut cut = || match self.range(0, 3) {
            0 => Cut::ALL,
            1 => Cut { start: -1, end: i64::MIN, step: -(self.range(1, 2) as i64) },
            _ => Cut {
                start: self.range(0, 1) as i64,
                end: [i64::MAX, -1, 4][self.range(0, 2)],
                step: self.range(1, 2) as i64,
            },
        };
        Op::Crop(Crop { rows: cut(), columns: cut() })
    }

    /// A resizing of any kind.
    pub fn resize(&mut self) -> Op {
        let mut extent = || match self.range(0, 2) {
            0 => Extent::Fixed(self.range(1, 20)),
            1 => Extent::Scale(2.0),
            _ => Extent::Scale(0.6 + self.value().abs()),
        };
        let size = [extent(), extent()];
        let coordinates = [
            Coordinates::HalfPixel,
            Coordinates::HalfPixelSymmetric,
            Coordinates::PytorchHalfPixel,
            Coordinates::AlignCorners,
            Coordinates::Asymmetric,
            Coordinates::HalfPixelForNearest,
        ][self.range(0, 5)];
        let nearest = [Nearest::RoundDown, Nearest::RoundUp, Nearest::Floor, Nearest::Ceil];
        let interpolation = match self.range(0, 3) {
            0 => Interpolation::Nearest(nearest[self.range(0, 3)]),
            1 => {
                let exclude_outside = self.range(0, 1) == 1;
                Interpolation::Cubic { slope: -0.75, exclude_outside }
            }
            _ => Interpolation::Linear,
        };
        Op::Resize(Resize { size, coordinates, interpolation })
    }

    /// A window with a padding that leaves no window beside the picture.
    pub fn window(&mut self, most: usize) -> Window {
        let kernel = [self.range(1, most), self.range(1, most)];
        let pad = |random: &mut Self, k: usize| random.range(0, (k - 1).min(3));
        let padding = if self.range(0, 1) == 0 {
            Padding::Same
        } else {
            Padding::Explicit {
                top: pad(self, kernel[0]),
                bottom: pad(self, kernel[0]),
                left: pad(self, kernel[1]),
                right: pad(self, kernel[1]),
            }
        };
        let stride = [self.range(1, 2), self.range(1, 2)];
        Window { padding, ..Window::new(kernel, stride) }
    }
}
