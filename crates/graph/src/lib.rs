//! Networks as graphs: tensors, operations, output shapes, and the traits of what runs a network forward
//! to a layer and backward to the image.
//!
//! [`Graph`] is what importers build; it says what is computed, in the terms all formats share.
//! A [`Backend`] runs it. [`mod@reference`] is one that computes by definition, slowly, and is what tests
//! compare the others with.

mod backend;
mod error;
mod graph;
mod network;
mod ops;
pub mod passes;
mod real;
pub mod reference;
mod shape;
mod size;
mod tensor;
mod weights;

pub use backend::{Backend, Executable, OutputGradient, Pass, Session, StepTime};
pub use error::GraphError;
pub use graph::{Graph, GraphBuilder, Layer, Node, NodeId};
pub use network::{ChannelOrder, InputSpec, Network};
pub use ops::{
    Activation, Affine, AveragePool, Conv2d, Dense, Lrn, MaxPool, Op, Padding, Rounding, Span,
    Window,
};
pub use real::Real;
pub use shape::Shape;
pub use size::Size;
pub use tensor::Tensor;
pub use weights::Weights;
