//! Convolution, forward and backward to its input.

mod direct;
mod kernel;
pub(crate) mod tile;
pub(crate) mod weights;

pub use direct::{Call, Direct, Output, Placed, Taps, Target, run};
pub use kernel::{Kernel, Phase};
pub use weights::Weights;
