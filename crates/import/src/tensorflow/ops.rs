//! TensorFlow's operations: the table of their builders.

use graph::{Op, Pad, PadMode, Unary};

use super::channels::function;
use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, Reader, Value};
use super::{
    by_channel, channels, convolution, dense, entry, fold, geometry, normalise, pool, shape,
};
use crate::ImportError;
use crate::kit::within;

type Builder = fn(&Reader, &NodeDef, &[Value]) -> Result<Built, ImportError>;

/// Each operation with the least and the most inputs it can have.
const BUILDERS: &[(&str, [usize; 2], Builder)] = &[
    ("Add", [2, 2], by_channel::add),
    ("AddN", [1, usize::MAX], by_channel::add_all),
    ("AddV2", [2, 2], by_channel::add),
    ("AvgPool", [1, 1], pool::average_pool),
    ("BatchNormWithGlobalNormalization", [5, 5], normalise::global_normalization),
    ("BiasAdd", [2, 2], by_channel::bias_add),
    ("CheckNumerics", [1, 1], channels::identity),
    ("Concat", [2, usize::MAX], channels::concat),
    ("ConcatV2", [2, usize::MAX], channels::concat_v2),
    ("Conv2D", [2, 2], convolution::conv2d),
    ("Conv2DBackpropInput", [3, 3], geometry::transposed_convolution),
    ("DepthToSpace", [1, 1], geometry::depth_to_space),
    ("DepthwiseConv2dNative", [2, 2], convolution::depthwise),
    ("Div", [2, 2], by_channel::divide),
    ("Dropout", [1, 2], channels::identity),
    ("FusedBatchNorm", [5, 5], normalise::fused),
    ("FusedBatchNormV2", [5, 5], normalise::fused),
    ("FusedBatchNormV3", [5, 5], normalise::fused),
    ("GatherV2", [3, 3], geometry::gather),
    ("Identity", [1, 1], channels::identity),
    ("IdentityN", [1, usize::MAX], channels::identity),
    ("Elu", [1, 1], |_, node, inputs| function(node, inputs, Unary::Elu { alpha: 1.0 })),
    ("Erf", [1, 1], |_, node, inputs| function(node, inputs, Unary::Erf)),
    ("LRN", [1, 1], channels::lrn),
    ("LeakyRelu", [1, 1], channels::leaky_relu),
    ("MatMul", [2, 2], dense::matmul),
    ("Max", [2, 2], pool::largest),
    ("MaxPool", [1, 1], pool::max_pool),
    ("Maximum", [2, 2], by_channel::maximum),
    ("Mean", [2, 2], pool::mean),
    ("Minimum", [2, 2], by_channel::minimum),
    ("MirrorPad", [2, 2], geometry::mirror_pad),
    ("Mul", [2, 2], by_channel::multiply),
    ("Neg", [1, 1], by_channel::negate),
    ("Pad", [2, 2], convolution::pad),
    ("PadV2", [3, 3], geometry::pad_v2),
    ("PlaceholderWithDefault", [1, 1], channels::identity),
    ("RealDiv", [2, 2], by_channel::divide),
    ("Relu", [1, 1], channels::relu),
    ("Relu6", [1, 1], channels::relu6),
    ("Reshape", [2, 2], dense::reshape),
    ("ResizeBilinear", [2, 2], geometry::resize_bilinear),
    ("ResizeNearestNeighbor", [2, 2], geometry::resize_nearest),
    ("ReverseV2", [2, 2], geometry::reverse),
    ("Shape", [1, 1], shape::shape),
    ("Rsqrt", [1, 1], |_, node, inputs| function(node, inputs, Unary::Pow { exponent: -0.5 })),
    ("Sigmoid", [1, 1], |_, node, inputs| function(node, inputs, Unary::Sigmoid)),
    ("Slice", [3, 3], geometry::slice),
    ("Softmax", [1, 1], channels::softmax),
    ("SpaceToDepth", [1, 1], geometry::space_to_depth),
    ("Split", [2, 2], geometry::split),
    ("SplitV", [3, 3], geometry::split_v),
    ("Sqrt", [1, 1], |_, node, inputs| function(node, inputs, Unary::Sqrt)),
    ("Square", [1, 1], |_, node, inputs| function(node, inputs, Unary::Pow { exponent: 2.0 })),
    ("Squeeze", [1, 1], dense::squeeze),
    ("StopGradient", [1, 1], channels::identity),
    ("StridedSlice", [4, 4], shape::strided_slice),
    ("Sub", [2, 2], by_channel::subtract),
    ("Tanh", [1, 1], |_, node, inputs| function(node, inputs, Unary::Tanh)),
    ("Transpose", [2, 2], shape::transpose),
];

