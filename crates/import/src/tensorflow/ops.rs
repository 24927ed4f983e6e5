//! TensorFlow's operations, one builder each.

use std::sync::Arc;

use graph::{AveragePool, Conv2d, Lrn, MaxPool, NodeId, Op, Padding, Window};

use super::proto::NodeDef;
use super::{Flat, Reader, Value, by_channel, dense, normalise};
use crate::ImportError;

/// What a builder makes of a node.
pub(super) enum Built {
    /// An operation on these inputs; its values lie as the first input's do.
    Op(Op, Vec<NodeId>),
    /// The same, with its values in rows or not in rows any more.
    Laid(Op, Vec<NodeId>, Option<Flat>),
    /// Nothing new: another name for a value.
    Same(Value),
    /// Zeros around a node.
    Padded(NodeId, [usize; 4]),
    /// What this program does not have, in a few words that go on from the operation's name.
    Unsupported(&'static str),
}

type Builder = fn(&Reader, &NodeDef, &[Value]) -> Result<Built, ImportError>;

const BUILDERS: &[(&str, Builder)] = &[
    ("Add", by_channel::add),
    ("AddV2", by_channel::add),
    ("AvgPool", average_pool),
    ("BatchNormWithGlobalNormalization", normalise::global_normalization),
    ("BiasAdd", by_channel::add),
    ("CheckNumerics", identity),
    ("Concat", concat),
    ("ConcatV2", concat_v2),
    ("Conv2D", conv2d),
    ("DepthwiseConv2dNative", depthwise),
    ("Dropout", identity),
    ("FusedBatchNorm", normalise::fused),
    ("FusedBatchNormV2", normalise::fused),
    ("FusedBatchNormV3", normalise::fused),
    ("Identity", identity),
    ("LRN", lrn),
    ("MatMul", dense::matmul),
    ("MaxPool", max_pool),
    ("Mean", mean),
    ("Mul", by_channel::multiply),
    ("Pad", pad),
    ("Relu", relu),
    ("Reshape", dense::reshape),
    ("Softmax", softmax),
    ("Squeeze", dense::squeeze),
    ("StopGradient", identity),
    ("Sub", by_channel::subtract),
];

/// Adds what `node` computes from `inputs`; a node that cannot be computed stands as unsupported.
///
/// # Errors
/// Weights that do not fit, numbers out of bounds.
pub(super) fn build(
    reader: &mut Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Value, ImportError> {
    let builder = BUILDERS.iter().find(|(name, _)| *name == node.op);
    let built = match builder {
        Some((_, builder)) => builder(reader, node, inputs)?,
        None => Built::Unsupported(""),
    };
    let unsupported = |reader: &mut Reader, why: &str| {
        let nodes: Vec<NodeId> = inputs.iter().filter_map(|input| input.node()).collect();
        reader.assembly.add(
            &node.name,
            Op::Unsupported { kind: format!("{}{why}", node.op) },
            &nodes,
        )
    };
    let (op, nodes, flat) = match built {
        Built::Op(op, nodes) => {
            let flat = inputs.iter().find_map(|input| match input {
                Value::Flat(_, flat) => Some(*flat),
                _ => None,
            });
            (op, nodes, flat)
        }
        Built::Laid(op, nodes, flat) => (op, nodes, flat),
        Built::Same(value) => {
            if let Some(id) = value.node() {
                reader.assembly.alias(&node.name, id);
            }
            return Ok(value);
        }
        Built::Padded(source, pads) => {
            let node = unsupported(reader, " that no convolution follows")?;
            return Ok(Value::Padded { node, source, pads });
        }
        Built::Unsupported(why) => return Ok(Value::Node(unsupported(reader, why)?)),
    };
    let id = reader.assembly.add(&node.name, op, &nodes)?;
    Ok(flat.map_or(Value::Node(id), |flat| Value::Flat(id, flat)))
}

/// The input at `index`, or [`ImportError::Layer`].
pub(super) fn input(node: &NodeDef, inputs: &[Value], index: usize) -> Result<Value, ImportError> {
    inputs.get(index).copied().ok_or_else(|| ImportError::Layer {
        layer: node.name.clone(),
        problem: format!("{} wants an input {index}, it has {}", node.op, inputs.len()),
    })
}

/// The input at `index` if it is a picture with channels, rows and columns.
fn plain(node: &NodeDef, inputs: &[Value], index: usize) -> Result<Option<NodeId>, ImportError> {
    Ok(match input(node, inputs, index)? {
        Value::Node(id) | Value::Padded { node: id, .. } => Some(id),
        _ => None,
    })
}

const NOT_PLAIN: Built = Built::Unsupported(" of what is no picture");

/// The window of a convolution or pool, or why there is none, as [`Built::Unsupported`] has it.
fn window(node: &NodeDef, kernel: [usize; 2]) -> Result<Window, &'static str> {
    if !matches!(node.text("data_format"), None | Some("NHWC")) {
        return Err(" in another order than NHWC");
    }
    let pair = |name: &str| match node.integers(name) {
        [] => Some([1, 1]),
        [1, rows, columns, 1] => {
            Some([usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?])
        }
        _ => None,
    };
    let (Some(stride), Some(dilation)) = (pair("strides"), pair("dilations")) else {
        return Err(" that steps over channels or pictures");
    };
    let padding = match (node.text("padding"), node.integers("explicit_paddings")) {
        (Some("SAME"), _) => Padding::Same,
        (Some("VALID"), _) => Padding::VALID,
        (Some("EXPLICIT"), [0, 0, pads @ .., 0, 0]) => match explicit(pads) {
            Some([top, bottom, left, right]) => Padding::Explicit { top, bottom, left, right },
            None => return Err(" with this padding"),
        },
        _ => return Err(" with this padding"),
    };
    Ok(Window { dilation, ..Window::new(kernel, stride) }.padded(padding))
}

fn explicit(pads: &[i64]) -> Option<[usize; 4]> {
    let pads: Option<Vec<usize>> = pads.iter().map(|&pad| usize::try_from(pad).ok()).collect();
    pads?.try_into().ok()
}

fn conv2d(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [height, width, in_channels, out_channels] = weights.four(&node.name)?;
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    // Weights for fewer channels than there are divide these into groups.
    let groups = match reader.assembly.channels(source) {
        Some(channels) if in_channels > 0 && channels.is_multiple_of(in_channels) => {
            channels / in_channels
        }
        _ => 1,
    };
    let conv = |window| Conv2d {
        window,
        out_channels,
        in_channels,
        groups,
        weights: Vec::new().into(),
        bias: Arc::default(),
    };
    match window(node, [height, width]) {
        Ok(window) => {
            let weights = weights.convolution(&node.name)?;
            convolution(Conv2d { weights, ..conv(window) }, source, inputs[0])
        }
        Err(why) => Ok(Built::Unsupported(why)),
    }
}

fn depthwise(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(weights) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [height, width, channels, times] = weights.four(&node.name)?;
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    let window = match window(node, [height, width]) {
        Ok(window) => window,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    let weights = weights.depthwise(&node.name)?;
    let conv = Conv2d {
        window,
        out_channels: channels.saturating_mul(times),
        in_channels: 1,
        groups: channels,
        weights,
        bias: Arc::default(),
    };
    convolution(conv, source, inputs[0])
}

/// The convolution without a bias yet, on its input or on what that pads.
fn convolution(mut conv: Conv2d, source: NodeId, input: Value) -> Result<Built, ImportError> {
    let mut source = source;
    if let (Value::Padded { source: inner, pads, .. }, Padding::VALID) =
        (input, conv.window.padding)
    {
        let [top, bottom, left, right] = pads;
        conv.window.padding = Padding::Explicit { top, bottom, left, right };
        source = inner;
    }
    conv.bias = vec![0.0; conv.out_channels].into();
    Ok(Built::Op(Op::Conv2d(conv), vec![source]))
}

fn pool_window(node: &NodeDef) -> Result<Window, &'static str> {
    match node.integers("ksize") {
        [1, rows, columns, 1] => match (usize::try_from(*rows), usize::try_from(*columns)) {
            (Ok(rows), Ok(columns)) => window(node, [rows, columns]),
            _ => Err(" of this size"),
        },
        _ => Err(" over channels or pictures"),
    }
}

fn max_pool(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    pool(node, inputs, |window| Op::MaxPool(MaxPool { window }))
}

fn average_pool(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    pool(node, inputs, |window| Op::AveragePool(AveragePool { window, count_padding: false }))
}

fn pool(node: &NodeDef, inputs: &[Value], op: impl Fn(Window) -> Op) -> Result<Built, ImportError> {
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    Ok(match pool_window(node) {
        Ok(window) => Built::Op(op(window), vec![source]),
        Err(why) => Built::Unsupported(why),
    })
}

fn relu(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)?.node() {
        Some(source) => Built::Op(Op::Relu, vec![source]),
        None => NOT_PLAIN,
    })
}

