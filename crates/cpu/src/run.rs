//! The steps of a plan, run on the kernels.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use kernels::conv::{Direct, Placed};
use kernels::pack::InputTransform;
use kernels::winograd::Winograd;
use kernels::{Memory, Vec16, WriteMode, elementwise, pack};

use super::convolution::{Direction, Packed};
use super::plan::Plan;
use super::program::Kind;
use super::timing::{Clock, Pass, StepTime};
use super::{Engine, OutputGradient};
use graph::{Shape, Tensor};

mod backward;
mod forward;

/// The memory of one picture size, reused from step to step.
pub struct Workspace<'e> {
    engine: &'e Engine,
    plan: Plan,
    size: [usize; 2],
    shift: [usize; 2],
    /// What each layer needs, in both directions.
    forward: Vec<Option<Prepared>>,
    backward: Vec<Option<Prepared>>,
    /// Activations and gradients, masks of ReLU, and argmax of max pools.
    vectors: Memory,
    masks: Memory<u16>,
    argmax: Memory<u8>,
    clock: Clock,
}

/// What a layer needs to run on the plan's maps.
enum Prepared {
    Direct {
        convs: Arc<[Direct]>,
        placed: Vec<Placed>,
    },
    Winograd(Arc<Winograd>),
    /// A vector for each tap and block, and one for each block.
    Depthwise {
        weights: Vec<Vec16>,
        bias: Vec<Vec16>,
    },
    Affine {
        scale: Vec<Vec16>,
        shift: Vec<Vec16>,
    },
    /// The slot that each slot that is written is copied from.
    Copy {
        sources: Vec<usize>,
    },
}

/// A normalisation in the kernels' terms.
fn kernel(lrn: &graph::Lrn) -> kernels::lrn::Lrn {
    let graph::Lrn { size, alpha, beta, bias } = *lrn;
    kernels::lrn::Lrn { size, alpha, beta, bias }
}

/// Disjoint parts of one memory.
fn parts<T, const N: usize>(memory: &mut [T], ranges: [Range<usize>; N]) -> [&mut [T]; N] {
    memory.get_disjoint_mut(ranges).expect("the plan keeps apart what is in use at once")
}

impl<'e> Workspace<'e> {
    pub(super) fn new(engine: &'e Engine, plan: Plan, size: [usize; 2]) -> Self {
        let layers = 0..engine.program.layers.len();
        let ready = |direction| -> Vec<Option<Prepared>> {
            layers.clone().map(|layer| Prepared::new(engine, &plan, layer, direction)).collect()
        };
        // Weights are packed layer by layer, each for a moment.
        let threads = engine.cx.threads();
        let (forward, backward) =
            threads.awake(|| (ready(Direction::Forward), ready(Direction::Backward)));
        let mut masks = Memory::new(plan.mask_count);
        masks.fill(u16::MAX);
        Self {
            size,
            shift: [0, 0],
            forward,
            backward,
            vectors: Memory::new(plan.vectors),
            masks,
            argmax: Memory::new(plan.argmax_count),
            clock: Clock::default(),
            plan,
            engine,
        }
    }

    /// Height and width of the pictures it takes.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// From now on the network sees pictures moved down and right by `shift`, what leaves on one side
    /// coming in on the other; gradients are moved back. (Jitter, without a copy of the picture.)
    pub fn set_shift(&mut self, shift: [usize; 2]) {
        self.shift = [shift[0] % self.size[0], shift[1] % self.size[1]];
    }

    /// Runs `picture` (RGB, 3 × height × width, 0–255) forward to the targets.
    ///
    /// # Panics
    /// If the picture is of another size.
    pub fn forward(&mut self, picture: &Tensor) {
        assert_eq!(picture.shape, Shape::new(3, self.size[0], self.size[1]), "another size");
        let engine = self.engine;
        engine.cx.threads().awake(|| {
            let start = Instant::now();
            let input = self.input();
            let part = self.plan.activation(&engine.program, engine.program.picture());
            let x = &mut self.vectors[part.range];
            let [height, width] = self.size;
            pack::pack(&engine.cx, &input, &picture.data, height, width, &part.map, x);
            self.clock.add(Pass::Pack, 0, start);
            for step in 0..self.plan.forward.len() {
                let start = Instant::now();
                self.forward_step(step);
                self.clock.add(Pass::Forward, step, start);
            }
        });
    }

