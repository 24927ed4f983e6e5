//! Pools: over windows, and over all rows and columns.

use graph::{AveragePool, MaxPool, NodeId, Op, Padding, Window};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, NO_MAP, Reader, Value, input, map};
use super::window::{spatial, window};
use crate::ImportError;

fn pool_window(node: &NodeDef, layout: Layout) -> Result<Window, &'static str> {
    match spatial(node.integers("ksize"), Layout::of(node).unwrap_or(layout), 1) {
        Some(kernel) => window(node, layout, kernel),
        None => Err(" over channels or pictures"),
    }
}

/// Where zeros are around what a ReLU gives, they never win against its own values, as padding never does.
pub(super) fn max_pool(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let source = input(node, inputs, 0)?;
    let padded = |source| matches!(reader.assembly.op(source), Op::Relu);
    pool(node, source, padded, |window, _| Op::MaxPool(MaxPool { window }))
}

/// Zeros that the graph has put around count in the mean, what `SAME` adds does not.
pub(super) fn average_pool(
    _: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let op = |window, count_padding| Op::AveragePool(AveragePool { window, count_padding });
    pool(node, input(node, inputs, 0)?, |_| true, op)
}

/// A pool by its window, and whether the window's padding is zeros that the graph has put around the
/// input, which stand for padding where `padded` says so.
fn pool(
    node: &NodeDef,
    input: Value,
    padded: impl Fn(NodeId) -> bool,
    op: impl Fn(Window, bool) -> Op,
) -> Result<Built, ImportError> {
    let Some((plain, layout)) = map(input) else { return Ok(NO_MAP) };
    let window = match pool_window(node, layout) {
        Ok(window) => window,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    Ok(match input {
        Value::Padded { source, pads: [top, bottom, left, right], .. }
            if window.padding == Padding::VALID
                // No window may lie in the padding alone.
                && top.max(bottom) < window.kernel[0]
                && left.max(right) < window.kernel[1]
                && padded(source) =>
        {
            let padding = Padding::Explicit { top, bottom, left, right };
            Built::Op(op(window.padded(padding), true), vec![source])
        }
        _ => Built::Op(op(window, false), vec![plain]),
    })
}

/// Means over rows and columns.
pub(super) fn mean(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    over_all(reader, node, inputs, Op::GlobalAveragePool)
}

/// The largest of all rows and columns.
pub(super) fn largest(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    over_all(reader, node, inputs, Op::GlobalMaxPool)
}

fn over_all(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
    op: Op,
) -> Result<Built, ImportError> {
    let Some((source, layout)) = map(input(node, inputs, 0)?) else { return Ok(NO_MAP) };
    let Some(axes) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" over computed axes"));
    };
    let [rows, columns, _] = layout.axes();
    let mut axes = axes.integers(&node.name)?;
    axes.iter_mut().for_each(|axis| *axis = if *axis < 0 { axis.saturating_add(4) } else { *axis });
    axes.sort_unstable();
    if axes != [rows, columns] {
        return Ok(Built::Unsupported(" over other axes than rows and columns"));
    }
    let form = if node.bool("keep_dims", false) { Form::Map(layout) } else { Form::Position };
    Ok(Built::Laid(op, vec![source], form))
}
