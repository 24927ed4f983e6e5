//! Networks as graphs: tensors, operations, output shapes, and the engine that runs a network
//! forward to a layer and backward to the picture.
//!
//! [`Graph`] is what importers build; it says what is computed, in the terms all formats share.
//! [`Engine`] compiles a graph up to the target layers into the kernels' own layout and runs it.
//! [`mod@reference`] computes the same by definition, slowly, and is what tests compare with.

mod error;
mod graph;
mod network;
mod op;
pub mod reference;
mod shape;
mod size;
mod tensor;
mod weights;

pub use error::NetError;
pub use graph::{Graph, GraphBuilder, Layer, Node, NodeId};
pub use network::{ChannelOrder, InputSpec, Network};
pub use op::{Affine, AveragePool, Conv2d, Dense, Lrn, MaxPool, Op, Padding, Rounding, Window};
pub use shape::Shape;
pub use size::Size;
pub use tensor::Tensor;
pub use weights::Weights;
