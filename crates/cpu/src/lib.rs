//! The network made ready to run: forward to the target layers, backward to the picture.
//!
//! `program` rewrites the graph, `convolution` chooses algorithms and packs weights, `plan` lays all
//! values of one picture size out in memory, and `run` does the work, step by step, on the kernels.

mod convolution;
mod memory;
mod plan;
mod program;
mod run;
mod timing;

use kernels::Context;

use convolution::Cache;
use graph::{Graph, InputSpec, NetError, Network, NodeId, Tensor};
use plan::Plan;
use program::Program;
pub use run::Workspace;
pub use timing::{Pass, StepTime};

/// A network compiled for some target layers: weights packed once, for pictures of any size.
pub struct Engine {
    graph: Graph,
    input: InputSpec,
    targets: Vec<NodeId>,
    program: Program,
    cx: Context,
    cache: Cache,
}

/// Where a backward pass starts at one target layer.
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// `weight` × the layer's own activation: the gradient of `½ · weight · Σ activation²`.
    Activation {
        /// The weight.
        weight: f32,
    },
    /// A gradient of the layer's shape.
    Gradient(&'a Tensor),
}

impl Engine {
    /// Compiles `network` up to `targets`.
    ///
    /// # Errors
    /// An operation that is not supported, a target that does not depend on the picture, or a picture
    /// that is not of three channels.
    pub fn new(network: &Network, targets: &[NodeId], cx: Context) -> Result<Self, NetError> {
        let graph = &network.graph;
        for &target in targets {
            graph.check_target(target)?;
        }
        if graph.input_channels() != 3 {
            let channels = graph.input_channels();
            return Err(NetError::Graph(format!(
                "its input has {channels} channels, a picture has 3"
            )));
        }
        Ok(Self {
            program: Program::new(graph, targets)?,
            graph: graph.clone(),
            input: network.input,
            targets: targets.to_vec(),
            cx,
            cache: Cache::default(),
        })
    }

    /// Bytes that a workspace for pictures of `height` × `width` takes, packed weights not counted.
    ///
    /// # Errors
    /// A picture too small for a target.
    pub fn memory(&self, height: usize, width: usize) -> Result<usize, NetError> {
        Ok(self.plan(height, width)?.bytes())
    }

    /// All the memory for running on pictures of `height` × `width`.
    ///
    /// # Errors
    /// A picture too small for a target.
    pub fn workspace(&self, height: usize, width: usize) -> Result<Workspace<'_>, NetError> {
        Ok(Workspace::new(self, self.plan(height, width)?, [height, width]))
    }

    fn plan(&self, height: usize, width: usize) -> Result<Plan, NetError> {
        Plan::new(&self.graph, &self.targets, &self.program, self.cx.level(), [height, width])
    }
}
