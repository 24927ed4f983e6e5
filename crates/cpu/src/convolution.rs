//! Convolutions prepared to run: which algorithm runs each, and its weights in that algorithm's order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use kernels::conv::{Direct, Filters, Phase};
use kernels::winograd::{Keep, Winograd};
use kernels::{Context, ConvGeometry, CpuLevel, OutOfMemory, Vec16};

use super::program::{Kind, Layer, Program};
use super::scratch::Scratch;
use graph::{Conv2d, GraphError, Padding, Shape, Weights, Window};

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
    /// Each channel by itself.
    Depthwise,
}

/// A layer's convolution for pictures of one size, with its weights as the model file has them.
pub(super) struct ConvSpec {
    pub(super) geometry: ConvGeometry,
    /// The window before the picture was rearranged; with the layer it tells weights apart.
    original: ConvGeometry,
    /// Whether its phases backward leave pixels out.
    pub(super) gaps: bool,
    groups: usize,
    weights: Weights,
    bias: Arc<[f32]>,
    in_slots: Arc<[usize]>,
    out_slots: Arc<[usize]>,
}

impl ConvSpec {
    /// The layer's convolution for an input of `shape`, or `None` if it is no convolution.
    ///
    /// # Errors
    /// A window that is larger than the address space.
    pub(super) fn new(
        program: &Program,
        layer: &Layer,
        shape: Shape,
    ) -> Result<Option<Self>, GraphError> {
        let conv = match &layer.kind {
            Kind::Conv(conv) => conv.clone(),
            Kind::Dense(dense) => Conv2d {
                window: Window::new([shape.height, shape.width], [1, 1]),
                out_channels: dense.out_features,
                in_channels: shape.channels,
                groups: 1,
                weights: dense.weights.clone(),
                bias: dense.bias.clone(),
            },
            _ => return Ok(None),
        };
        let geometry = geometry(layer, &conv.window, shape)?;
        let slots = |value: usize| program.values[value].slots.clone();
        let plain = Self {
            geometry,
            original: geometry,
            gaps: geometry.has_gaps(),
            groups: conv.groups,
            weights: conv.weights,
            bias: conv.bias,
            in_slots: slots(layer.inputs[0]),
            out_slots: slots(layer.output),
        };
        Ok(Some(match program.depth() {
            depth if depth > 1 && layer.inputs[0] == program.picture() => {
                plain.rearranged(depth).ok_or_else(|| too_large(layer, "its window"))?
            }
            _ => plain,
        }))
    }

    /// The same convolution of stride `depth` as one of stride 1 over the picture's pixels rearranged:
    /// channel (c · depth + row) · depth + column holds every `depth`-th row and column of channel c.
    ///
    /// With k − before = depth · a + q, element k of the window reads element a of remainder q.
    fn rearranged(self, depth: usize) -> Option<Self> {
        let (kernel, before) = (self.geometry.kernel(), self.geometry.padding());
        let split = move |axis: usize, k: usize| {
            let distance = k as isize - before[axis] as isize;
            let depth = depth as isize;
            (distance.div_euclid(depth), distance.rem_euclid(depth) as usize)
        };
        let first = [split(0, 0).0, split(1, 0).0];
        let last = [split(0, kernel[0] - 1).0, split(1, kernel[1] - 1).0];
        let extent = [0, 1].map(|axis| (last[axis] - first[axis] + 1) as usize);
        let padding = first.map(|first| first.unsigned_abs());
        let (ins, outs) = (self.in_slots.len(), self.out_slots.len());
        let area = extent[0] * extent[1];
        let len = outs * ins * depth * depth * area;
        let rearrange = move |from: &[f32]| {
            let mut weights = vec![0.0; len];
            for (index, &weight) in from.iter().enumerate() {
                let (pair, k) = (index / (kernel[0] * kernel[1]), index % (kernel[0] * kernel[1]));
                let (row, row_rest) = split(0, k / kernel[1]);
                let (column, column_rest) = split(1, k % kernel[1]);
                let channel = (pair * depth + row_rest) * depth + column_rest;
                let (row, column) = ((row - first[0]) as usize, (column - first[1]) as usize);
                weights[channel * area + row * extent[1] + column] = weight;
            }
            weights
        };
        Some(Self {
            geometry: ConvGeometry::new(extent, [1, 1], [1, 1], padding)?,
            gaps: false,
            weights: self.weights.map(len, rearrange),
            in_slots: (0..ins * depth * depth).collect(),
            ..self
        })
    }

