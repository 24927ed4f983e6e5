//! Runs networks on the processor: forward to the target layers, backward to the image.
//!
//! [`Cpu`] is the backend. `program` lowers the graph, `convolution` chooses algorithms and packs weights,
//! `plan` lays all values of one image size out in memory, and `run` does the work, step by step, on the
//! kernels.
//!
//! ```
//! use cpu::Cpu;
//! use graph::{Backend, Network, Size, Tensor};
//! use kernels::{Context, CpuLevel, Threads};
//!
//! fn activation(network: &Network, layer: &str, image: &Tensor) -> Result<Tensor, Box<dyn std::error::Error>> {
//!     let cpu = Cpu::new(Context::new(Threads::new(0)?, CpuLevel::detect()?));
//!     let target = network.graph.find_target(layer)?;
//!     let executable = cpu.compile(network, &[target])?;
//!     let mut session = executable.session(Size::new(image.shape.height, image.shape.width))?;
//!     session.forward(image)?;
//!     Ok(session.activation(0)?)
//! }
//! ```
//!
//! # Features
//!
//! - `mmap` (default): maps the memory of activations and weights from the system.
//! - `threads` (default): shares the work among threads; without it, results are the same.

mod convolution;
mod in_place;
mod lifetimes;
mod memory;
mod order;
mod plan;
mod prepared;
mod program;
mod quantised;
mod run;
mod scratch;
mod strips;
mod timing;

use std::collections::HashMap;
use std::sync::Arc;

use graph::passes::{self, Rewritten};
use graph::{
    Backend, Backwards, Executable, Graph, GraphError, InputSpec, Network, NodeId, Op, Session,
    Size,
};
use kernels::Context;

use convolution::{Cache, ConvSpec, Direction, Key, key};
use plan::Plan;
use program::Program;
pub use run::CpuSession;
use scratch::Scratch;

/// The processor: some of its threads, and the instructions they may use.
#[derive(Clone)]
pub struct Cpu {
    context: Context,
}

impl Cpu {
    /// The backend that runs on `context`.
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}

impl Backend for Cpu {
    fn compile(
        &self,
        network: &Network,
        targets: &[NodeId],
    ) -> Result<Arc<dyn Executable>, GraphError> {
        Ok(Arc::new(CpuExecutable::new(network, targets, self.context.clone())?))
    }
}

/// A network compiled for some target layers: weights packed once, for images of any size.
pub struct CpuExecutable {
    graph: Graph,
    input: InputSpec,
    targets: Vec<NodeId>,
    program: Program,
    cx: Context,
    cache: Cache,
}

impl CpuExecutable {
    /// Compiles `network` up to `targets`.
    ///
    /// # Errors
    /// What [`Network::check_targets`] refuses, or more channels than any network has.
    pub fn new(network: &Network, targets: &[NodeId], cx: Context) -> Result<Self, GraphError> {
        network.check_targets(targets)?;
        let Rewritten { graph, targets } = passes::prune(&network.graph, targets);
        check_channels(&graph)?;
        let Rewritten { graph, targets } = passes::fold_gates(&graph, &targets);
        let Rewritten { graph, targets } = passes::fold_layer_norm(&graph, &targets);
        let Rewritten { graph, targets } = passes::fold_batch_norm(&graph, &targets);
        let Rewritten { graph, targets } = passes::expand_conv_transpose(&graph, &targets);
        check_channels(&graph)?;
        Ok(Self {
            program: Program::new(&graph, &targets),
            graph,
            input: network.input,
            targets,
            cx,
            cache: Cache::default(),
        })
    }

    /// As [`Executable::session`], as what it is.
    ///
    /// # Errors
    /// An image too small for a target, no memory for its session, or weights that cannot be read.
    pub fn cpu_session(self: Arc<Self>, size: Size) -> Result<CpuSession, GraphError> {
        self.placed(size, Backwards::One)
    }

    fn placed(self: Arc<Self>, size: Size, backwards: Backwards) -> Result<CpuSession, GraphError> {
        let plan = self.plan(size, backwards)?;
        CpuSession::new(self, plan, size)
    }

    /// All convolutions of a plan, with the key of the packed weights of each direction.
    fn keys<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (&'a ConvSpec, Key)> + 'a {
        let specs = plan.specs.iter().enumerate();
        let specs = specs.filter_map(|(layer, spec)| Some((layer, spec.as_ref()?)));
        specs.flat_map(move |(layer, spec)| {
            let directions = [Direction::Forward, Direction::Backward].into_iter();
            directions.filter_map(move |direction| {
                let algorithm = plan.algorithm(&self.program, layer, direction)?;
                Some((spec, key(layer, spec, direction, algorithm)))
            })
        })
    }

    fn plan(&self, size: Size, backwards: Backwards) -> Result<Plan, GraphError> {
        let of = (&self.graph, &self.targets[..], &self.program);
        Plan::new(of, self.cx.level(), (size, backwards))
    }
}

/// All layers that have lists of their own channels have no more together. A graph of a few joins can double
/// them until no memory holds the lists.
const MOST_CHANNELS: usize = 1 << 24;

/// Whether the lists of the graph's channels fit in memory, whatever the images.
///
/// # Errors
/// If they may not.
fn check_channels(graph: &Graph) -> Result<(), GraphError> {
    let mut total = 0usize;
    let mut channels: Vec<usize> = Vec::new();
    for node in graph.nodes() {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| channels[input.index()]).collect();
        let own = match node.op {
            Op::Input { channels } => channels,
            _ => node.op.channels(&inputs).unwrap_or(0),
        };
        let lists = matches!(
            node.op,
            Op::Input { .. }
                | Op::Conv2d(_)
                | Op::Dense(_)
                | Op::Concat
                | Op::Attention(_)
                | Op::SelectChannels(_)
                | Op::DepthToSpace(_)
                | Op::SpaceToDepth(_)
        );
        if lists {
            total = total.saturating_add(own);
        }
        channels.push(own);
    }
    if total <= MOST_CHANNELS {
        return Ok(());
    }
    Err(GraphError::Graph(format!(
        "its layers have {total} channels together; up to {MOST_CHANNELS} is possible"
    )))
}

impl Executable for CpuExecutable {
    fn memory_for(&self, size: Size, backwards: Backwards) -> Result<u64, GraphError> {
        let plan = self.plan(size, backwards)?;
        // Weights are packed one layer after the other, and kept in no other order.
        let pending = self.keys(&plan).map(|(spec, key)| self.cache.pending_bytes(spec, key)).max();
        Ok(plan.bytes(&self.program).saturating_add(pending.unwrap_or(0)))
    }

    fn kept_memory(&self, sizes: &[Size]) -> Result<u64, GraphError> {
        let (level, mut keys) = (self.cx.level(), HashMap::new());
        let mut scratch = Scratch::default();
        for &size in sizes {
            let plan = self.plan(size, Backwards::One)?;
            scratch = plan.scratch(&self.program, &self.cx).most(scratch);
            for (spec, key) in self.keys(&plan) {
                keys.entry(key).or_insert_with(|| self.cache.bytes(level, spec, key));
            }
        }
        let packed = keys.values().fold(0u64, |sum, bytes| sum.saturating_add(*bytes));
        Ok(packed
            .saturating_add(scratch.of_threads(self.cx.threads().count()))
            .saturating_add(self.program.bytes()))
    }

    fn session_for(
        self: Arc<Self>,
        size: Size,
        backwards: Backwards,
    ) -> Result<Box<dyn Session>, GraphError> {
        Ok(Box::new(self.placed(size, backwards)?))
    }
}
