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
mod memory;
mod plan;
mod prepared;
mod program;
mod run;
mod timing;

use std::sync::Arc;

use graph::passes::{self, Rewritten};
use graph::{Backend, Executable, Graph, GraphError, InputSpec, Network, NodeId, Session, Size};
use kernels::Context;

use convolution::Cache;
use plan::Plan;
use program::Program;
pub use run::CpuSession;

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
    /// What [`Network::check_targets`] refuses.
    pub fn new(network: &Network, targets: &[NodeId], cx: Context) -> Result<Self, GraphError> {
        network.check_targets(targets)?;
        let Rewritten { graph, targets } = passes::prune(&network.graph, targets);
        let Rewritten { graph, targets } = passes::fold_batch_norm(&graph, &targets);
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
    /// An image too small for a target.
    pub fn cpu_session(self: Arc<Self>, size: Size) -> Result<CpuSession, GraphError> {
        let plan = self.plan(size)?;
        Ok(CpuSession::new(self, plan, size))
    }

    fn plan(&self, size: Size) -> Result<Plan, GraphError> {
        Plan::new(&self.graph, &self.targets, &self.program, self.cx.level(), size)
    }
}

impl Executable for CpuExecutable {
    fn memory(&self, size: Size) -> Result<u64, GraphError> {
        Ok(self.plan(size)?.bytes())
    }

    fn session(self: Arc<Self>, size: Size) -> Result<Box<dyn Session>, GraphError> {
        Ok(Box::new(self.cpu_session(size)?))
    }
}
