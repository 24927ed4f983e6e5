//! Numbers and operations from a seed.

use std::sync::Arc;

use graph::{
    Affine, Conv2d, Dense, GroupNorm, LayerNorm, Op, PRelu, Padding, Shape, Size, Tensor, Window,
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
        Tensor { shape, data: self.values(shape.len()) }
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
