//! ONNX's operations: the table of their builders.

use super::node::Node;
use super::reader::{Built, Reader, Value};
use super::{
    arithmetic, attention, channels, convolution, elementwise, entry, fold, fused_by_runtime,
    matrix, meeting, normalise, norms, padded, pool, quantised, reduce, resample, shape, transpose,
};
use crate::ImportError;
use crate::kit::within;

type Builder = fn(&mut Reader, &Node, &[Value]) -> Result<Built, ImportError>;

const ANY: usize = usize::MAX;

/// Each operation with the least and the most inputs it can have.
const BUILDERS: &[(&str, [usize; 2], Builder)] = &[
    ("Abs", [1, 1], elementwise::unary),
    ("Add", [2, 2], arithmetic::add),
    ("Attention", [3, 7], attention::whole),
    ("AveragePool", [1, 1], pool::average),
    ("BatchNormalization", [5, 5], normalise::batch),
    ("Cast", [1, 1], elementwise::cast),
    ("CastLike", [2, 2], elementwise::cast_like),
    ("Celu", [1, 1], elementwise::scaled),
    ("Clip", [1, 3], elementwise::clip),
    ("Concat", [1, ANY], channels::concat),
    ("Conv", [2, 3], convolution::conv),
    ("ConvTranspose", [2, 3], transpose::conv_transpose),
    ("DepthToSpace", [1, 1], resample::depth_to_space),
    ("Div", [2, 2], arithmetic::divide),
    ("Dropout", [1, 3], shape::identity),
    ("Elu", [1, 1], elementwise::unary),
    ("Erf", [1, 1], elementwise::unary),
    ("Expand", [2, 2], shape::expand),
    ("Flatten", [1, 1], shape::flatten),
    ("Gather", [2, 2], channels::gather),
    ("GatherND", [2, 2], channels::gather_nd),
    ("Gelu", [1, 1], elementwise::unary),
    ("Gemm", [2, 3], matrix::gemm),
    ("GlobalAveragePool", [1, 1], reduce::global),
    ("GlobalMaxPool", [1, 1], reduce::global),
    ("GroupNormalization", [3, 3], norms::group),
    ("HardSigmoid", [1, 1], elementwise::unary),
    ("HardSwish", [1, 1], elementwise::unary),
    ("Identity", [1, 1], shape::identity),
    ("InstanceNormalization", [3, 3], norms::instance),
    ("LRN", [1, 1], normalise::lrn),
    ("LayerNormalization", [2, 3], norms::layer),
    ("LeakyRelu", [1, 1], elementwise::unary),
    ("MatMul", [2, 2], matrix::matmul),
    ("Max", [1, ANY], elementwise::bound),
    ("MaxPool", [1, 1], pool::max),
    ("Mean", [1, ANY], arithmetic::mean),
    ("Min", [1, ANY], elementwise::bound),
    ("Mish", [1, 1], elementwise::unary),
    ("Mul", [2, 2], arithmetic::multiply),
    ("Neg", [1, 1], arithmetic::negate),
    ("PRelu", [2, 2], elementwise::prelu),
    ("Pad", [1, 4], resample::pad),
    ("Pow", [2, 2], elementwise::power),
    ("Reciprocal", [1, 1], elementwise::unary),
    ("ReduceL2", [1, 2], reduce::length),
    ("ReduceMax", [1, 2], reduce::reduce),
    ("ReduceMean", [1, 2], reduce::reduce),
    ("ReduceSum", [1, 2], reduce::reduce),
    ("ReduceSumSquare", [1, 2], reduce::length),
    ("Relu", [1, 1], elementwise::relu),
    ("Reshape", [1, 2], shape::reshape),
    ("Resize", [1, 4], resample::resize),
    ("Selu", [1, 1], elementwise::scaled),
    ("SequenceAt", [2, 2], channels::sequence_at),
    ("Shape", [1, 1], shape::shape),
    ("Sigmoid", [1, 1], elementwise::unary),
    ("Size", [1, 1], shape::size),
    ("Slice", [1, 5], channels::slice),
    ("Softmax", [1, 1], normalise::softmax),
    ("Softplus", [1, 1], elementwise::unary),
    ("SpaceToDepth", [1, 1], resample::depth_to_space),
    ("Split", [1, 2], channels::split),
    ("SplitToSequence", [1, 2], channels::split_to_sequence),
    ("Sqrt", [1, 1], elementwise::unary),
    ("Squeeze", [1, 2], shape::squeeze),
    ("Sub", [2, 2], arithmetic::subtract),
    ("Sum", [1, ANY], arithmetic::sum),
    ("Swish", [1, 1], elementwise::scaled),
    ("Tanh", [1, 1], elementwise::unary),
    ("Transpose", [1, 1], shape::transpose),
    ("Unsqueeze", [1, 2], shape::unsqueeze),
    ("Upsample", [1, 2], resample::resize),
    ("com.microsoft.BiasGelu", [2, 2], fused_by_runtime::bias_gelu),
    ("com.microsoft.FusedConv", [2, 4], fused_by_runtime::conv),
    ("com.microsoft.Gelu", [1, 1], elementwise::unary),
    ("com.microsoft.QuickGelu", [1, 1], elementwise::scaled),
];

