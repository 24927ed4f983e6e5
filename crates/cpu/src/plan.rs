//! The program placed in memory for pictures of one size: what runs in which order, and where every
//! value lies while it is needed.

use std::ops::Range;

use kernels::{BlockedMap, ConvGeometry, CpuLevel, WriteMode, attention, pool};

use super::convolution::{Algorithm, ConvSpec, Direction, geometry, too_large};
use super::in_place::InPlace;
use super::lifetimes::InUse;
use super::memory::{Buffer, place};
use super::order;
use super::prepared::list_bytes;
use super::program::{Kind, Layer, Program, ValueId};
use super::quantised::Quantised;
use super::strips;
use graph::{Attention, Backwards, Graph, GraphError, NodeId, Shape, Size, Window};

/// A program for one picture size.
pub(super) struct Plan {
    pub(super) level: CpuLevel,
    /// The shape of each value.
    pub(super) shapes: Vec<Shape>,
    /// The convolution of each layer that is one.
    pub(super) specs: Vec<Option<ConvSpec>>,
    /// Where the activation and the gradient of each root lies.
    activations: Vec<Place>,
    gradients: Vec<Place>,
    /// The first mask of each root that has masks.
    masks: Vec<Option<usize>>,
    /// The maps that are kept in fewer bits for the backward pass.
    pub(super) quantised: Vec<Quantised>,
    /// The window of each layer that is a pool.
    pub(super) windows: Vec<Option<ConvGeometry>>,
    /// The argmax of each layer that is a max pool.
    pub(super) argmax: Vec<Range<usize>>,
    /// Layers to run forward, each inner list at once.
    pub(super) forward: Vec<Vec<usize>>,
    pub(super) backward: Vec<Backward>,
    /// Lengths of the three memories.
    pub(super) vectors: usize,
    pub(super) mask_count: usize,
    pub(super) argmax_count: usize,
}

/// A root's place.
#[derive(Clone)]
struct Place {
    start: usize,
    map: BlockedMap,
}

/// A part of memory and how it is laid out.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) map: BlockedMap,
}

/// One step of the backward pass.
pub(super) enum Backward {
    /// Blocks of a root's gradient that nothing writes before something adds to them.
    Clear { root: ValueId, blocks: Range<usize> },
    /// Layers that run at once, each with what becomes of its inputs' gradients.
    Layers(Vec<(usize, Vec<Contribution>)>),
}

impl Backward {
    /// The layers that run in this step.
    pub(super) fn layers(&self) -> &[(usize, Vec<Contribution>)] {
        match self {
            Backward::Layers(layers) => layers,
            Backward::Clear { .. } => &[],
        }
    }
}

/// What a layer does to the gradient of one of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contribution {
    pub(super) mode: WriteMode,
    /// Whether the input's mask is applied: it completes the gradient of some of the input's channels.
    /// (For others it does no harm, masking being linear.)
    pub(super) mask: bool,
}