fn softmax(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(match input(node, inputs, 0)? {
        Value::Node(source) | Value::Flat(source, Flat::Position) => {
            Built::Op(Op::Softmax, vec![source])
        }
        _ => Built::Unsupported(" over all of a picture"),
    })
}

fn identity(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    Ok(Built::Same(input(node, inputs, 0)?))
}

/// `x / (bias + alpha · Σ x²)^beta` over `depth_radius` channels to each side.
fn lrn(_: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    let radius = usize::try_from(node.integer("depth_radius", 5)).unwrap_or(usize::MAX);
    let lrn = Lrn {
        size: radius.saturating_mul(2).saturating_add(1),
        alpha: node.float("alpha", 1.0),
        beta: node.float("beta", 0.5),
        bias: node.float("bias", 1.0),
    };
    Ok(Built::Op(Op::Lrn(lrn), vec![source]))
}

/// Joins the inputs; the axis comes first.
fn concat(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let axis = input(node, inputs, 0)?;
    join(reader, node, axis, &inputs[1..])
}

/// Joins the inputs; the axis comes last.
fn concat_v2(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let axis = input(node, inputs, inputs.len().saturating_sub(1))?;
    join(reader, node, axis, &inputs[..inputs.len() - 1])
}

fn join(
    reader: &Reader,
    node: &NodeDef,
    axis: Value,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(axis) = reader.constant(axis) else {
        return Ok(Built::Unsupported(" along a computed axis"));
    };
    let axis = axis.integers(&node.name)?;
    let channels = |input: &Value| match input {
        Value::Node(_) | Value::Padded { .. } => matches!(axis[..], [3 | -1]),
        Value::Flat(_, Flat::Position) => matches!(axis[..], [1 | -1]),
        _ => false,
    };
    if !inputs.iter().all(channels) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    Ok(Built::Op(Op::Concat, inputs.iter().filter_map(|input| input.node()).collect()))
}

/// Means over rows and columns.
fn mean(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    let Some(axes) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" over computed axes"));
    };
    if !matches!(axes.integers(&node.name)?[..], [1 | -3, 2 | -2] | [2 | -2, 1 | -3]) {
        return Ok(Built::Unsupported(" over other axes than rows and columns"));
    }
    let flat = (!node.bool("keep_dims", false)).then_some(Flat::Position);
    Ok(Built::Laid(Op::GlobalAveragePool, vec![source], flat))
}

/// Zeros around rows and columns.
fn pad(reader: &Reader, node: &NodeDef, inputs: &[Value]) -> Result<Built, ImportError> {
    let Some(source) = plain(node, inputs, 0)? else { return Ok(NOT_PLAIN) };
    let Some(pads) = reader.constant(input(node, inputs, 1)?) else {
        return Ok(Built::Unsupported(" by computed sizes"));
    };
    let pads = pads.integers(&node.name)?;
    Ok(match &pads[..] {
        [0, 0, pads @ .., 0, 0] => match explicit(pads) {
            Some(pads) => Built::Padded(source, pads),
            None => Built::Unsupported(" by these sizes"),
        },
        _ => Built::Unsupported(" of channels or pictures"),
    })
}
