//! Pools over windows.

use graph::{AveragePool, MaxPool, NodeId, Op, Padding, Rounding, Window};

use super::convolution::window;
use super::node::Node;
use super::padded;
use super::reader::{Built, NO_MAP, Reader, Value};
use crate::ImportError;

pub(super) fn max(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Value::Padded(padded) = &inputs[0] {
        let window = pool_window(reader, node, padded.source).ok();
        let least = |fill| window.and_then(|window| padded.window(reader, window, fill));
        return Ok(match least(f32::NEG_INFINITY).or_else(|| least(f32::MIN)) {
            Some(window) => Built::Map(Op::MaxPool(MaxPool { window }), vec![padded.source]),
            None => padded::OTHER,
        });
    }
    pool(reader, node, &inputs[0], |window| Op::MaxPool(MaxPool { window }))
}

pub(super) fn average(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    // What `SAME` adds is never counted.
    let counted = node.integer("count_include_pad", 0) != 0;
    let op = |window: Window| {
        let count_padding = counted && window.padding != Padding::Same;
        Op::AveragePool(AveragePool { window, count_padding })
    };
    pool(reader, node, &inputs[0], op)
}

fn pool(
    reader: &mut Reader,
    node: &Node,
    input: &Value,
    op: impl Fn(Window) -> Op,
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, input)? else { return Ok(NO_MAP) };
    Ok(match pool_window(reader, node, source) {
        Ok(window) => Built::Map(op(window), vec![source]),
        Err(why) => Built::Unsupported(why),
    })
}

fn pool_window(reader: &Reader, node: &Node, source: NodeId) -> Result<Window, &'static str> {
    let kernel = match node.integers("kernel_shape") {
        Some(&[rows, columns]) => [rows, columns].map(|size| usize::try_from(size).unwrap_or(0)),
        _ => return Err(" in other than two dimensions"),
    };
    let rounding = if node.integer("ceil_mode", 0) != 0 { Rounding::Ceil } else { Rounding::Floor };
    Ok(Window { rounding, ..window(reader, node, source, kernel)? })
}
