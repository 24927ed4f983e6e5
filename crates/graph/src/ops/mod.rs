//! The operations a network is made of, with the parameters every format's dialect can be put into.
//!
//! Each has a file that says all about it: parameters, shape rule, facts of a layer, and what it computes
//! in both directions. Here is only the list.

mod add;
mod affine;
mod attention;
mod average_pool;
mod binary;
mod broadcast;
mod channel_mean;
mod concat;
mod conv2d;
mod conv_transpose2d;
mod crop;
mod crop_like;
mod dense;
mod depth_to_space;
mod global_average_pool;
mod global_max_pool;
mod group_norm;
mod layer_norm;
mod lrn;
mod max_pool;
mod normalization;
mod operation;
mod pad;
mod position_embedding;
mod prelu;
mod products;
mod relu;
mod resize;
mod select_channels;
mod softmax;
mod space_to_depth;
mod taps;
mod tokens;
mod unary;
mod window;

pub use affine::Affine;
pub use attention::Attention;
pub use average_pool::AveragePool;
pub use binary::Binary;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv2d::Conv2d;
pub use crop::{Crop, Cut};
pub use crop_like::CropLike;
pub use dense::Dense;
pub use depth_to_space::{BlockOrder, DepthToSpace};
pub use group_norm::GroupNorm;
pub use layer_norm::LayerNorm;
pub use lrn::Lrn;
pub use max_pool::MaxPool;
pub use operation::Activation;
pub use pad::{Pad, PadMode};
pub use position_embedding::PositionEmbedding;
pub use prelu::PRelu;
pub use resize::{Coordinates, Extent, Interpolation, Nearest, Resize};
pub use select_channels::SelectChannels;
pub use space_to_depth::SpaceToDepth;
pub use taps::Taps;
pub use tokens::Tokens;
pub use unary::Unary;
pub use window::{Padding, Rounding, Span, Window};

use std::sync::Arc;

use crate::{Real, Shape, Weights};
use operation::Operation;

/// One operation. Everything works on channels × height × width; there is no batch.
#[derive(Clone, Debug)]
pub enum Op {
    /// The image, in the network's own channel order and units.
    Input {
        /// How many channels it has.
        channels: usize,
    },
    /// Convolution, with its bias.
    Conv2d(Conv2d),
    /// Transposed convolution, with its bias.
    ConvTranspose2d(ConvTranspose2d),
    /// `max(x, 0)`.
    Relu,
    /// Any other function of each value by itself.
    Unary(Unary),
    /// ReLU with a trained slope below 0 for each channel.
    PRelu(PRelu),
    /// Largest value of each window.
    MaxPool(MaxPool),
    /// Mean of each window.
    AveragePool(AveragePool),
    /// Mean of each channel; the output is 1 × 1.
    GlobalAveragePool,
    /// Largest value of each channel; the output is 1 × 1.
    GlobalMaxPool,
    /// Mean over the channels at each position; the output has one channel.
    ChannelMean,
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// Inputs one after another along the channels.
    Concat,
    /// Element-wise sum of any number of inputs. Along each axis, an extent of 1 counts for all positions of
    /// the others.
    Add,
    /// Element-wise product, difference or quotient of two inputs, with extents of 1 as for [`Self::Add`].
    Binary(Binary),
    /// `scale · x + shift`, by channel: batch normalisation and scale layers.
    Affine(Affine),
    /// Normalisation over the channels at each position.
    LayerNorm(LayerNorm),
    /// Normalisation over groups of channels and all positions; instance normalisation too.
    GroupNorm(GroupNorm),
    /// Fully connected, over all channels and positions.
    Dense(Dense),
    /// Softmax across channels, at each position.
    Softmax,
    /// Each position's mean of others, weighted by how they meet.
    Attention(Attention),
    /// Positions in one row behind trained ones.
    Tokens(Tokens),
    /// Trained values added to each position.
    PositionEmbedding(PositionEmbedding),
    /// Chosen channels in a chosen order.
    SelectChannels(SelectChannels),
    /// Channels become pixels.
    DepthToSpace(DepthToSpace),
    /// Pixels become channels.
    SpaceToDepth(SpaceToDepth),
    /// Rows and columns added around.
    Pad(Pad),
    /// Some of the rows and columns.
    Crop(Crop),
    /// As many rows and columns as another input has.
    CropLike(CropLike),
    /// Enlarged or reduced.
    Resize(Resize),
    /// An operation the importer does not know. It is an error only when a target layer needs it.
    Unsupported {
        /// The format's name for it.
        kind: String,
    },
}

