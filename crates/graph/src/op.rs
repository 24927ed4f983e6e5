//! The operations a network is made of, with the parameters every format's dialect can be put into.

use std::sync::Arc;

use crate::Weights;

/// One operation. Everything works on channels × height × width; there is no batch.
#[derive(Clone, Debug)]
pub enum Op {
    /// The picture, in the network's own channel order and units.
    Input {
        /// How many channels it has.
        channels: usize,
    },
    /// Convolution, with its bias.
    Conv2d(Conv2d),
    /// `max(x, 0)`.
    Relu,
    /// Largest value of each window.
    MaxPool(MaxPool),
    /// Mean of each window.
    AveragePool(AveragePool),
    /// Mean of each channel; the output is 1 × 1.
    GlobalAveragePool,
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// Inputs one after another along the channels.
    Concat,
    /// Element-wise sum of inputs of one shape.
    Add,
    /// `scale · x + shift`, by channel: batch normalisation and scale layers.
    Affine(Affine),
    /// Fully connected, over all channels and positions.
    Dense(Dense),
    /// Softmax across channels, at each position.
    Softmax,
    /// An operation the importer does not know. It is an error only when a target layer needs it.
    Unsupported {
        /// The format's name for it.
        kind: String,
    },
}

/// What is added around a picture before a window slides over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As TensorFlow's `SAME`: the output has `ceil(input / stride)` positions, and what is added for
    /// it is shared between both sides, the odd one going to the bottom or right.
    Same,
    /// So many rows and columns on each side.
    Explicit {
        /// Rows above.
        top: usize,
        /// Rows below.
        bottom: usize,
        /// Columns on the left.
        left: usize,
        /// Columns on the right.
        right: usize,
    },
}

impl Padding {
    /// Nothing is added.
    pub const VALID: Padding = Padding::Explicit { top: 0, bottom: 0, left: 0, right: 0 };

    /// The same number of rows above and below, and of columns left and right.
    pub fn symmetric(rows: usize, columns: usize) -> Self {
        Padding::Explicit { top: rows, bottom: rows, left: columns, right: columns }
    }
}

/// How many outputs a window has where the stride does not divide the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rounding {
    /// Only whole windows count.
    #[default]
    Floor,
    /// A last, partial window counts too, if it starts inside the picture or its leading padding:
    /// Caffe's pooling.
    Ceil,
}

/// A window that slides over the picture: rows first, then columns, in every pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its height and width.
    pub kernel: [usize; 2],
    /// How far it moves.
    pub stride: [usize; 2],
    /// How far apart its elements are.
    pub dilation: [usize; 2],
    /// What is added around the picture.
    pub padding: Padding,
    /// How the number of positions is rounded.
    pub rounding: Rounding,
}

impl Window {
    /// A window without dilation, padding or partial positions.
    pub fn new(kernel: [usize; 2], stride: [usize; 2]) -> Self {
        Self {
            kernel,
            stride,
            dilation: [1, 1],
            padding: Padding::VALID,
            rounding: Rounding::Floor,
        }
    }

    /// The same window with `padding` around the picture.
    pub fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }
}

/// Convolution (as in all these formats, correlation: the kernel is not flipped).
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Kernel size, stride, dilation, padding; rounding is always [`Rounding::Floor`].
    pub window: Window,
    /// Channels it makes.
    pub out_channels: usize,
    /// Channels of the input that each output sees: the input's channels / `groups`.
    pub in_channels: usize,
    /// Into how many independent convolutions the channels are divided.
    pub groups: usize,
    /// `out_channels × in_channels × kernel height × kernel width`.
    pub weights: Weights,
    /// One for each output channel.
    pub bias: Arc<[f32]>,
}

/// Max pooling; the padding never wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// The window.
    pub window: Window,
}

/// Average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// The window.
    pub window: Window,
    /// Whether positions in the padding count as zeros (Caffe) or are left out of the mean
    /// (TensorFlow). What lies beyond even the padding is always left out.
    pub count_padding: bool,
}

/// `y_c = x_c / (bias + alpha · Σ x_k²)^beta`, k over the `size` channels around c.
///
/// `alpha` is for one element, as TensorFlow has it; Caffe's is divided by the size of its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// How many channels the sum goes over, the own in the middle; odd.
    pub size: usize,
    /// Weight of the sum of squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Added to the sum.
    pub bias: f32,
}

/// `scale[c] · x + shift[c]`.
#[derive(Clone, Debug)]
pub struct Affine {
    /// One for each channel.
    pub scale: Arc<[f32]>,
    /// One for each channel.
    pub shift: Arc<[f32]>,
}

/// Fully connected layer: the output has `out_features` channels and is 1 × 1.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Channels it makes.
    pub out_features: usize,
    /// Channels × height × width of its input.
    pub in_features: usize,
    /// `out_features × in_features`, the input flattened in channel, row, column order.
    pub weights: Weights,
    /// One for each output.
    pub bias: Arc<[f32]>,
}