    /// The activation of target `index` (in the order given to [`Engine::new`]), between
    /// [`Self::forward`] and [`Self::backward`].
    pub fn activation(&self, index: usize) -> Tensor {
        let value = self.engine.program.targets[index];
        let part = self.plan.activation(&self.engine.program, value);
        let mut tensor = Tensor::zeros(self.plan.shapes[value]);
        let slots = &self.engine.program.values[value].slots;
        let x = &self.vectors[part.range];
        pack::to_planes(&self.engine.cx, &part.map, x, slots, &mut tensor.data);
        tensor
    }

    /// `½ · Σ activation²` of target `index`, between [`Self::forward`] and [`Self::backward`].
    pub fn half_sum_squares(&self, index: usize) -> f64 {
        let value = self.engine.program.targets[index];
        let part = self.plan.activation(&self.engine.program, value);
        elementwise::half_sum_squares(&self.engine.cx, &part.map, &self.vectors[part.range])
    }

    /// Takes over from the last forward pass of `other`, of the same network, targets and size, which values
    /// its ReLUs and max pools kept: where two ways of computing differ in a last bit, one such decision can
    /// move the whole gradient. Returns which part of all argmax, 0–1, were others.
    ///
    /// # Panics
    /// If the other workspace is of another network, size or targets.
    pub fn copy_activation_pattern(&mut self, other: &Workspace<'_>) -> f64 {
        let masks =
            self.masks.iter().zip(other.masks.iter()).map(|(a, b)| (a ^ b).count_ones() as usize);
        let pools = self.argmax.iter().zip(other.argmax.iter()).filter(|(a, b)| a != b).count();
        let changed = masks.sum::<usize>() + pools;
        self.masks.copy_from_slice(&other.masks);
        self.argmax.copy_from_slice(&other.argmax);
        changed as f64 / (16 * self.masks.len() + self.argmax.len()).max(1) as f64
    }