impl Plan {
    /// Places `program` for images of `size`.
    ///
    /// # Errors
    /// A picture too small, or layers that do not fit each other.
    pub(super) fn new(
        (graph, targets, program): (&Graph, &[NodeId], &Program),
        level: CpuLevel,
        (size, backwards): (Size, Backwards),
    ) -> Result<Self, GraphError> {
        let node_shapes = graph.shapes(targets, size.height, size.width)?;
        let mut shapes: Vec<Shape> =
            (0..program.values.len()).map(|value| program.shape(value, &node_shapes)).collect();
        let specs: Vec<Option<ConvSpec>> = program
            .layers
            .iter()
            .map(|layer| ConvSpec::new(program, layer, shapes[layer.inputs[0]]))
            .collect::<Result<_, _>>()?;
        let window = |layer: &Layer| {
            let window = match &layer.kind {
                Kind::MaxPool(max) | Kind::ReluMaxPool(_, max) | Kind::LrnMaxPool(_, max) => {
                    max.window
                }
                Kind::AveragePool(average) => average.window,
                Kind::GlobalMaxPool => {
                    let Shape { height, width, .. } = shapes[layer.inputs[0]];
                    Window::new([height, width], [1, 1])
                }
                _ => return Ok(None),
            };
            geometry(layer, &window, shapes[layer.inputs[0]]).map(Some)
        };
        let windows: Vec<Option<ConvGeometry>> =
            program.layers.iter().map(window).collect::<Result<_, _>>()?;
        let (picture, depth) = (program.picture(), program.depth());
        shapes[picture].channels *= depth * depth;
        shapes[picture].height = shapes[picture].height.div_ceil(depth);
        shapes[picture].width = shapes[picture].width.div_ceil(depth);

        let mut forward = order::side_by_side(program, &specs);
        strips::join(program, level, (&specs, &windows, &shapes), &mut forward);
        order::free_early(program, &shapes, &mut forward);
        let backward = contributions(program, &forward);
        let mut plan = Self {
            level,
            activations: Vec::new(),
            gradients: Vec::new(),
            masks: vec![None; program.values.len()],
            quantised: Vec::new(),
            windows,
            argmax: vec![0..0; program.layers.len()],
            forward,
            backward,
            shapes,
            specs,
            vectors: 0,
            mask_count: 0,
            argmax_count: 0,
        };
        plan.place(graph, program, backwards)?;
        for value in &program.values {
            if value.relu.is_some() && plan.masks[value.root].is_none() {
                plan.masks[value.root] = Some(plan.mask_count);
                let pixels = plan.activations[value.root].map.pixels();
                plan.mask_count = plan.mask_count.saturating_add(pixels);
            }
        }
        for (index, layer) in program.layers.iter().enumerate() {
            let max_pool = matches!(
                layer.kind,
                Kind::MaxPool(_)
                    | Kind::ReluMaxPool(..)
                    | Kind::GlobalMaxPool
                    | Kind::LrnMaxPool(..)
            );
            if let Some(window) = plan.windows[index].as_ref().filter(|_| max_pool) {
                if window.elements() > pool::MAX_ELEMENTS {
                    return Err(too_large(layer, "its window"));
                }
                let start = plan.argmax_count;
                let map = plan.activation(program, layer.output).map;
                plan.argmax_count = start.saturating_add(pool::argmax_len(window, &map));
                plan.argmax[index] = start..plan.argmax_count;
            }
        }
        Ok(plan)
    }

    /// Bytes that a session takes: the three memories, and its layers' lists and vectors.
    pub(super) fn bytes(&self, program: &Program) -> u64 {
        let [vectors, masks, argmax] =
            [self.vectors, self.mask_count, self.argmax_count].map(|count| count as u64);
        let lists = (0..program.layers.len())
            .fold(0u64, |sum, layer| sum.saturating_add(list_bytes(program, &self.shapes, layer)));
        let memories = (vectors.saturating_mul(64))
            .saturating_add(masks.saturating_mul(2))
            .saturating_add(argmax);
        memories.saturating_add(lists)
    }

    /// Where a value's activation lies.
    pub(super) fn activation(&self, program: &Program, value: ValueId) -> Part {
        part(program, &self.activations, value)
    }

    /// Where a value's gradient lies.
    pub(super) fn gradient(&self, program: &Program, value: ValueId) -> Part {
        part(program, &self.gradients, value)
    }

    /// Where blocks of a root's gradient lie.
    pub(super) fn gradient_blocks(&self, root: ValueId, blocks: &Range<usize>) -> Range<usize> {
        let Place { start, map } = &self.gradients[root];
        start + blocks.start * map.block()..start + blocks.end * map.block()
    }