/// Words for what is not supported, that say why or what to do about it: how the operation's name begins,
/// and what follows it.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "Dequantize",
        " of what is not a constant with one range; use the network without quantisation",
    ),
    ("FakeQuant", ", which imitates quantisation; use the network before it was quantised"),
    ("Iterator", ", which reads training data; freeze the network for inference"),
    ("Merge", ", a switch between training and use; freeze the network for inference"),
    ("PartitionedCall", ", a function call; freeze the network so that functions are inlined"),
    ("Placeholder", ", a second input"),
    ("Quantize", "; use the network without quantisation"),
    ("ReadVariableOp", ", a variable outside the file; freeze the network"),
    (
        "StatefulPartitionedCall",
        ", a function call; freeze the network so that functions are inlined",
    ),
    ("Switch", ", a switch between training and use; freeze the network for inference"),
    ("VarHandleOp", ", a variable outside the file; freeze the network"),
    ("Variable", ", a variable outside the file; freeze the network"),
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
    if let Some(array) = fold::fold(reader, node, inputs) {
        return Ok(reader.add_constant(array.into()));
    }
    if let Some(value) = entry::step(reader, node, inputs) {
        reader.assembly.alias(&node.name, reader.assembly.input());
        return Ok(value);
    }
    let mut begun = Vec::with_capacity(inputs.len());
    for (input, text) in inputs.iter().zip(data_inputs(node)) {
        begun.push(match *input {
            Value::Entry { first, .. } => reader.begin(text, first)?,
            value => value,
        });
    }
    let inputs = &begun[..];
    let unsupported = |reader: &mut Reader, why: &str| reader.not_computed(node, inputs, why);
    let Some((.., [least, most], builder)) = BUILDERS.iter().find(|(name, ..)| *name == node.op)
    else {
        let why = UNSUPPORTED.iter().find(|(start, _)| node.op.starts_with(start));
        return unsupported(reader, why.map_or("", |(_, why)| why));
    };
    within(&node.name, "the number of its inputs", inputs.len(), *least, *most)?;
    let (op, nodes, form) = match builder(reader, node, inputs)? {
        Built::Op(op, nodes) => {
            let form = inputs.iter().find_map(|input| input.form());
            (op, nodes, form.unwrap_or(Form::Map(Layout::Last)))
        }
        Built::Laid(op, nodes, form) => (op, nodes, form),
        Built::Activation(activation, source) => {
            let form = inputs.iter().find_map(|input| input.form());
            let id = activation.add(&mut reader.assembly, &node.name, source)?;
            return Ok(Value::Node(id, form.unwrap_or(Form::Map(Layout::Last))));
        }
        Built::Same(value) => {
            if let Some(id) = value.node() {
                reader.assembly.alias(&node.name, id);
            }
            return Ok(value);
        }
        Built::Constant(array) => return Ok(reader.add_constant(array.into())),
        Built::Several(ops, nodes) => {
            let form = inputs.iter().find_map(|input| input.form());
            let form = form.unwrap_or(Form::Map(Layout::Last));
            let mut parts = Vec::with_capacity(ops.len());
            for (output, op) in ops.into_iter().enumerate() {
                let name = match output {
                    0 => node.name.clone(),
                    output => format!("{}:{output}", node.name),
                };
                parts.push(Value::Node(reader.assembly.add(&name, op, &nodes)?, form));
            }
            return Ok(reader.add_parts(parts));
        }
        Built::Chain(ops, mut source) => {
            let form = inputs.iter().find_map(|input| input.form());
            for op in ops {
                source = reader.assembly.add(&node.name, op, &[source])?;
            }
            return Ok(Value::Node(source, form.unwrap_or(Form::Map(Layout::Last))));
        }
        Built::Padded(source, pads, layout) => {
            let [top, bottom, left, right] = pads;
            let mode = PadMode::Constant(0.0);
            let pad = Pad { rows: [top, bottom], columns: [left, right], mode };
            let node = reader.assembly.add(&node.name, Op::Pad(pad), &[source])?;
            return Ok(Value::Padded { node, source, pads, layout });
        }
        Built::Unsupported(why) => return unsupported(reader, why),
    };
    Ok(Value::Node(reader.assembly.add(&node.name, op, &nodes)?, form))
}

/// The names of what a node reads, without those that only say what runs first.
fn data_inputs(node: &NodeDef) -> impl Iterator<Item = &String> {
    node.input.iter().filter(|input| !input.starts_with('^'))
}
