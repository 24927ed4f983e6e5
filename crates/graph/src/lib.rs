//! Image networks as graphs: operations, shapes, passes over them, and the traits of what runs a network
//! forward to a layer and backward to the image.
//!
//! [`Graph`] is what importers build; it says what is computed, in the terms all formats share. Each
//! operation has a file of its own, which says what it computes in both directions. A [`Backend`] runs a
//! [`Network`]: [`reference::Reference`] by definition, slowly, the crate `deepdream-cpu` fast.
//!
//! ```
//! use graph::reference::Reference;
//! use graph::{
//!     Backend, Conv2d, GraphBuilder, InputSpec, Network, Op, OutputGradient, Shape, Size, Tensor, Window,
//! };
//!
//! // One convolution that adds the colours up, and a ReLU.
//! let mut builder = GraphBuilder::new("image", 3);
//! let sum = Op::Conv2d(Conv2d {
//!     window: Window::new([1, 1], [1, 1]),
//!     out_channels: 1,
//!     in_channels: 3,
//!     groups: 1,
//!     weights: vec![1.0; 3].into(),
//!     bias: [-300.0].into(),
//! });
//! let sum = builder.add("sum", sum, &[builder.input()]);
//! builder.add("bright", Op::Relu, &[sum]);
//! let network = Network {
//!     name: "tiny".into(),
//!     hash: String::new(),
//!     graph: builder.finish(),
//!     input: InputSpec::default(),
//!     labels: Vec::new(),
//! };
//!
//! let target = network.graph.find_target("bright")?;
//! let executable = Reference::<f32>::default().compile(&network, &[target])?;
//! let mut session = executable.session(Size::new(1, 2))?;
//! // Two pixels, one dark and one bright: channels, rows, columns.
//! let image = Tensor { shape: Shape::new(3, 1, 2), data: vec![10.0, 110.0, 10.0, 110.0, 10.0, 110.0].into() };
//! session.forward(&image)?;
//! assert_eq!(session.activation(0)?.data, [0.0, 30.0]);
//! let mut gradient = Tensor::zeros(image.shape);
//! session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient)?;
//! assert_eq!(gradient.data, [0.0, 30.0, 0.0, 30.0, 0.0, 30.0]);
//! # Ok::<(), graph::GraphError>(())
//! ```

mod backend;
mod error;
mod finite;
mod graph;
mod network;
mod ops;
mod parts;
pub mod passes;
mod real;
mod receptive_field;
pub mod reference;
mod shape;
mod size;
mod tensor;
mod values;
mod weights;

pub use backend::{Backend, Backwards, Executable, OutputGradient, Pass, Session, StepTime};
pub use error::GraphError;
pub use finite::first_not_finite;
pub use graph::{Graph, GraphBuilder, Layer, Node, NodeId};
pub use network::{ChannelOrder, InputSpec, Network};
pub use ops::{
    Activation, Affine, Attention, AveragePool, Binary, BlockOrder, Conv2d, ConvTranspose2d,
    Coordinates, Crop, CropLike, Cut, Dense, DepthToSpace, Extent, GroupNorm, Interpolation,
    LayerNorm, Lrn, MaxPool, Nearest, Op, PRelu, Pad, PadMode, Padding, PositionEmbedding, Resize,
    Rounding, SelectChannels, SpaceToDepth, Span, Taps, Tokens, Unary, Window,
};
pub use parts::{Apart, Partial};
pub use real::Real;
pub use shape::Shape;
pub use size::Size;
pub use tensor::Tensor;
pub use values::{Scratch, Storage, Stored, Values};
pub use weights::{Unread, Weights};
