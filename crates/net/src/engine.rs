//! The network made ready to run: forward to the target layers, backward to the picture.

use kernels::{CpuLevel, Threads};

use crate::{NetError, Network, NodeId, Tensor, reference};

/// On what an [`Engine`] runs.
#[derive(Clone)]
pub struct EngineOptions {
    /// The threads it shares.
    pub threads: Threads,
    /// The instructions it may use.
    pub level: CpuLevel,
}

/// A network compiled for some target layers: weights packed once, for pictures of any size.
pub struct Engine {
    network: Network,
    targets: Vec<NodeId>,
    options: EngineOptions,
}

/// Where a backward pass starts at one target layer.
pub enum Seed<'a> {
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
    /// An operation that is not supported, or weights that do not fit.
    pub fn new(
        network: &Network,
        targets: &[NodeId],
        options: EngineOptions,
    ) -> Result<Self, NetError> {
        Ok(Self { network: network.clone(), targets: targets.to_vec(), options })
    }

    /// Bytes that a workspace for pictures of `height` × `width` takes.
    ///
    /// # Errors
    /// A picture too small for a target.
    pub fn memory(&self, height: usize, width: usize) -> Result<usize, NetError> {
        let shapes = self.network.graph.shapes(&self.targets, height, width)?;
        Ok(shapes.iter().flatten().map(|shape| shape.len() * 8).sum())
    }

    /// All the memory for running on pictures of `height` × `width`.
    ///
    /// # Errors
    /// A picture too small for a target.
    pub fn workspace(&self, height: usize, width: usize) -> Result<Workspace<'_>, NetError> {
        self.network.graph.shapes(&self.targets, height, width)?;
        let _ = &self.options;
        Ok(Workspace { engine: self, run: None })
    }
}

/// The memory of one picture size, reused from step to step.
pub struct Workspace<'e> {
    engine: &'e Engine,
    run: Option<reference::Run<f32>>,
}

impl Workspace<'_> {
    /// Runs `picture` (RGB, 3 × height × width, 0–255) forward to the targets.
    pub fn forward(&mut self, picture: &Tensor) {
        let engine = self.engine;
        self.run = Some(
            reference::forward(&engine.network, &engine.targets, picture)
                .expect("the workspace's size was checked"),
        );
    }

    /// The activation of target `index` (in the order given to [`Engine::new`]), after [`Self::forward`].
    pub fn activation(&self, index: usize) -> Tensor {
        let run = self.run.as_ref().expect("forward comes first");
        run.activation(self.engine.targets[index])
    }

    /// `½ · Σ activation²` of target `index`, after [`Self::forward`].
    pub fn half_sum_squares(&self, index: usize) -> f64 {
        self.activation(index).data.iter().map(|&x| 0.5 * f64::from(x) * f64::from(x)).sum()
    }

    /// Runs backward from one seed for each target; `gradient` (RGB, 3 × height × width) becomes the
    /// gradient with respect to the picture's values of 0–255. Call [`Self::forward`] before each.
    pub fn backward(&mut self, seeds: &[Seed<'_>], gradient: &mut Tensor) {
        let engine = self.engine;
        let run = self.run.as_ref().expect("forward comes first");
        let seeds: Vec<Tensor> = seeds
            .iter()
            .zip(&engine.targets)
            .map(|(seed, &target)| match seed {
                Seed::Activation { weight } => {
                    let mut tensor = run.activation(target);
                    tensor.data.iter_mut().for_each(|x| *x *= weight);
                    tensor
                }
                Seed::Gradient(tensor) => (*tensor).clone(),
            })
            .collect();
        let seeds: Vec<(NodeId, &Tensor)> = engine.targets.iter().copied().zip(&seeds).collect();
        *gradient = reference::backward(&engine.network, run, &seeds);
    }
}
