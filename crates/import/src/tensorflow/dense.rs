//! Fully connected layers of TensorFlow: flattening, then a matrix.
//!
//! TensorFlow flattens rows, columns, channels; this program channels, rows, columns. A matrix after
//! `Reshape` to rows of one position's channels is a 1×1 convolution: on larger pictures both give
//! one answer for each position.

use std::sync::Arc;

use graph::{Conv2d, Dense, Op, Window};

use super::proto::NodeDef;
use super::reader::{Built, Flat, Reader, Value, input};
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
    Ok(match (source, &shape[..]) {
        (Value::Flat(_, flat), [_, _]) => Built::Same(Value::Flat(id, flat)),
        (Value::Flat(_, Flat::Position), [_, 1, 1, size]) if Some(*size) == channels => {
            Built::Same(Value::Node(id))
        }
        (Value::Node(_), [_, size]) if Some(*size) == channels => {
            Built::Same(Value::Flat(id, Flat::Position))
        }
        (Value::Node(_), [_, _]) => Built::Same(Value::Flat(id, Flat::Picture)),
        _ => Built::Unsupported(" to this shape"),
    })
}

/// Drops rows and columns where there is one of each.
pub(super) fn squeeze(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let axes = node.integers("squeeze_dims");
    Ok(match (input(node, inputs, 0)?, axes) {
        (Value::Node(id), [] | [1, 2]) => Built::Same(Value::Flat(id, Flat::Position)),
        (Value::Flat(id, Flat::Position), []) => Built::Same(Value::Flat(id, Flat::Position)),
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
    let Value::Flat(id, flat) = input(node, inputs, 0)? else {
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
    let fits = match flat {
        Flat::Position => in_features == channels,
        Flat::Picture => in_features > 0 && in_features.is_multiple_of(channels),
    };
    if !fits {
        return Err(ImportError::Mismatch {
            layer: node.name.clone(),
            what: "the number of rows of its weights",
            expected: match flat {
                Flat::Position => channels.to_string(),
                Flat::Picture => format!("a multiple of {channels} channels"),
            },
            found: in_features.to_string(),
        });
    }
    let weights = weights.matrix(&node.name, channels, transposed)?;
    let bias: Arc<[f32]> = vec![0.0; out_features].into();
    let op = match flat {
        Flat::Position => Op::Conv2d(Conv2d {
            window: Window::new([1, 1], [1, 1]),
            out_channels: out_features,
            in_channels: in_features,
            groups: 1,
            weights,
            bias,
        }),
        Flat::Picture => Op::Dense(Dense { out_features, in_features, weights, bias }),
    };
    Ok(Built::Laid(op, vec![id], Some(Flat::Position)))
}
