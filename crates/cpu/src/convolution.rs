//! Convolutions prepared to run: which algorithm runs each, and its weights in that algorithm's order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kernels::conv::{Direct, Kernel, Phase};
use kernels::winograd::Winograd;
use kernels::{Context, ConvGeometry, CpuLevel};

use super::program::{Kind, Layer, Program};
use graph::{Conv2d, Padding, Shape, Weights, Window};

/// From input to output, or from the output's gradient to the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Algorithm {
    Direct,
    /// With tiles of so many inputs along each axis.
    Winograd(usize),
}

/// A layer's convolution for pictures of one size, with its weights as the model file has them.
pub(super) struct Spec {
    pub(super) geometry: ConvGeometry,
    /// The window before the picture was rearranged; with the layer it tells weights apart.
    original: ConvGeometry,
    groups: usize,
    weights: Weights,
    bias: Arc<[f32]>,
    in_slots: Vec<usize>,
    out_slots: Vec<usize>,
}

impl Spec {
    /// The layer's convolution for an input of `shape`, or `None` if it is no convolution.
    pub(super) fn new(program: &Program, layer: &Layer, shape: Shape) -> Option<Self> {
        let (conv, geometry) = match &layer.kind {
            Kind::Conv(conv) => (conv.clone(), geometry(&conv.window, shape)),
            Kind::Dense(dense) => {
                let window = Window::new([shape.height, shape.width], [1, 1]);
                let conv = Conv2d {
                    window,
                    out_channels: dense.out_features,
                    in_channels: shape.channels,
                    groups: 1,
                    weights: dense.weights.clone(),
                    bias: dense.bias.clone(),
                };
                let geometry = geometry(&window, shape);
                (conv, geometry)
            }
            _ => return None,
        };
        let slots = |value: usize| program.values[value].slots.clone();
        let plain = Self {
            geometry,
            original: geometry,
            groups: conv.groups,
            weights: conv.weights,
            bias: conv.bias,
            in_slots: slots(layer.inputs[0]),
            out_slots: slots(layer.output),
        };
        Some(match program.depth() {
            depth if depth > 1 && layer.inputs[0] == program.picture() => plain.rearranged(depth),
            _ => plain,
        })
    }

    /// The same convolution of stride `depth` as one of stride 1 over the picture's pixels rearranged:
    /// channel (c · depth + row) · depth + column holds every `depth`-th row and column of channel c.
    ///
    /// With k − before = depth · a + q, element k of the window reads element a of remainder q.
    fn rearranged(self, depth: usize) -> Self {
        let ConvGeometry { kernel, before, .. } = self.geometry;
        let split = |axis: usize, k: usize| {
            let distance = k as isize - before[axis] as isize;
            let depth = depth as isize;
            (distance.div_euclid(depth), distance.rem_euclid(depth) as usize)
        };
        let first = [split(0, 0).0, split(1, 0).0];
        let last = [split(0, kernel[0] - 1).0, split(1, kernel[1] - 1).0];
        let extent = [0, 1].map(|axis| (last[axis] - first[axis] + 1) as usize);
        let (ins, outs) = (self.in_slots.len(), self.out_slots.len());
        let area = extent[0] * extent[1];
        let mut weights = vec![0.0; outs * ins * depth * depth * area];
        for (index, &weight) in self.weights.iter().enumerate() {
            let (pair, k) = (index / (kernel[0] * kernel[1]), index % (kernel[0] * kernel[1]));
            let (row, row_rest) = split(0, k / kernel[1]);
            let (column, column_rest) = split(1, k % kernel[1]);
            let channel = (pair * depth + row_rest) * depth + column_rest;
            let (row, column) = ((row - first[0]) as usize, (column - first[1]) as usize);
            weights[channel * area + row * extent[1] + column] = weight;
        }
        Self {
            geometry: ConvGeometry {
                kernel: extent,
                stride: [1, 1],
                dilation: [1, 1],
                before: first.map(|first| first.unsigned_abs()),
            },
            weights: weights.into(),
            in_slots: (0..ins * depth * depth).collect(),
            ..self
        }
    }

