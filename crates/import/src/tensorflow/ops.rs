//! TensorFlow's operations: the table of their builders.

use graph::{NodeId, Op};

use super::proto::NodeDef;
use super::reader::{Built, Reader, Value};
use super::{by_channel, channels, convolution, dense, fold, normalise, pool, shape};
use crate::ImportError;

type Builder = fn(&Reader, &NodeDef, &[Value]) -> Result<Built, ImportError>;

const BUILDERS: &[(&str, Builder)] = &[
    ("Add", by_channel::add),
    ("AddV2", by_channel::add),
    ("AvgPool", pool::average_pool),
    ("BatchNormWithGlobalNormalization", normalise::global_normalization),
    ("BiasAdd", by_channel::add),
    ("CheckNumerics", channels::identity),
    ("Concat", channels::concat),
    ("ConcatV2", channels::concat_v2),
    ("Conv2D", convolution::conv2d),
    ("DepthwiseConv2dNative", convolution::depthwise),
    ("Dropout", channels::identity),
    ("FusedBatchNorm", normalise::fused),
    ("FusedBatchNormV2", normalise::fused),
    ("FusedBatchNormV3", normalise::fused),
    ("Identity", channels::identity),
    ("LRN", channels::lrn),
    ("MatMul", dense::matmul),
    ("MaxPool", pool::max_pool),
    ("Mean", pool::mean),
    ("Mul", by_channel::multiply),
    ("Pad", convolution::pad),
    ("Relu", channels::relu),
    ("Reshape", dense::reshape),
    ("Shape", shape::shape),
    ("Softmax", channels::softmax),
    ("Squeeze", dense::squeeze),
    ("StopGradient", channels::identity),
    ("StridedSlice", shape::strided_slice),
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
    if let Some(array) = fold::fold(reader, node, inputs) {
        return Ok(reader.add_constant(array.into()));
    }
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
        Built::Constant(array) => return Ok(reader.add_constant(array.into())),
        Built::Padded(source, pads) => {
            let node = unsupported(reader, " that no convolution or pool follows")?;
            return Ok(Value::Padded { node, source, pads });
        }
        Built::Unsupported(why) => return Ok(Value::Node(unsupported(reader, why)?)),
    };
    let id = reader.assembly.add(&node.name, op, &nodes)?;
    Ok(flat.map_or(Value::Node(id), |flat| Value::Flat(id, flat)))
}