/// `$call` with `$operation` being what `$op` is, or `$input` and `$unsupported` for what is none.
macro_rules! dispatch {
    ($op:expr, $operation:ident => $call:expr, input => $input:expr, $kind:ident => $unsupported:expr) => {
        match $op {
            Op::Input { .. } => $input,
            Op::Unsupported { kind: $kind } => $unsupported,
            Op::Conv2d($operation) => $call,
            Op::MaxPool($operation) => $call,
            Op::AveragePool($operation) => $call,
            Op::Lrn($operation) => $call,
            Op::Affine($operation) => $call,
            Op::Unary($operation) => $call,
            Op::PRelu($operation) => $call,
            Op::Binary($operation) => $call,
            Op::LayerNorm($operation) => $call,
            Op::GroupNorm($operation) => $call,
            Op::Dense($operation) => $call,
            Op::ConvTranspose2d($operation) => $call,
            Op::SelectChannels($operation) => $call,
            Op::DepthToSpace($operation) => $call,
            Op::SpaceToDepth($operation) => $call,
            Op::Pad($operation) => $call,
            Op::Crop($operation) => $call,
            Op::CropLike($operation) => $call,
            Op::Resize($operation) => $call,
            Op::Attention($operation) => $call,
            Op::Tokens($operation) => $call,
            Op::PositionEmbedding($operation) => $call,
            Op::Relu => dispatch!(@unit $operation = relu::Relu => $call),
            Op::GlobalMaxPool => {
                dispatch!(@unit $operation = global_max_pool::GlobalMaxPool => $call)
            }
            Op::GlobalAveragePool => {
                dispatch!(@unit $operation = global_average_pool::GlobalAveragePool => $call)
            }
            Op::ChannelMean => {
                dispatch!(@unit $operation = channel_mean::ChannelMean => $call)
            }
            Op::Concat => dispatch!(@unit $operation = concat::Concat => $call),
            Op::Add => dispatch!(@unit $operation = add::Add => $call),
            Op::Softmax => dispatch!(@unit $operation = softmax::Softmax => $call),
        }
    };
    (@unit $operation:ident = $value:expr => $call:expr) => {{
        let $operation = &$value;
        $call
    }};
}

impl Op {
    /// The shape the operation gives for inputs of `shapes`, or `None` where a window does not fit.
    ///
    /// # Errors
    /// What does not fit, with the sizes.
    pub fn output_shape(&self, shapes: &[Shape]) -> Result<Option<Shape>, String> {
        dispatch!(
            self,
            operation => operation.output_shape(shapes),
            input => Err("the input's shape is the picture's".into()),
            kind => Err(format!("operation `{kind}` is not supported"))
        )
    }

    /// Whether it takes so many inputs; what is not supported takes any number.
    pub fn takes(&self, inputs: usize) -> bool {
        dispatch!(
            self,
            operation => operation.takes(inputs),
            input => inputs == 0,
            _kind => true
        )
    }

    /// The channels it gives for inputs of so many, which it [takes](Self::takes); `None` for what is not
    /// supported.
    pub fn channels(&self, inputs: &[usize]) -> Option<usize> {
        dispatch!(
            self,
            operation => (!inputs.is_empty()).then(|| operation.channels(inputs)),
            input => None,
            _kind => None
        )
    }

    /// Whether its parameters are some that such an operation can have, whatever its inputs.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        dispatch!(self, operation => operation.check(), input => Ok(()), _kind => Ok(()))
    }

    /// The window that it slides over its input, if it has one.
    pub fn window(&self) -> Option<&Window> {
        dispatch!(self, operation => operation.window(), input => None, _kind => None)
    }

    /// Whether it has the rows and columns of its last input, and nothing else of it.
    pub fn sized_by_last(&self) -> bool {
        dispatch!(self, operation => operation.sized_by_last(), input => false, _kind => false)
    }

    /// Which of its inputs its rows and columns follow.
    pub fn sizing<'a, T>(&self, inputs: &'a [T]) -> &'a [T] {
        match self {
            _ if self.sized_by_last() => &inputs[inputs.len().saturating_sub(1)..],
            // There is an output for each query, however many keys there are.
            Op::Attention(_) => &inputs[..inputs.len().min(1)],
            _ => inputs,
        }
    }

    /// How many columns of its input beside the first one column of its output depends on at the most. What is
    /// computed from all positions and shared by all outputs, such as a global average, does not count; where each
    /// output compares all positions in its own way, as in attention, the number has no end.
    pub fn reach(&self) -> usize {
        dispatch!(self, operation => operation.reach(), input => 0, _kind => 0)
    }

    /// How many steps along a row of its input one step along a row of its output is.
    pub fn step(&self) -> f64 {
        dispatch!(self, operation => operation.step(), input => 1.0, _kind => 1.0)
    }

    /// The rows and columns of an input that its output is the sum of, if that is all it computes: of pads,
    /// crops and resizings.
    pub fn taps(&self, input: Shape, output: Shape) -> Option<[Taps; 2]> {
        dispatch!(self, operation => operation.taps(input, output), input => None, _kind => None)
    }

    /// Whether each of its values depends on its inputs' values at the same position alone, which may be of all
    /// channels.
    pub fn is_local(&self) -> bool {
        dispatch!(self, operation => operation.is_local(), input => false, _kind => false)
    }

    /// Its trained weights, if it has any; they make a network deeper.
    pub fn weights(&self) -> Option<&Weights> {
        dispatch!(self, operation => operation.weights(), input => None, _kind => None)
    }

    /// Its parameters beside the weights: biases, scales.
    pub fn vectors(&self) -> Vec<&Arc<[f32]>> {
        dispatch!(self, operation => operation.vectors(), input => Vec::new(), _kind => Vec::new())
    }

    /// Its output, of shape `output`, by definition.
    ///
    /// # Panics
    /// For an input or an operation that is not supported, and where `output` is not what
    /// [`Self::output_shape`] gives.
    pub fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        dispatch!(
            self,
            operation => operation.forward(inputs, output),
            input => panic!("the input is not computed"),
            kind => panic!("operation `{kind}` is not supported")
        )
    }

    /// The gradients with respect to each input, for its output and the gradient `dy` there, by
    /// definition.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        dispatch!(
            self,
            operation => operation.backward(inputs, output, dy),
            input => panic!("the input is not computed"),
            kind => panic!("operation `{kind}` is not supported")
        )
    }
}
