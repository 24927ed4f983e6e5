//! Fully connected layers of TensorFlow: flattening, then a matrix.
//!
//! TensorFlow flattens what it lays out as rows, columns, channels in that order; this program channels,
//! rows, columns. A matrix after `Reshape` to rows of one position's channels is a 1×1 convolution: on
//! larger pictures both give one answer for each position.

use std::sync::Arc;

use graph::{Conv2d, Dense, Op, Window};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, Reader, Value, input};
use crate::ImportError;

/// To two dimensions, or back from them.
pub(super) fn reshape(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let source = input(node, inputs, 0)?;
    let (Some(id), Some(shape)) = (source.node(), reader.constant(input(node, inputs, 1)?)) else {
        return Ok(Built::Unsupported(" to a computed shape"));
    };
    let channels = reader.assembly.channels(id).map(|channels| channels as i64);
    let shape = shape.integers(&node.name)?;
    let form = source.form().filter(|_| matches!(source, Value::Node(..)));
    let row = |size: i64, form| match Some(size) == channels {
        true => Value::Node(id, Form::Position),
        false => Value::Node(id, form),
    };
    Ok(match (form, &shape[..]) {
        (Some(Form::Map(layout)), &[_, size]) => Built::Same(row(size, Form::Row(layout))),
        (Some(form), [_, _]) => Built::Same(Value::Node(id, form)),
        (Some(Form::Position), &[_, 1, 1, size]) if Some(size) == channels => {
            Built::Same(Value::Node(id, Form::Map(Layout::Last)))
        }
        (Some(Form::Position), &[_, size, 1, 1]) if Some(size) == channels => {
            Built::Same(Value::Node(id, Form::Map(Layout::First)))
        }
        _ => Built::Unsupported(" to this shape"),
    })
}

/// Drops rows and columns where there is one of each.
pub(super) fn squeeze(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let (source, axes) = (input(node, inputs, 0)?, node.integers("squeeze_dims"));
    Ok(match (source, source.form()) {
        (Value::Node(id, _), Some(Form::Map(layout)))
            if axes.is_empty() || axes == &layout.axes()[..2] =>
        {
            Built::Same(Value::Node(id, Form::Position))
        }
        (Value::Node(..), Some(Form::Position)) if axes.is_empty() => Built::Same(source),
        _ => Built::Unsupported(" of these dimensions"),
    })
}

pub(super) fn matmul(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let Value::Node(id, form @ (Form::Position | Form::Row(_))) = input(node, inputs, 0)? else {
        return Ok(Built::Unsupported(" of what was not flattened"));
    };
    if node.bool("transpose_a", false) {
        return Ok(Built::Unsupported(" of a transposed input"));
    }
    let transposed = node.bool("transpose_b", false);
    let (in_features, out_features) = weights.two(&node.name, transposed)?;
    let Some(channels) = reader.assembly.channels(id) else {
        return Ok(Built::Unsupported(" of what is not supported"));
    };
    let fits = match form {
        Form::Position => in_features == channels,
        _ => in_features > 0 && in_features.is_multiple_of(channels),
    };
    if !fits {
        return Err(ImportError::Mismatch {
            layer: node.name.clone(),
            what: "the number of rows of its weights",
            expected: match form {
                Form::Position => channels.to_string(),
                _ => format!("a multiple of {channels} channels"),
            },
            found: in_features.to_string(),
        });
    }
    let channels_first = form == Form::Row(Layout::First);
    let weights = weights.matrix(&node.name, channels, channels_first, transposed)?;
    let bias: Arc<[f32]> = vec![0.0; out_features].into();
    let op = match form {
        Form::Position => Op::Conv2d(Conv2d {
            window: Window::new([1, 1], [1, 1]),
            out_channels: out_features,
            in_channels: in_features,
            groups: 1,
            weights,
            bias,
        }),
        _ => Op::Dense(Dense { out_features, in_features, weights, bias }),
    };
    Ok(Built::Laid(op, vec![id], Form::Position))
}