    /// Runs backward from one output gradient for each target; `gradient` (RGB, 3 × height × width) becomes the
    /// gradient with respect to the picture's values of 0–255. Call [`Self::forward`] before each.
    ///
    /// # Panics
    /// If there are not as many output gradients as targets, or a tensor is of another shape.
    pub fn backward(&mut self, output_gradients: &[OutputGradient<'_>], gradient: &mut Tensor) {
        assert_eq!(gradient.shape, Shape::new(3, self.size[0], self.size[1]), "another size");
        assert_eq!(
            output_gradients.len(),
            self.engine.targets.len(),
            "one output gradient for each target"
        );
        let engine = self.engine;
        engine.cx.threads().awake(|| {
            let start = Instant::now();
            self.write_output_gradients(output_gradients);
            self.clock.add(Pass::OutputGradient, 0, start);
            for step in 0..self.plan.backward.len() {
                let start = Instant::now();
                self.backward_step(step);
                self.clock.add(Pass::Backward, step, start);
            }
            let start = Instant::now();
            let part = self.plan.gradient(&engine.program, engine.program.picture());
            let (input, dx) = (self.input(), &self.vectors[part.range]);
            let [height, width] = self.size;
            pack::unpack(&engine.cx, &input, &part.map, dx, height, width, &mut gradient.data);
            self.clock.add(Pass::Unpack, 0, start);
        });
    }

    /// Where the time went since the workspace was made, step by step.
    pub fn times(&self) -> Vec<StepTime> {
        self.clock.report(self)
    }

    /// How the picture becomes the first map.
    fn input(&self) -> InputTransform {
        let spec = &self.engine.input;
        let padded = |values: [f32; 3]| [values[0], values[1], values[2], 0.0];
        InputTransform {
            channels: 3,
            source: [0, 1, 2, 0].map(|c| spec.picture_channel(c)),
            mean: padded(spec.mean),
            scale: padded(spec.scale),
            shift: self.shift,
            space_to_depth: self.engine.program.depth(),
        }
    }

    /// Writes the output gradients into the targets' gradients.
    fn write_output_gradients(&mut self, output_gradients: &[OutputGradient<'_>]) {
        let (engine, program) = (self.engine, &self.engine.program);
        let root = |target: usize| program.values[target].root;
        for (index, (output_gradient, &target)) in
            output_gradients.iter().zip(&program.targets).enumerate()
        {
            let g = self.plan.gradient(program, target);
            let shared = |other: &usize| root(*other) == root(target);
            let write = if program.targets.iter().filter(|other| shared(other)).count() > 1 {
                if !program.targets[..index].iter().any(shared) {
                    let blocks = 0..program.values[root(target)].blocks();
                    self.vectors[self.plan.gradient_blocks(root(target), &blocks)]
                        .fill(Vec16::default());
                }
                WriteMode::Accumulate
            } else {
                WriteMode::Overwrite
            };
            match output_gradient {
                OutputGradient::Activation { weight } => {
                    let x = self.plan.activation(program, target);
                    let [from, to] = parts(&mut self.vectors, [x.range, g.range]);
                    elementwise::scale_into(&engine.cx, *weight, &x.map, from, &g.map, to, write);
                }
                OutputGradient::Gradient(tensor) => {
                    assert_eq!(tensor.shape, self.plan.shapes[target], "the layer's shape");
                    let slots = &program.values[target].slots;
                    let to = &mut self.vectors[g.range];
                    pack::from_planes(&engine.cx, &tensor.data, slots, &g.map, to, write);
                    if let Some(mask) = self.plan.mask(program, target) {
                        elementwise::apply_mask(&engine.cx, &g.map, to, &self.masks[mask]);
                    }
                }
            }
        }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn engine(&self) -> &'e Engine {
        self.engine
    }
}

impl Prepared {
    fn new(engine: &Engine, plan: &Plan, layer: usize, direction: Direction) -> Option<Self> {
        let (program, cx) = (&engine.program, &engine.cx);
        let (input, output) = (program.layers[layer].inputs[0], program.layers[layer].output);
        let slots = |value: usize| &program.values[value].slots;
        match &program.layers[layer].kind {
            Kind::Affine(affine) => {
                let by_slot = |values: &[f32]| by_slot(slots(output), values);
                let (scale, shift) = (by_slot(&affine.scale), by_slot(&affine.shift));
                return Some(Prepared::Affine { scale, shift });
            }
            Kind::Copy => {
                let (from, to) = match direction {
                    Direction::Forward => (input, output),
                    Direction::Backward => (output, input),
                };
                let mut sources = vec![usize::MAX; 16 * program.values[to].blocks()];
                for (&from, &to) in slots(from).iter().zip(slots(to)) {
                    sources[to] = from;
                }
                return Some(Prepared::Copy { sources });
            }
            _ => {}
        }
        let spec = plan.specs[layer].as_ref()?;
        if spec.depthwise() {
            let taps = spec.geometry.kernel[0] * spec.geometry.kernel[1];
            let tap = |tap: usize| -> Vec<f32> {
                spec.weights().iter().skip(tap).step_by(taps).copied().collect()
            };
            let weights = (0..taps).flat_map(|k| by_slot(slots(output), &tap(k))).collect();
            return Some(Prepared::Depthwise {
                weights,
                bias: by_slot(slots(output), spec.bias()),
            });
        }
        let algorithm = plan.algorithm(program, cx.level(), layer, direction)?;
        Some(match engine.cache.get(cx, layer, spec, direction, algorithm) {
            Packed::Winograd(conv) => Prepared::Winograd(conv),
            Packed::Direct(convs) => {
                let (x, y) = match direction {
                    Direction::Forward => {
                        (plan.activation(program, input).map, plan.activation(program, output).map)
                    }
                    Direction::Backward => {
                        (plan.gradient(program, output).map, plan.gradient(program, input).map)
                    }
                };
                let phases = spec.phases(direction);
                let placed = phases.iter().zip(convs.iter()).enumerate();
                let placed = placed.map(|(index, (phase, conv))| {
                    Placed::new(conv, x, y, phase.positions([y.height, y.width]), index == 0)
                });
                Prepared::Direct { placed: placed.collect(), convs: convs.clone() }
            }
        })
    }
}

/// Whether the step at `index` is made of direct convolutions, to be run side by side.
fn direct(ready: &[Option<Prepared>], layer: usize) -> Option<(&[Direct], &[Placed])> {
    match &ready[layer] {
        Some(Prepared::Direct { convs, placed }) => Some((convs, placed)),
        _ => None,
    }
}

/// By what an average's windows count the padding: the extent that counts, or nothing of it.
fn counted(kind: &Kind, shape: Shape) -> Option<[usize; 2]> {
    let Kind::AveragePool(pool) = kind else { return None };
    let padded = |axis: usize, extent: usize| {
        pool.window.span(axis, extent).map_or(extent, |span| span.before + extent + span.after)
    };
    pool.count_padding.then(|| [padded(0, shape.height), padded(1, shape.width)])
}

/// One value for each slot of a map whose channels lie at `slots`.
fn by_slot(slots: &[usize], values: &[f32]) -> Vec<Vec16> {
    let mut map = vec![Vec16::default(); slots.last().map_or(0, |last| last / 16 + 1)];
    for (&slot, &value) in slots.iter().zip(values) {
        map[slot / 16].0[slot % 16] = value;
    }
    map
}
