//! Convolutions, and the windows that they and pools slide over maps.

use std::sync::Arc;

use graph::{Conv2d, NodeId, Op, Pad, PadMode, Padding, Window};

use super::node::Node;
use super::padded;
use super::reader::{Built, NO_MAP, Reader, Value, optional};
use super::tensor::Constant;
use crate::ImportError;
use crate::kit::{MAX_WINDOW, check_size};

pub(super) fn conv(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(weights) = inputs[1].constant() else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [out_channels, in_channels, height, width] = match weights.shape[..] {
        [outputs, inputs, height, width] => [outputs, inputs, height, width],
        [outputs, inputs, width] => [outputs, inputs, 1, width],
        _ => return Ok(Built::Unsupported(" in other than two dimensions")),
    };
    let in_row = weights.shape.len() == 3;
    let source = match &inputs[0] {
        Value::Padded(padded) if !in_row => Some(padded.source),
        Value::Padded(_) => None,
        value if in_row => reader.map(&node.name, &as_row(value))?,
        value => reader.map(&node.name, value)?,
    };
    let Some(source) = source else { return Ok(NO_MAP) };
    let window = match window(reader, node, source, [height, width]) {
        Ok(window) => window,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    let window = match &inputs[0] {
        Value::Padded(padded) => match padded.window(reader, window, 0.0) {
            Some(window) => window,
            None => return Ok(padded::OTHER),
        },
        _ => window,
    };
    let groups = usize::try_from(node.integer("group", 1)).unwrap_or(0);
    let Some(bias) = bias(node, optional(inputs, 2), out_channels)? else {
        return Ok(Built::Unsupported(" with a computed bias"));
    };
    let (window, source) = padded(reader, window, source);
    let weights = weights.weights(&node.name)?;
    let conv = Conv2d { window, out_channels, in_channels, groups, weights, bias };
    if !in_row {
        return Ok(Built::Map(Op::Conv2d(conv), vec![source]));
    }
    let id = reader.add(&node.name, Op::Conv2d(conv), &[source])?;
    let mut form = reader.map_form(id);
    form.0.remove(2);
    Ok(Built::same(Value::Node(id, form)))
}

/// What has one dimension beside its channels, as a map of one row.
fn as_row(value: &Value) -> Value {
    match value {
        Value::Node(id, form) if form.rank() == 3 => {
            let mut form = form.clone();
            form.0.insert(2, Vec::new());
            Value::Node(*id, form)
        }
        _ => Value::Nothing,
    }
}

/// A window with the zeros that the graph has put around its input, and that input.
fn padded(reader: &Reader, window: Window, source: NodeId) -> (Window, NodeId) {
    let zeros = PadMode::Constant(0.0);
    match (reader.assembly.op(source), reader.assembly.inputs(source), window.padding) {
        (
            Op::Pad(Pad { rows, columns, mode }),
            &[inner],
            Padding::Explicit { top, bottom, left, right },
        ) if *mode == zeros => {
            let padding = Padding::Explicit {
                top: top.saturating_add(rows[0]),
                bottom: bottom.saturating_add(rows[1]),
                left: left.saturating_add(columns[0]),
                right: right.saturating_add(columns[1]),
            };
            (window.padded(padding), inner)
        }
        _ => (window, source),
    }
}

/// One number for each output; zeros where the bias is left out, `None` where it is computed.
///
/// # Errors
/// Another number of them.
pub(super) fn bias(
    node: &Node,
    input: &Value,
    outputs: usize,
) -> Result<Option<Arc<[f32]>>, ImportError> {
    match input {
        Value::Nothing => Ok(Some(std::iter::repeat_n(0.0, outputs).collect())),
        Value::Constant(constant) => row(node, constant, outputs, "the number of biases").map(Some),
        _ => Ok(None),
    }
}

/// A constant's numbers, of which there are so many.
///
/// # Errors
/// Another number of them, or no floats.
pub(super) fn row(
    node: &Node,
    constant: &Constant,
    count: usize,
    what: &'static str,
) -> Result<Arc<[f32]>, ImportError> {
    check_size(&node.name, what, count, constant.len())?;
    Ok(constant.floats(&node.name)?.into())
}

/// The window of a convolution or pool over the maps of `source`, or why there is none, as
/// [`Built::Unsupported`] has it.
pub(super) fn window(
    reader: &Reader,
    node: &Node,
    source: NodeId,
    kernel: [usize; 2],
) -> Result<Window, &'static str> {
    let window = Window {
        dilation: pair(node, "dilations")?,
        ..Window::new(kernel, pair(node, "strides")?)
    };
    let sizes = [window.kernel, window.stride, window.dilation];
    if !sizes.iter().flatten().all(|size| (1..=MAX_WINDOW).contains(size)) {
        return Err(" with a window of an impossible size");
    }
    let padding = match node.text("auto_pad") {
        None | Some("" | "NOTSET") => explicit(node)?,
        Some("VALID") => Padding::VALID,
        Some("SAME_UPPER") => Padding::Same,
        Some("SAME_LOWER") => same_lower(reader, source, &window)?,
        Some(_) => return Err(" with this padding"),
    };
    Ok(window.padded(padding))
}

/// Numbers for rows and columns, 1 where they are left out.
pub(super) fn pair(node: &Node, name: &str) -> Result<[usize; 2], &'static str> {
    match node.integers(name) {
        None | Some([]) => Ok([1, 1]),
        Some(&[columns]) => match usize::try_from(columns) {
            Ok(columns) => Ok([1, columns]),
            Err(_) => Err(" with a negative size"),
        },
        Some(&[rows, columns]) => match (usize::try_from(rows), usize::try_from(columns)) {
            (Ok(rows), Ok(columns)) => Ok([rows, columns]),
            _ => Err(" with a negative size"),
        },
        Some(_) => Err(" in other than two dimensions"),
    }
}

/// Rows and columns around maps: the file has top, left, bottom, right.
fn explicit(node: &Node) -> Result<Padding, &'static str> {
    let sizes = match node.integers("pads") {
        None | Some([]) => return Ok(Padding::VALID),
        Some(pads) => pads.iter().map(|&pad| usize::try_from(pad).ok()).collect::<Option<Vec<_>>>(),
    };
    match sizes.as_deref() {
        Some(&[left, right]) => Ok(Padding::Explicit { top: 0, bottom: 0, left, right }),
        Some(&[top, left, bottom, right]) => Ok(Padding::Explicit { top, bottom, left, right }),
        _ => Err(" with negative padding"),
    }
}

/// As [`Padding::Same`], but the odd one goes to the top or left. Known where it is the same for pictures of
/// different sizes.
fn same_lower(reader: &Reader, source: NodeId, window: &Window) -> Result<Padding, &'static str> {
    const OF_SIZE: &str = " with padding SAME_LOWER that depends on the picture's size";
    let same = window.padded(Padding::Same);
    let pads = |picture: usize| {
        let shape = reader.shape(source, picture)?;
        let [rows, columns] = [same.span(0, shape.height)?, same.span(1, shape.width)?]
            .map(|span| [span.before, span.after]);
        Some(Padding::Explicit {
            top: rows[1],
            bottom: rows[0],
            left: columns[1],
            right: columns[0],
        })
    };
    let (first, second) = (pads(0).ok_or(OF_SIZE)?, pads(1).ok_or(OF_SIZE)?);
    if first == second { Ok(first) } else { Err(OF_SIZE) }
}
