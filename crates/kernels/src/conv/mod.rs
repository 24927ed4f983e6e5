//! Convolution, forward and backward to its input.

mod direct;
mod filters;
mod output;
mod taps;
pub(crate) mod tile;
pub(crate) mod weights;

pub use direct::{Call, Direct, Placed, run};
pub use filters::{Filters, Phase};
pub use output::{Output, SharedMap, SharedMask};
