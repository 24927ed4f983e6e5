//! The steps of a plan, run on the kernels.

use std::ops::Range;
use std::sync::Arc;

use kernels::pack::InputTransform;
use kernels::{
    ConvGeometry, Destination, MapMut, MapRef, Memory, Vec16, WriteMode, elementwise, pack, pool,
};

use super::CpuExecutable;
use super::convolution::{Direction, no_memory};
use super::plan::Plan;
use super::prepared::{Prepared, direct};
use super::program::Kind;
use super::timing::Clock;
use graph::{GraphError, OutputGradient, Pass, Session, Shape, Size, StepTime, Taps, Tensor};

mod backward;
mod forward;
mod pointwise;
mod strips;
mod transformer;

/// The memory of one image size, reused from step to step.
pub struct CpuSession {
    executable: Arc<CpuExecutable>,
    plan: Plan,
    size: Size,
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

/// A normalisation of so many channels in the kernels' terms.
fn kernel(lrn: &graph::Lrn, channels: usize) -> kernels::lrn::Lrn {
    let graph::Lrn { size, alpha, beta, bias } = *lrn;
    kernels::lrn::Lrn { channels, size, alpha, beta, bias }
}

/// A max pool with this window in the kernels' terms.
fn max_pool(kind: &Kind, geometry: &ConvGeometry) -> pool::Max {
    let relu = match kind {
        Kind::ReluMaxPool(most, _) => Some(*most),
        _ => None,
    };
    pool::Max { geometry: *geometry, relu }
}

/// Disjoint parts of one memory.
fn parts<T, const N: usize>(memory: &mut [T], ranges: [Range<usize>; N]) -> [&mut [T]; N] {
    memory.get_disjoint_mut(ranges).expect("the plan keeps apart what is in use at once")
}

/// The part of one memory that is written, and parts that are read, which may overlap each other.
fn written_and_read<T, const N: usize>(
    memory: &mut [T],
    written: Range<usize>,
    read: [Range<usize>; N],
) -> (&mut [T], [&[T]; N]) {
    let (before, rest) = memory.split_at_mut(written.start);
    let (own, after) = rest.split_at_mut(written.len());
    let (before, after) = (&*before, &*after);
    let part = |range: Range<usize>| {
        if range.end <= before.len() {
            &before[range]
        } else {
            &after[range.start - written.end..range.end - written.end]
        }
    };
    (own, read.map(part))
}

impl CpuSession {
    /// The session of a plan for images of `size`.
    ///
    /// # Errors
    /// If there is no memory for it, or its weights cannot be read.
    pub(super) fn new(
        executable: Arc<CpuExecutable>,
        plan: Plan,
        size: Size,
    ) -> Result<Self, GraphError> {
        let layers = 0..executable.program.layers.len();
        let prepared = |direction| -> Result<Vec<Option<Prepared>>, GraphError> {
            let prepare = |layer| Prepared::new(&executable, &plan, layer, direction);
            layers.clone().map(prepare).collect()
        };
        // Weights are packed layer by layer, each for a moment.
        let (forward, backward) = executable
            .cx
            .threads()
            .awake(|| (prepared(Direction::Forward), prepared(Direction::Backward)));
        let mut masks = Memory::try_new(plan.mask_count).map_err(no_memory)?;
        masks.fill(u16::MAX);
        Ok(Self {
            size,
            shift: [0, 0],
            forward: forward?,
            backward: backward?,
            vectors: Memory::try_new(plan.vectors).map_err(no_memory)?,
            masks,
            argmax: Memory::try_new(plan.argmax_count).map_err(no_memory)?,
            clock: Clock::default(),
            plan,
            executable,
        })
    }