    /// Where a value's masks lie, if it has any.
    pub(super) fn mask(&self, program: &Program, value: ValueId) -> Option<Range<usize>> {
        let Part { map, .. } = self.activation(program, value);
        let start = self.masks[program.values[value].root]?
            + program.values[value].first * map.height() * map.width();
        Some(start..start + map.pixels())
    }

    /// Where the masks lie that complete the gradient of `input`, if it is this contribution that does.
    pub(super) fn completing(
        &self,
        program: &Program,
        input: ValueId,
        contribution: Contribution,
    ) -> Option<Range<usize>> {
        self.mask(program, input).filter(|_| contribution.mask)
    }

    /// How a layer's convolution runs in a direction.
    pub(super) fn algorithm(
        &self,
        program: &Program,
        layer: usize,
        direction: Direction,
    ) -> Option<Algorithm> {
        let layer_of = &program.layers[layer];
        let written = match direction {
            Direction::Forward => layer_of.output,
            Direction::Backward => layer_of.inputs[0],
        };
        Some(self.specs[layer].as_ref()?.algorithm(self.level, self.shapes[written]))
    }

    /// Gives every root its place.
    ///
    /// # Errors
    /// A value that is larger than the address space.
    fn place(
        &mut self,
        graph: &Graph,
        program: &Program,
        backwards: Backwards,
    ) -> Result<(), GraphError> {
        let count = program.values.len();
        let mut halos = [vec![0; count], vec![0; count]];
        let extent = |value: ValueId| [self.shapes[value].height, self.shapes[value].width];
        for (index, layer) in program.layers.iter().enumerate() {
            let Some(spec) = &self.specs[index] else { continue };
            let (x, y) = (layer.inputs[0], layer.output);
            let [activation, gradient] = &mut halos;
            let direct =
                |direction| self.algorithm(program, index, direction) == Some(Algorithm::Direct);
            if direct(Direction::Forward) {
                let halo = &mut activation[program.values[x].root];
                *halo = spec.geometry.forward_halo(extent(x), extent(y)).max(*halo);
            }
            if direct(Direction::Backward) {
                let halo = &mut gradient[program.values[y].root];
                *halo = spec.geometry.backward_halo(extent(y), extent(x)).max(*halo);
            }
        }
        let [mut activity, mut gradient] = self.lifetimes(program, backwards);
        let map = |value: ValueId, halo: usize| {
            let [height, width] = extent(value);
            let blocks = blocks(&self.shapes[value], program, value);
            BlockedMap::new(blocks, height, width, halo).ok_or_else(|| {
                let problem = format!("{} is larger than any memory", self.shapes[value]);
                let node = graph.node(program.values[value].node).name.clone();
                GraphError::Shape { node, problem }
            })
        };
        let [activations, gradients] = halos.map(|halo| -> Result<Vec<BlockedMap>, GraphError> {
            (0..count).map(|value| map(value, halo[value])).collect()
        });
        let (mut activations, mut gradients) = (activations?, gradients?);
        for layers in &self.forward {
            let Some([conv, _]) = program.strips(layers.iter().copied()) else { continue };
            let between = program.layers[conv].output;
            for map in [&mut activations[between], &mut gradients[between]] {
                *map = strips::rows_kept(map).map_or(*map, |rows| map.ring(rows));
            }
        }
        let mut quantised = self.to_be_quantised(program, &activations, backwards);
        let in_place =
            self.in_place(program, [&activations, &gradients], [&mut activity, &mut gradient]);
        let of = |maps: &[BlockedMap], in_use: &InUse| -> Vec<Buffer> {
            maps.iter().enumerate().map(|(root, map)| in_use.buffer(root, map)).collect()
        };
        let mut buffers = of(&activations, &activity);
        buffers.extend(of(&gradients, &gradient));
        buffers.extend(quantised.iter().map(Quantised::buffer));
        let (mut starts, vectors) = place(&buffers);
        let number = |place| match place {
            InPlace::Activation(value) => value,
            InPlace::Gradient(value) => count + value,
        };
        for (own, other) in in_place {
            starts[number(own)] = starts[number(other)];
        }
        let placed = |maps: Vec<BlockedMap>, starts: &[usize]| -> Vec<Place> {
            maps.into_iter().zip(starts).map(|(map, &start)| Place { start, map }).collect()
        };
        self.activations = placed(activations, &starts[..count]);
        self.gradients = placed(gradients, &starts[count..2 * count]);
        quantised.iter_mut().zip(&starts[2 * count..]).for_each(|(map, &start)| map.start = start);
        self.quantised = quantised;
        self.vectors = vectors;
        Ok(())
    }
}

