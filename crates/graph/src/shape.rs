//! Shapes, and each operation's output shape.

use crate::{Op, Padding, Rounding, Window};

/// Channels × height × width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// A shape, in the order in which it is stored.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Values in one channel.
    pub fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Values in all.
    pub fn len(&self) -> usize {
        self.channels * self.plane()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// A window's placement along one axis of a picture of known size.
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
}

impl Op {
    /// The shape the operation gives for inputs of `shapes`, or `None` where a window does not fit.
    ///
    /// # Errors
    /// What does not fit, with the sizes.
    pub fn output_shape(&self, shapes: &[Shape]) -> Result<Option<Shape>, String> {
        let one = || match shapes {
            [shape] => Ok(*shape),
            _ => Err(format!("wants one input, has {}", shapes.len())),
        };
        Ok(match self {
            Op::Input { .. } => return Err("the input's shape is the picture's".into()),
            Op::Conv2d(conv) => {
                let input = one()?;
                if input.channels != conv.in_channels * conv.groups {
                    return Err(format!(
                        "its weights are for {} channels, its input has {}",
                        conv.in_channels * conv.groups,
                        input.channels
                    ));
                }
                slide(&conv.window, input)
                    .map(|shape| Shape { channels: conv.out_channels, ..shape })
            }
            Op::MaxPool(pool) => slide(&pool.window, one()?),
            Op::AveragePool(pool) => slide(&pool.window, one()?),
            Op::GlobalAveragePool => Some(Shape::new(one()?.channels, 1, 1)),
            Op::Relu | Op::Lrn(_) | Op::Softmax => Some(one()?),
            Op::Affine(affine) => {
                let input = one()?;
                if input.channels != affine.scale.len() {
                    return Err(format!(
                        "it scales {} channels, its input has {}",
                        affine.scale.len(),
                        input.channels
                    ));
                }
                Some(input)
            }
            Op::Dense(dense) => {
                let input = one()?;
                if input.len() != dense.in_features {
                    return Err(format!(
                        "its weights are for {} values, its input has {input} = {}; networks with \
                         fully connected layers take only the picture size they were trained with \
                         up to there",
                        dense.in_features,
                        input.len()
                    ));
                }
                Some(Shape::new(dense.out_features, 1, 1))
            }
            Op::Concat => {
                let first = *shapes.first().ok_or("has no inputs")?;
                if let Some(other) = shapes
                    .iter()
                    .find(|shape| (shape.height, shape.width) != (first.height, first.width))
                {
                    return Err(format!("cannot join {first} and {other} along the channels"));
                }
                Some(Shape { channels: shapes.iter().map(|shape| shape.channels).sum(), ..first })
            }
            Op::Add => {
                let first = *shapes.first().ok_or("has no inputs")?;
                if let Some(other) = shapes.iter().find(|shape| **shape != first) {
                    return Err(format!("cannot add {first} and {other}"));
                }
                Some(first)
            }
            Op::Unsupported { kind } => {
                return Err(format!("operation `{kind}` is not supported"));
            }
        })
    }
}

fn slide(window: &Window, input: Shape) -> Option<Shape> {
    Some(Shape {
        channels: input.channels,
        height: window.span(0, input.height)?.output,
        width: window.span(1, input.width)?.output,
    })
}