    /// Takes over from the last forward pass of `other`, of the same network, targets and size, which values
    /// its ReLUs and max pools kept: where two ways of computing differ in a last bit, one such decision can
    /// move the whole gradient. Returns which part of all these decisions, 0–1, were others.
    ///
    /// # Panics
    /// If the other session is of another network, size or targets.
    pub fn copy_activation_pattern(&mut self, other: &CpuSession) -> f64 {
        let masks =
            self.masks.iter().zip(other.masks.iter()).map(|(a, b)| (a ^ b).count_ones() as usize);
        // Two numbers in a byte, as a rule.
        let differ = |(a, b): (&u8, &u8)| usize::from((a ^ b) & 15 > 0) + usize::from((a ^ b) > 15);
        let pools = self.argmax.iter().zip(other.argmax.iter()).map(differ).sum::<usize>();
        let changed = masks.sum::<usize>() + pools;
        self.masks.copy_from_slice(&other.masks);
        self.argmax.copy_from_slice(&other.argmax);
        changed as f64 / (16 * self.masks.len() + 2 * self.argmax.len()).max(1) as f64
    }

    /// How the picture becomes the first map.
    fn input(&self) -> InputTransform {
        let spec = &self.executable.input;
        let padded = |values: [f32; 3]| [values[0], values[1], values[2], 0.0];
        InputTransform {
            channels: 3,
            source: [0, 1, 2, 0].map(|c| spec.picture_channel(c)),
            mean: padded(spec.mean),
            scale: padded(spec.scale),
            shift: self.shift,
            space_to_depth: self.executable.program.depth(),
        }
    }

    /// Opens the masks of the channels that are to pass every gradient, until the next forward pass.
    fn unmask(&mut self, outputs: &[OutputGradient<'_>]) {
        let program = &self.executable.program;
        for (output, &target) in outputs.iter().zip(&program.targets) {
            let OutputGradient::Unmasked { channels, .. } = output else { continue };
            for &channel in *channels {
                let Some((value, slot)) = program.rectified(target, channel) else { continue };
                let Some(mask) = self.plan.mask(program, value) else { continue };
                let pixels = self.plan.shapes[value].plane();
                let block = &mut self.masks[mask][slot / 16 * pixels..][..pixels];
                block.iter_mut().for_each(|lanes| *lanes |= 1 << (slot % 16));
            }
        }
    }

    /// Writes the output gradients into the targets' gradients.
    fn write_output_gradients(&mut self, output_gradients: &[OutputGradient<'_>]) {
        let CpuExecutable { program, cx, .. } = &*self.executable;
        let root = |target: usize| program.values[target].root;
        for (index, (output_gradient, &target)) in
            output_gradients.iter().zip(&program.targets).enumerate()
        {
            let g = self.plan.gradient(program, target);
            let shared = |other: &usize| root(*other) == root(target);
            let mode = if program.targets.iter().filter(|other| shared(other)).count() > 1 {
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
                    // Where a ReLU has no slope its values are 0, unless it ends.
                    let ends = program.values.iter().any(|value| {
                        value.root == root(target) && value.relu.is_some_and(f32::is_finite)
                    });
                    let mask = self.plan.mask(program, target).filter(|_| ends);
                    let mask = mask.map(|mask| &self.masks[mask]);
                    let to = Destination::new(MapMut::new(g.map, to), mode, mask);
                    elementwise::scale_into(cx, *weight, MapRef::new(x.map, from), to);
                }
                OutputGradient::Gradient(tensor)
                | OutputGradient::Unmasked { gradient: tensor, .. } => {
                    assert_eq!(tensor.shape, self.plan.shapes[target], "the layer's shape");
                    let slots = &program.values[target].slots;
                    let to = &mut self.vectors[g.range];
                    let planes = &tensor.data;
                    pack::from_planes(cx, planes, slots, MapMut::new(g.map, to), mode);
                    if let Some(mask) = self.plan.mask(program, target) {
                        let to = MapMut::new(g.map, to);
                        elementwise::apply_mask(cx, to, &self.masks[mask]);
                    }
                }
            }
        }
    }

    /// The shape of the images and their gradients.
    fn shape(&self) -> Shape {
        Shape::new(3, self.size.height, self.size.width)
    }
}

impl Session for CpuSession {
    fn size(&self) -> Size {
        self.size
    }