/// An attention in the kernels' terms, for queries, keys and values of these shapes.
pub(super) fn heads(
    attention: Attention,
    [queries, _, values]: [Shape; 3],
) -> attention::Attention {
    let Attention { heads, scale } = attention;
    let [keys, values] = [queries, values].map(|shape| shape.channels / heads);
    attention::Attention { heads, keys, values, scale }
}

/// Blocks of a value: as its slots say, or, for a rearranged picture, its channels.
pub(super) fn blocks(shape: &Shape, program: &Program, value: ValueId) -> usize {
    if value == program.picture() {
        shape.channels.div_ceil(16)
    } else {
        program.values[value].blocks()
    }
}

fn part(program: &Program, places: &[Place], value: ValueId) -> Part {
    let own = &program.values[value];
    let Place { start, map } = &places[own.root];
    let blocks = if own.root == value { map.blocks() } else { own.blocks() };
    let start = start + own.first * map.block();
    let map = map.with_blocks(blocks).expect("no more blocks than the root has");
    Part { range: start..start + map.vectors(), map }
}

/// The backward steps: the forward steps in reverse, each input's gradient overwritten by the layer that comes
/// first and added to by the others.
fn contributions(program: &Program, forward: &[Vec<usize>]) -> Vec<Backward> {
    let blocks = |value: ValueId| {
        let own = &program.values[value];
        own.first..own.first + own.blocks()
    };
    let root = |value: ValueId| program.values[value].root;
    let whole = |value: ValueId| program.values[root(value)].blocks().max(1);
    let mut written: Vec<Vec<bool>> =
        (0..program.values.len()).map(|value| vec![false; whole(value)]).collect();
    for &target in &program.targets {
        written[root(target)][blocks(target)].fill(true);
    }
    let mut steps = Vec::new();
    for layers in forward.iter().rev() {
        let mut step = Vec::new();
        for &layer in layers {
            let mut of_inputs = Vec::new();
            for &input in &program.layers[layer].inputs {
                let done = &mut written[root(input)][blocks(input)];
                let mode = if done.iter().any(|done| *done) {
                    WriteMode::Accumulate
                } else {
                    WriteMode::Overwrite
                };
                for (offset, done) in done.iter_mut().enumerate() {
                    if mode == WriteMode::Accumulate && !*done {
                        let block = blocks(input).start + offset;
                        steps.push(Backward::Clear { root: root(input), blocks: block..block + 1 });
                    }
                    *done = true;
                }
                of_inputs.push(Contribution { mode, mask: false });
            }
            step.push((layer, of_inputs));
        }
        steps.push(Backward::Layers(step));
    }
    let mut complete: Vec<Vec<bool>> =
        (0..program.values.len()).map(|value| vec![false; whole(value)]).collect();
    for step in steps.iter_mut().rev() {
        let Backward::Layers(layers) = step else { continue };
        for (layer, of_inputs) in layers.iter_mut().rev() {
            for (&input, contribution) in
                program.layers[*layer].inputs.iter().zip(of_inputs.iter_mut()).rev()
            {
                let done = &mut complete[root(input)][blocks(input)];
                contribution.mask = done.iter().any(|done| !*done);
                done.fill(true);
            }
        }
    }
    steps
}
