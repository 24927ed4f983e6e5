//! Windows that slide over an activation: what convolutions and pools have in common.

use crate::Shape;

/// What is added around an activation before a window slides over it.
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
    /// A last, partial window counts too, if it starts inside the activation or its leading padding:
    /// Caffe's pooling.
    Ceil,
}

/// A window that slides over an activation: rows first, then columns, in every pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its height and width.
    pub kernel: [usize; 2],
    /// How far it moves.
    pub stride: [usize; 2],
    /// How far apart its elements are.
    pub dilation: [usize; 2],
    /// What is added around the activation.
    pub padding: Padding,
    /// How the number of positions is rounded.
    pub rounding: Rounding,
}

/// A window's placement along one axis of an activation of known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Positions of the window.
    pub output: usize,
    /// Padding before the first element.
    pub before: usize,
    /// Padding after the last element.
    pub after: usize,
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

    /// The same window with `padding` around the activation.
    pub fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Where the window lies along `axis` (0 rows, 1 columns) of `input` elements, or `None` if not
    /// even one window fits.
    pub fn span(&self, axis: usize, input: usize) -> Option<Span> {
        let (stride, reach) =
            (self.stride[axis], (self.kernel[axis] - 1) * self.dilation[axis] + 1);
        if input == 0 {
            return None;
        }
        let (before, after) = match self.padding {
            Padding::Same => {
                let output = input.div_ceil(stride);
                let total = ((output - 1) * stride + reach).saturating_sub(input);
                (total / 2, total - total / 2)
            }
            Padding::Explicit { top, bottom, left, right } => {
                if axis == 0 {
                    (top, bottom)
                } else {
                    (left, right)
                }
            }
        };
        let free = (input + before + after).checked_sub(reach)?;
        let output = match self.rounding {
            Rounding::Floor => free / stride + 1,
            Rounding::Ceil => {
                let output = free.div_ceil(stride) + 1;
                if (output - 1) * stride >= input + before { output - 1 } else { output }
            }
        };
        Some(Span { output, before, after })
    }

    /// The shape of all its positions, channel by channel.
    pub(super) fn output_shape(&self, input: Shape) -> Option<Shape> {
        Some(Shape {
            channels: input.channels,
            height: self.span(0, input.height)?.output,
            width: self.span(1, input.width)?.output,
        })
    }

    /// Calls `f` with (output position, window element, input position) for every element of every
    /// window that lies on an activation of shape `input`.
    pub(super) fn for_each(
        &self,
        input: Shape,
        output: Shape,
        mut f: impl FnMut(usize, usize, usize),
    ) {
        let before = |axis, extent| self.span(axis, extent).expect("the shape was checked").before;
        let (top, left) = (before(0, input.height), before(1, input.width));
        for oy in 0..output.height {
            for ox in 0..output.width {
                for ky in 0..self.kernel[0] {
                    for kx in 0..self.kernel[1] {
                        let y = (oy * self.stride[0] + ky * self.dilation[0]).checked_sub(top);
                        let x = (ox * self.stride[1] + kx * self.dilation[1]).checked_sub(left);
                        if let (Some(y), Some(x)) = (y, x)
                            && y < input.height
                            && x < input.width
                        {
                            let element = ky * self.kernel[1] + kx;
                            f(oy * output.width + ox, element, y * input.width + x);
                        }
                    }
                }
            }
        }
    }
}