/// Words for what is not supported, that say why or what to do about it: how the operation's name begins,
/// and what follows it.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("DequantizeLinear", " of what is computed; use the network without quantisation"),
    ("DynamicQuantizeLinear", "; use the network without quantisation"),
    ("If", ", a branch; export the network for one way"),
    ("Loop", ", a loop; export the network without loops"),
    ("MatMulInteger", "; use the network without quantisation"),
    ("QLinear", "; use the network without quantisation"),
    ("QuantizeLinear", "; use the network without quantisation"),
    ("com.microsoft.QLinear", "; use the network without quantisation"),
    ("Scan", ", a loop; export the network without loops"),
    (
        "com.microsoft.",
        ", an operation of ONNX Runtime alone; use the network before it was optimised for that",
    ),
];

/// What is known of a node's outputs, one for each; what cannot be computed stands as unsupported.
///
/// # Errors
/// Weights that do not fit, numbers out of bounds.
pub(super) fn build(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Vec<Value>, ImportError> {
    let mut values = computed(reader, node, inputs)?;
    for name in node.outputs.iter().skip(values.len()) {
        let ids: Vec<_> = inputs.iter().flat_map(Value::ids).collect();
        values.push(match name.is_empty() {
            true => Value::Nothing,
            false => {
                let kind = format!("a further output of {}", node.op);
                reader.unsupported(name, kind, &ids)?
            }
        });
    }
    Ok(values)
}

/// As [`build`], of as many outputs as there are values for.
fn computed(reader: &mut Reader, node: &Node, inputs: &[Value]) -> Result<Vec<Value>, ImportError> {
    if inputs.iter().any(|input| matches!(input, Value::Entry(_)))
        && let Some(values) = entry::step(reader, node, inputs)
    {
        return Ok(values);
    }
    let mut begun = Vec::with_capacity(inputs.len());
    for input in inputs {
        begun.push(match input {
            Value::Entry(entry) => reader.begin(&node.name, entry)?,
            value => value.clone(),
        });
    }
    for input in &mut begun {
        if let Value::Padded(padded) = input
            && padded.rounds_up(reader)
        {
            *input = Value::Node(padded.source, reader.map_form(padded.source));
        }
    }
    if let Some(built) = quantised::step(reader, node, &begun)? {
        return finished(reader, node, &begun, built);
    }
    let mut unsupported = |why: &str| -> Result<Vec<Value>, ImportError> {
        let ids: Vec<_> = begun.iter().flat_map(Value::ids).collect();
        let value = reader.unsupported(&node.name, format!("{}{why}", node.op), &ids)?;
        Ok(vec![value; node.outputs.len()])
    };
    let unknown = |input: &Value| match input {
        Value::Sequence(values) => values.iter().any(|value| matches!(value, Value::Unknown(_))),
        value => matches!(value, Value::Unknown(_)),
    };
    if begun.iter().any(unknown) {
        return unsupported(" of what is not supported");
    }
    let known =
        |input: &Value| matches!(input, Value::Nothing | Value::Constant(_) | Value::Sized(..));
    if begun.iter().all(known) {
        return match fold::fold(reader, node, &begun) {
            Some(values) => Ok(values),
            None => unsupported_constant(reader, node),
        };
    }
    let padded = |input: &Value| matches!(input, Value::Padded(_));
    let built = if begun.iter().any(padded) && !["Conv", "MaxPool"].contains(&&*node.op) {
        padded::OTHER
    } else if begun.iter().any(|input| matches!(input, Value::Scores(_))) {
        attention::step(reader, node, &begun)?
    } else {
        let builder = BUILDERS.iter().find(|(name, ..)| *name == node.op);
        let Some((.., [least, most], builder)) = builder else {
            let why = UNSUPPORTED.iter().find(|(start, _)| node.op.starts_with(start));
            return unsupported(why.map_or("", |(_, why)| why));
        };
        within(&node.name, "the number of its inputs", inputs.len(), *least, *most)?;
        begun = meeting::fitted(reader, node, begun)?;
        builder(reader, node, &begun)?
    };
    finished(reader, node, &begun, built)
}

/// The values of a node's outputs, of what its builder has made of its `inputs`.
fn finished(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
    built: Built,
) -> Result<Vec<Value>, ImportError> {
    Ok(match built {
        Built::Op(op, inputs, form) => {
            let id = reader.add(&node.name, op, &inputs)?;
            vec![Value::Node(id, reader.settled(id, form))]
        }
        Built::Map(op, inputs) => {
            let id = reader.add(&node.name, op, &inputs)?;
            vec![Value::Node(id, reader.map_form(id))]
        }
        Built::Values(values) => values,
        Built::Unsupported(why) => {
            let ids: Vec<_> = inputs.iter().flat_map(Value::ids).collect();
            let value = reader.unsupported(&node.name, format!("{}{why}", node.op), &ids)?;
            vec![value; node.outputs.len()]
        }
    })
}

/// A node of constants that cannot be computed.
fn unsupported_constant(reader: &mut Reader, node: &Node) -> Result<Vec<Value>, ImportError> {
    let value = reader.unsupported(&node.name, format!("{} of constants", node.op), &[])?;
    Ok(vec![value; node.outputs.len()])
}