    /// The convolutions that make up one direction: several where a stride's phases are.
    fn phases<'a>(&'a self, weights: &'a [f32], direction: Direction) -> Vec<Phase<'a>> {
        let slots = (&self.in_slots[..], &self.out_slots[..]);
        let filters =
            Filters::new(self.geometry, self.groups, weights, &self.bias, slots.0, slots.1);
        match direction {
            Direction::Forward => vec![filters.forward()],
            Direction::Backward => filters.backward(),
        }
    }

    /// A direction of a convolution by Winograd's algorithm, without its weights.
    fn square(&self, direction: Direction) -> Phase<'_> {
        let slots = (&self.in_slots[..], &self.out_slots[..]);
        let filters = Filters::without_weights(self.geometry, self.groups, slots.0, slots.1);
        match direction {
            Direction::Forward => filters.forward(),
            Direction::Backward => filters.backward().swap_remove(0),
        }
    }

    /// Whether a direction runs by Winograd's algorithm on weights that are kept transformed.
    pub(super) fn transformed(
        &self,
        direction: Direction,
        level: CpuLevel,
        written: Shape,
    ) -> bool {
        match self.algorithm(level, written) {
            Algorithm::Winograd(tile) => {
                Winograd::keep(&self.square(direction), tile, level) == Keep::Transformed
            }
            _ => false,
        }
    }

    /// Bytes that threads work in with tiles of `tile` inputs to a value of `written` shape.
    pub(super) fn scratch(
        &self,
        direction: Direction,
        tile: usize,
        written: Shape,
        cx: &Context,
    ) -> Scratch {
        let (phase, output) = (self.square(direction), [written.height, written.width]);
        let [each, of_caller] = Winograd::scratch_bytes(&phase, tile, output, cx);
        Scratch { each, of_caller }
    }

    /// Bytes that the packed weights of a direction take, how each layer's own list of places included.
    fn packed_bytes(&self, direction: Direction, algorithm: Algorithm, level: CpuLevel) -> u64 {
        let slots = (&self.in_slots[..], &self.out_slots[..]);
        let filters = Filters::without_weights(self.geometry, self.groups, slots.0, slots.1);
        match algorithm {
            Algorithm::Direct => filters.direct_bytes(direction == Direction::Backward, level),
            Algorithm::Winograd(tile) => {
                let phase = self.square(direction);
                Winograd::bytes(&phase, tile, Winograd::keep(&phase, tile, level), level)
            }
            Algorithm::Depthwise => {
                let blocks = slots.1.last().map_or(0, |last| last / 16 + 1) as u64;
                64 * blocks * (self.geometry.elements() as u64 + 1)
            }
        }
    }

    /// Whether every output channel reads only the input channel of its own number.
    pub(super) fn depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.in_slots.len() && self.groups == self.out_slots.len()
    }

    /// The least number of products decides, where there are pixels enough to fill Winograd's tiles.
    pub(super) fn algorithm(&self, level: CpuLevel, written: Shape) -> Algorithm {
        if self.depthwise() {
            return Algorithm::Depthwise;
        }
        let kernel = self.geometry.kernel();
        let steps = [self.geometry.stride(), self.geometry.dilation()];
        let dense = steps == [[1, 1], [1, 1]] && self.groups == 1;
        let pays = level != CpuLevel::Scalar && written.plane() >= 64;
        if dense && pays && Winograd::fits(kernel) {
            Algorithm::Winograd(Winograd::tile(kernel[0], [written.height, written.width]))
        } else {
            Algorithm::Direct
        }
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

/// A layer's window placed on an input of `shape`.
///
/// # Errors
/// A window that is larger than the address space.
pub(super) fn geometry(
    layer: &Layer,
    window: &Window,
    shape: Shape,
) -> Result<ConvGeometry, GraphError> {
    let before = |axis: usize, extent: usize| match window.padding {
        Padding::Explicit { top, left, .. } => [top, left][axis],
        Padding::Same => window.span(axis, extent).map_or(0, |span| span.before),
    };
    let padding = [before(0, shape.height), before(1, shape.width)];
    ConvGeometry::new(window.kernel, window.stride, window.dilation, padding)
        .ok_or_else(|| too_large(layer, "its window"))
}

/// The error of a layer of which something does not fit the address space.
pub(super) fn too_large(layer: &Layer, what: &str) -> GraphError {
    let problem = format!("{what} is larger than any memory");
    GraphError::Shape { node: layer.name.clone(), problem }
}

/// The system has no memory for what is packed.
pub(super) fn no_memory(OutOfMemory { bytes }: OutOfMemory) -> GraphError {
    GraphError::Memory { bytes: bytes as u64 }
}

/// One value for each slot of a map whose channels lie at `slots`.
pub(super) fn by_slot(slots: &[usize], values: impl Iterator<Item = f32>) -> Vec<Vec16> {
    let mut vectors = vec![Vec16::default(); slots.last().map_or(0, |last| last / 16 + 1)];
    for (&slot, value) in slots.iter().zip(values) {
        vectors[slot / 16].0[slot % 16] = value;
    }
    vectors
}

/// Packed weights.
#[derive(Clone)]
pub(super) enum Packed {
    /// One convolution for each phase.
    Direct(Arc<[Arc<Direct>]>),
    Winograd(Arc<Winograd>),
    Depthwise(Arc<Depthwise>),
}

/// The weights of a depthwise convolution: a vector for each element of the window and block, and one of
/// bias for each block.
pub(super) struct Depthwise {
    pub(super) weights: Vec<Vec16>,
    pub(super) bias: Vec<Vec16>,
}

impl Depthwise {
    fn new(spec: &ConvSpec, weights: &[f32]) -> Self {
        let (slots, elements) = (&spec.out_slots, spec.geometry.elements());
        let weights = |k: usize| by_slot(slots, weights.iter().skip(k).step_by(elements).copied());
        Self {
            weights: (0..elements).flat_map(weights).collect(),
            bias: by_slot(slots, spec.bias.iter().copied()),
        }
    }
}

/// The packed weights of a network, made when they are first wanted and then kept for all sizes.
#[derive(Default)]
pub(super) struct Cache {
    packed: Mutex<HashMap<Key, Packed>>,
    /// How many bytes each takes, known before it is made.
    bytes: Mutex<HashMap<Key, u64>>,
}

/// A layer's number, its window before the picture was rearranged, and how it is computed.
pub(super) type Key = (usize, ConvGeometry, Direction, Algorithm);

/// Under which key the weights of layer number `layer`, whose convolution is `spec`, are kept.
pub(super) fn key(
    layer: usize,
    spec: &ConvSpec,
    direction: Direction,
    algorithm: Algorithm,
) -> Key {
    // Depthwise weights serve both directions.
    let direction = match algorithm {
        Algorithm::Depthwise => Direction::Forward,
        Algorithm::Direct | Algorithm::Winograd(_) => direction,
    };
    (layer, spec.original, direction, algorithm)
}

impl Cache {
    /// The weights that `key` says, of the layer called `name` whose convolution is `spec`.
    ///
    /// # Errors
    /// If there is no memory for them, or they cannot be read.
    pub(super) fn get(
        &self,
        cx: &Context,
        name: &str,
        spec: &ConvSpec,
        key: Key,
    ) -> Result<Packed, GraphError> {
        let (_, _, direction, algorithm) = key;
        let pack = || {
            let weights = spec.weights.get().map_err(|e| GraphError::weights(name, e))?;
            Ok(match algorithm {
                Algorithm::Depthwise => Packed::Depthwise(Arc::new(Depthwise::new(spec, &weights))),
                Algorithm::Winograd(tile) => {
                    let phases = spec.phases(&weights, direction);
                    let keep = Winograd::keep(&phases[0], tile, cx.level());
                    let packed = Winograd::new(&phases[0], tile, keep, cx).map_err(no_memory)?;
                    Packed::Winograd(Arc::new(packed))
                }
                Algorithm::Direct => {
                    let phases = spec.phases(&weights, direction);
                    let direct = |phase: &Phase<'_>| Direct::new(phase, cx).map(Arc::new);
                    let packed = phases.iter().map(direct).collect::<Result<_, _>>();
                    Packed::Direct(packed.map_err(no_memory)?)
                }
            })
        };
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match packed.entry(key) {
            Entry::Occupied(packed) => packed.get().clone(),
            Entry::Vacant(place) => place.insert(pack()?).clone(),
        })
    }

    /// Bytes that packing the weights takes that `key` says, beside what they take then.
    pub(super) fn pending_bytes(&self, spec: &ConvSpec, key: Key) -> u64 {
        let packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if packed.contains_key(&key) { 0 } else { spec.weights.pending_bytes() }
    }

    /// Bytes that the weights take that `key` says.
    pub(super) fn bytes(&self, level: CpuLevel, spec: &ConvSpec, key: Key) -> u64 {
        let (_, _, direction, algorithm) = key;
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *bytes.entry(key).or_insert_with(|| spec.packed_bytes(direction, algorithm, level))
    }
}
