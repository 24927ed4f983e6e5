//! The objective: how strongly the layers are excited, and what a backward pass starts from.

use std::sync::Arc;

use graph::{Executable, GraphError, OutputGradient, Session, Size, Tensor};

/// The network compiled for the layers of a recipe, and how much each counts.
pub(crate) struct Objective {
    executable: Arc<dyn Executable>,
    outputs: Vec<OutputGradient<'static>>,
    pub(crate) weights: Vec<f32>,
    /// The least size of picture that all layers can see.
    pub(crate) least: Size,
}

impl Objective {
    pub(crate) fn new(executable: Arc<dyn Executable>, weights: Vec<f32>, least: Size) -> Self {
        let mut objective = Self { executable, outputs: Vec::new(), weights: Vec::new(), least };
        objective.set_weights(weights);
        objective
    }

    /// Gives the layers other weights.
    pub(crate) fn set_weights(&mut self, weights: Vec<f32>) {
        self.outputs =
            weights.iter().map(|&weight| OutputGradient::Activation { weight }).collect();
        self.weights = weights;
    }

    /// Writes the gradient of `Σ weight · ½ · Σ activation²` at `picture` to `gradient`, and returns
    /// the sum itself.
    pub(crate) fn value_and_gradient(
        &self,
        session: &mut dyn Session,
        picture: &Tensor,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        session.forward(picture)?;
        let mut objective = 0.0;
        for (target, &weight) in self.weights.iter().enumerate() {
            objective += f64::from(weight) * session.half_sum_squares(target)?;
        }
        session.backward(&self.outputs, gradient)?;
        Ok(objective)
    }

    pub(crate) fn session(&self, size: Size) -> Result<Box<dyn Session>, GraphError> {
        Arc::clone(&self.executable).session(size)
    }
}