    /// The convolution in the kernels' terms.
    fn kernel(&self) -> Kernel<'_> {
        Kernel {
            geometry: self.geometry,
            groups: self.groups,
            weights: &self.weights,
            bias: &self.bias,
            in_slots: &self.in_slots,
            out_slots: &self.out_slots,
        }
    }

    /// The convolutions that make up one direction: several where a stride's phases are.
    pub(super) fn phases(&self, direction: Direction) -> Vec<Phase<'_>> {
        match direction {
            Direction::Forward => vec![self.kernel().forward()],
            Direction::Backward => self.kernel().backward(),
        }
    }

    /// Whether every output channel reads only the input channel of its own number.
    pub(super) fn depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.in_slots.len() && self.groups == self.out_slots.len()
    }

    /// The least number of products decides, where there are pixels enough to fill Winograd's tiles.
    pub(super) fn algorithm(&self, level: CpuLevel, written: Shape) -> Algorithm {
        let ConvGeometry { kernel, stride, dilation, .. } = self.geometry;
        let dense = stride == [1, 1] && dilation == [1, 1] && self.groups == 1;
        let pays = level != CpuLevel::Scalar && written.plane() >= 64;
        if dense && pays && Winograd::fits(kernel) {
            Algorithm::Winograd(Winograd::tile(kernel[0], [written.height, written.width]))
        } else {
            Algorithm::Direct
        }
    }

    /// One for each output channel.
    pub(super) fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// As the model file has them, or rearranged.
    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }
}

impl Program {
    /// The value that holds the picture.
    pub(super) fn picture(&self) -> usize {
        0
    }

    /// By how much the picture is rearranged: a strided convolution that alone reads it becomes one of
    /// stride 1, which has more channels to fill a block with.
    pub(super) fn depth(&self) -> usize {
        let mut readers = self.layers.iter().filter(|layer| layer.inputs.contains(&self.picture()));
        let (Some(layer), None) = (readers.next(), readers.next()) else { return 1 };
        match &layer.kind {
            Kind::Conv(Conv2d { window, groups: 1, .. })
                if window.stride[0] == window.stride[1]
                    && window.stride[0] <= 4
                    && window.dilation == [1, 1] =>
            {
                window.stride[0]
            }
            _ => 1,
        }
    }
}

/// The window placed on a picture of `shape`.
pub(super) fn geometry(window: &Window, shape: Shape) -> ConvGeometry {
    let before = |axis: usize, extent: usize| match window.padding {
        Padding::Explicit { top, left, .. } => [top, left][axis],
        Padding::Same => window.span(axis, extent).map_or(0, |span| span.before),
    };
    ConvGeometry {
        kernel: window.kernel,
        stride: window.stride,
        dilation: window.dilation,
        before: [before(0, shape.height), before(1, shape.width)],
    }
}

/// Packed weights.
#[derive(Clone)]
pub(super) enum Packed {
    /// One convolution for each phase.
    Direct(Arc<[Direct]>),
    Winograd(Arc<Winograd>),
}

/// The packed weights of a network, made when they are first wanted and then kept for all sizes.
#[derive(Default)]
pub(super) struct Cache {
    packed: Mutex<HashMap<Key, Packed>>,
}

type Key = (usize, ConvGeometry, Direction, Algorithm);

impl Cache {
    /// The weights of layer number `layer`, whose convolution is `spec`.
    pub(super) fn get(
        &self,
        cx: &Context,
        layer: usize,
        spec: &Spec,
        direction: Direction,
        algorithm: Algorithm,
    ) -> Packed {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (layer, spec.original, direction, algorithm);
        let pack = || {
            let phases = spec.phases(direction);
            match (algorithm, phases[0].square()) {
                (Algorithm::Winograd(tile), Some((size, origin))) => {
                    Packed::Winograd(Arc::new(Winograd::new(size, tile, origin, &phases[0], cx)))
                }
                _ => {
                    let direct = |phase: &Phase<'_>| Direct::new(phase.taps.clone(), phase, cx);
                    Packed::Direct(phases.iter().map(direct).collect())
                }
            }
        };
        packed.entry(key).or_insert_with(pack).clone()
    }
}