    fn set_shift(&mut self, shift: [usize; 2]) {
        self.shift = [shift[0] % self.size.height, shift[1] % self.size.width];
    }

    fn forward(&mut self, image: &Tensor) -> Result<(), GraphError> {
        assert_eq!(image.shape, self.shape(), "another size");
        let executable = Arc::clone(&self.executable);
        let CpuExecutable { program, cx, .. } = &*executable;
        cx.threads().awake(|| {
            let start = self.clock.start();
            let input = self.input();
            let part = self.plan.activation(program, program.picture());
            let x = MapMut::new(part.map, &mut self.vectors[part.range]);
            let Size { height, width } = self.size;
            pack::pack(cx, &input, &image.data, height, width, x);
            self.clock.add(Pass::Pack, 0, start);
            for step in 0..self.plan.forward.len() {
                let start = self.clock.start();
                self.forward_step(step);
                self.clock.add(Pass::Forward, step, start);
            }
        });
        Ok(())
    }

    fn target_shape(&self, target: usize) -> Shape {
        self.plan.shapes[self.executable.program.targets[target]]
    }

    fn read_activation(&self, target: usize, activation: &mut Tensor) -> Result<(), GraphError> {
        assert_eq!(activation.shape, self.target_shape(target), "the layer's shape");
        let CpuExecutable { program, cx, .. } = &*self.executable;
        let value = program.targets[target];
        let part = self.plan.activation(program, value);
        let x = MapRef::new(part.map, &self.vectors[part.range]);
        pack::to_planes(cx, x, &program.values[value].slots, &mut activation.data);
        Ok(())
    }

    fn half_sum_squares(&self, target: usize) -> Result<f64, GraphError> {
        let CpuExecutable { program, cx, .. } = &*self.executable;
        let part = self.plan.activation(program, program.targets[target]);
        let x = MapRef::new(part.map, &self.vectors[part.range]);
        Ok(elementwise::half_sum_squares(cx, x))
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        gradient: &mut Tensor,
    ) -> Result<(), GraphError> {
        assert_eq!(gradient.shape, self.shape(), "another size");
        let executable = Arc::clone(&self.executable);
        let CpuExecutable { program, cx, .. } = &*executable;
        assert_eq!(outputs.len(), program.targets.len(), "one output gradient for each target");
        cx.threads().awake(|| {
            let start = self.clock.start();
            self.unmask(outputs);
            self.write_output_gradients(outputs);
            self.clock.add(Pass::OutputGradient, 0, start);
            for step in 0..self.plan.backward.len() {
                let start = self.clock.start();
                self.backward_step(step);
                self.clock.add(Pass::Backward, step, start);
            }
            let start = self.clock.start();
            let part = self.plan.gradient(program, program.picture());
            let (input, dx) = (self.input(), MapRef::new(part.map, &self.vectors[part.range]));
            let Size { height, width } = self.size;
            pack::unpack(cx, &input, dx, height, width, &mut gradient.data);
            self.clock.add(Pass::Unpack, 0, start);
        });
        Ok(())
    }

    fn record_times(&mut self) {
        self.clock = Clock::running();
    }

    fn times(&self) -> Vec<StepTime> {
        self.clock.report(&self.executable.program, &self.plan)
    }
}

/// Lists of taps in the kernels' terms.
fn views(taps: &[Taps; 2]) -> [kernels::resample::Taps<'_>; 2] {
    taps.each_ref().map(|taps| kernels::resample::Taps::new(taps.starts(), taps.all()))
}

/// By what an average's windows count the padding: the extent that counts, or nothing of it.
fn counted(kind: &Kind, shape: Shape) -> Option<[usize; 2]> {
    let Kind::AveragePool(pool) = kind else { return None };
    let padded = |axis: usize, extent: usize| {
        pool.window.span(axis, extent).map_or(extent, |span| span.before + extent + span.after)
    };
    pool.count_padding.then(|| [padded(0, shape.height), padded(1, shape.width)])
}
