//! What runs a network: the traits that a processor, a graphics card or a browser implements.
//!
//! A [`Backend`] compiles a network up to some target layers into an [`Executable`], which makes a [`Session`]
//! for each image size. All three are owned, so that a job, a server or a binding can keep them.

use std::sync::Arc;

use crate::{GraphError, Network, NodeId, Shape, Size, Tensor};

/// A device with its kernels.
pub trait Backend: Send + Sync {
    /// Compiles `network` up to `targets`, whose order counts in a [`Session`].
    ///
    /// # Errors
    /// What [`Network::check_targets`] refuses.
    fn compile(
        &self,
        network: &Network,
        targets: &[NodeId],
    ) -> Result<Arc<dyn Executable>, GraphError>;
}

/// How many backward passes may follow a forward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backwards {
    /// One, which may use the memory of what it has read.
    #[default]
    One,
    /// Any number: whatever they read is kept until the next forward pass, which takes more memory.
    Many,
}

/// A network compiled for some target layers, for images of any size.
pub trait Executable: Send + Sync {
    /// Bytes that a session for images of `size` takes at the most, without what is kept for all sessions.
    ///
    /// # Errors
    /// An image too small for a target.
    fn memory(&self, size: Size) -> Result<u64, GraphError> {
        self.memory_for(size, Backwards::One)
    }

    /// As [`Self::memory`], of [`Self::session_for`].
    ///
    /// # Errors
    /// An image too small for a target.
    fn memory_for(&self, size: Size, backwards: Backwards) -> Result<u64, GraphError>;

    /// Bytes that are kept, once there were sessions for images of all these sizes, at the most: weights in
    /// the device's own order, memory that threads work in.
    ///
    /// # Errors
    /// An image too small for a target.
    fn kept_memory(&self, sizes: &[Size]) -> Result<u64, GraphError>;

    /// A session for images of `size`, in which one backward pass follows each forward pass.
    ///
    /// # Errors
    /// An image too small for a target, or a device that fails.
    fn session(self: Arc<Self>, size: Size) -> Result<Box<dyn Session>, GraphError> {
        self.session_for(size, Backwards::One)
    }

    /// As [`Self::session`], in which so many backward passes may follow each forward pass. How many they are
    /// changes no value.
    ///
    /// # Errors
    /// An image too small for a target, or a device that fails.
    fn session_for(
        self: Arc<Self>,
        size: Size,
        backwards: Backwards,
    ) -> Result<Box<dyn Session>, GraphError>;
}

/// The memory for images of one size, reused from step to step: forward to the targets, then backward to
/// the image.
///
/// Targets are numbered in the order given to [`Backend::compile`]. Images and their gradients are RGB,
/// 3 × height × width, of values 0–255. Tensors of another shape than documented are a mistake in the program,
/// and implementations may panic.
pub trait Session: Send {
    /// The size of the images.
    fn size(&self) -> Size;

    /// From now on the network sees images rolled by so many rows down and columns to the right, what leaves
    /// on one side coming in on the other; gradients are rolled back. (Jitter, without a copy of the image.)
    fn set_shift(&mut self, shift: [usize; 2]);

    /// Runs `image` forward to the targets.
    ///
    /// # Errors
    /// A device that fails.
    fn forward(&mut self, image: &Tensor) -> Result<(), GraphError>;

    /// The shape of a target's activation.
    fn target_shape(&self, target: usize) -> Shape;

    /// Writes a target's activation to `activation`, a tensor of [`Self::target_shape`]. To be called between
    /// [`Self::forward`] and [`Self::backward`].
    ///
    /// # Errors
    /// A device that fails.
    fn read_activation(&self, target: usize, activation: &mut Tensor) -> Result<(), GraphError>;

    /// As [`Self::read_activation`], in a new tensor.
    ///
    /// # Errors
    /// A device that fails.
    fn activation(&self, target: usize) -> Result<Tensor, GraphError> {
        let mut activation = Tensor::zeros(self.target_shape(target));
        self.read_activation(target, &mut activation)?;
        Ok(activation)
    }

    /// `½ · Σ activation²` of a target. To be called between [`Self::forward`] and [`Self::backward`].
    ///
    /// # Errors
    /// A device that fails.
    fn half_sum_squares(&self, target: usize) -> Result<f64, GraphError>;

    /// Runs backward from one gradient for each target and writes the gradient with respect to the image to
    /// `gradient`. Each call needs a [`Self::forward`] before it, but for those that follow another one in a
    /// session of [`Backwards::Many`]. After [`OutputGradient::Unmasked`] none may follow.
    ///
    /// # Errors
    /// A device that fails.
    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        gradient: &mut Tensor,
    ) -> Result<(), GraphError>;

    /// From now on measures how long each step takes.
    fn record_times(&mut self) {}

    /// Where the time went since [`Self::record_times`], step by step; empty where a backend cannot tell.
    fn times(&self) -> Vec<StepTime> {
        Vec::new()
    }
}

/// The gradient of the objective with respect to a target's activation, from which a backward pass starts.
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// `weight` × the activation itself: that of the objective `½ · weight · Σ activation²`.
    Activation {
        /// The weight.
        weight: f32,
    },
    /// A gradient of the target's shape.
    Gradient(&'a Tensor),
    /// A gradient of the target's shape, and channels of the target that the whole backward pass takes for
    /// alive at every position: what reaches them passes the ReLU they come from, whatever it made of their
    /// values. So a channel that is 0 everywhere can grow (Lucid's redirected ReLU, for these channels alone).
    /// A [`crate::Unary::Clip`] from 0 on, such as ReLU6, is such a ReLU too.
    /// Channels that come from no ReLU, but for joins, are as in [`Self::Gradient`].
    Unmasked {
        /// The gradient.
        gradient: &'a Tensor,
        /// The channels, from 0.
        channels: &'a [usize],
    },
}

/// The part of a run that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pass {
    /// The image into the network's layout.
    Pack,
    /// Forward through layers.
    Forward,
    /// The targets' gradients.
    OutputGradient,
    /// Backward through layers.
    Backward,
    /// The gradient into the image's layout.
    Unpack,
}

/// The time one step of a run took, all runs of a session together.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTime {
    /// Which part of the run it is.
    pub pass: Pass,
    /// The layers it computes; several where they run side by side.
    pub layers: String,
    /// How it computes them.
    pub kernel: &'static str,
    /// How often it ran.
    pub runs: u64,
    /// How long in all, in seconds.
    pub seconds: f64,
    /// Floating-point operations of one run by the operation's definition: two for each product of a
    /// convolution, none for what is bound by memory.
    pub operations: u64,
    /// Bytes of activations and gradients that one run reads and writes.
    pub bytes: u64,
}
