//! What a file holds, unpacked: nodes, weights, inputs. Everything is counted before it is unpacked.

use std::collections::HashMap;

use prost::Message as _;
use prost::bytes::Bytes;

use super::FORMAT;
use super::branch::Branches;
use super::functions::inlined;
use super::node::{Attributes, Node, attributes, operation};
use super::proto::tensor_shape_proto::{Dimension, dimension};
use super::proto::{
    FunctionProto, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    ValueInfoProto, type_proto,
};
use super::tensor::Tensor;
use crate::ImportError;
use crate::content::Content;
use crate::kit::{MAX_NODES, MAX_RANK, make_printable, within};
use crate::wire::{Message, Part, skeleton};

/// The most weights, inputs, attributes and other things of a file.
const MAX_PARTS: usize = 1 << 17;
/// The most domains of operations.
const MAX_DOMAINS: usize = 256;
/// The most inputs, and the most outputs, of a function.
const MAX_FORMALS: usize = 1024;

/// Where tensors lie in a model, which is read without their values.
static MODEL: Message = Message(&[(7, Part::Message(&GRAPH)), (25, Part::Message(&FUNCTION))]);
static GRAPH: Message = Message(&[(1, Part::Message(&NODE)), (5, Part::Message(&TENSOR))]);
static NODE: Message = Message(&[(5, Part::Message(&ATTRIBUTE))]);
static FUNCTION: Message = Message(&[(7, Part::Message(&NODE)), (11, Part::Message(&ATTRIBUTE))]);
static ATTRIBUTE: Message = Message(&[(5, Part::Message(&TENSOR)), (6, Part::Message(&GRAPH))]);
/// The raw data of a tensor becomes the place where it lies. Numbers that are packed are the same bytes.
pub(super) static TENSOR: Message =
    Message(&[(4, Part::Large(9)), (9, Part::Large(9)), (10, Part::Large(9))]);

/// A file, unpacked.
pub(super) struct Model {
    pub(super) nodes: Vec<Node>,
    pub(super) initializers: HashMap<String, Tensor>,
    pub(super) inputs: Vec<Input>,
    #[cfg(test)]
    pub(super) outputs: Vec<String>,
    /// The program that wrote it.
    pub(super) producer: String,
    /// What the writer noted, by names.
    pub(super) metadata: HashMap<String, String>,
}

/// What a graph is given.
pub(super) struct Input {
    pub(super) name: String,
    /// The number of a type of tensors, 0 where it is not said.
    pub(super) elements: i32,
    /// Its sizes as far as they are said; `None` where not even their number is.
    pub(super) sizes: Option<Vec<Option<usize>>>,
}

/// The functions of a file by their operations and what tells those of one name apart.
pub(super) type Functions = HashMap<(String, String), Function>;

/// A function of the file itself: nodes that stand for one.
pub(super) struct Function {
    /// The values of attributes that a call may leave out.
    pub(super) defaults: Attributes,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) nodes: Vec<Node>,
}

/// The versions of each domain's operations.
pub(super) type Opsets = HashMap<String, i64>;

pub(super) fn damaged(error: impl ToString) -> ImportError {
    ImportError::Damaged { format: FORMAT, problem: error.to_string() }
}

fn decode<M: prost::Message + Default>(bytes: &Bytes) -> Result<M, ImportError> {
    M::decode(bytes.clone()).map_err(damaged)
}

impl Model {
    /// # Errors
    /// What is no ONNX, or has more parts than any network.
    pub(super) fn read(file: &Content) -> Result<Self, ImportError> {
        let model =
            ModelProto::decode(skeleton(file, &MODEL).map_err(damaged)?).map_err(damaged)?;
        let graph = model.graph.ok_or_else(|| damaged("it has no graph"))?;
        let opsets = opsets(&model.opset_import)?;
        let mut functions = Functions::new();
        let mut parts = Parts::new(file.clone());
        within("the model", "the number of functions", model.functions.len(), 0, MAX_NODES)?;
        for bytes in &model.functions {
            let function: FunctionProto = decode(bytes)?;
            let own = opsets_of(&function, &opsets)?;
            let op = operation(&domain(function.domain), &function.name.unwrap_or_default());
            let overload = function.overload.unwrap_or_default();
            parts.count_attributes(&op, function.attribute_proto.len())?;
            within(&op, "the number of its inputs", function.input.len(), 0, MAX_FORMALS)?;
            within(&op, "the number of its outputs", function.output.len(), 0, MAX_FORMALS)?;
            let function = Function {
                nodes: nodes(&function.node, &own, &mut parts, 0)?,
                defaults: attributes(function.attribute_proto, file)?,
                inputs: function.input,
                outputs: function.output,
            };
            functions.insert((op, overload), function);
        }
        let nodes = nodes(&graph.node, &opsets, &mut parts, 0)?;
        within("the graph", "the number of nodes", nodes.len(), 1, MAX_NODES)?;
        Ok(Self {
            nodes: inlined(nodes, &functions)?,
            initializers: initializers(&graph, &mut parts)?,
            inputs: inputs(&graph.input, &mut parts)?,
            #[cfg(test)]
            outputs: named(&graph.output, &mut parts)?,
            producer: model.producer_name.unwrap_or_default(),
            metadata: entries("the model", &model.metadata_props)?,
        })
    }
}

fn opsets(list: &[Bytes]) -> Result<Opsets, ImportError> {
    within("the model", "the number of domains", list.len(), 0, MAX_DOMAINS)?;
    let mut opsets = HashMap::new();
    for bytes in list {
        let opset: OperatorSetIdProto = decode(bytes)?;
        opsets.insert(domain(opset.domain), opset.version.unwrap_or(1));
    }
    Ok(opsets)
}

/// A function's own versions, or else the model's.
fn opsets_of(function: &FunctionProto, model: &Opsets) -> Result<Opsets, ImportError> {
    let mut opsets = model.clone();
    opsets.extend(self::opsets(&function.opset_import)?);
    Ok(opsets)
}

/// A domain by its short name.
fn domain(name: Option<String>) -> String {
    name.filter(|name| name != "ai.onnx").unwrap_or_default()
}

/// What has been unpacked so far.
pub(super) struct Parts {
    /// The file that it is from.
    file: Content,
    nodes: usize,
    attributes: usize,
    weights: usize,
    /// Inputs and outputs of graphs.
    ends: usize,
}

impl Parts {
    fn new(file: Content) -> Self {
        Self { file, nodes: 0, attributes: 0, weights: 0, ends: 0 }
    }

    fn count_attributes(&mut self, name: &str, count: usize) -> Result<(), ImportError> {
        self.attributes = self.attributes.saturating_add(count);
        within(name, "the number of attributes so far", self.attributes, 0, MAX_PARTS)
    }
}

/// Nodes, and those in the graphs inside them; they lie inside `depth` graphs.
///
/// # Errors
/// What cannot be unpacked, or is too many.
pub(super) fn nodes(
    list: &[Bytes],
    opsets: &Opsets,
    parts: &mut Parts,
    depth: usize,
) -> Result<Vec<Node>, ImportError> {
    parts.nodes = parts.nodes.saturating_add(list.len());
    within("the graph", "the number of nodes", parts.nodes, 0, MAX_NODES)?;
    let mut nodes = Vec::with_capacity(list.len());
    for bytes in list {
        let node: super::proto::NodeProto = decode(bytes)?;
        let name = node.name.clone().unwrap_or_default();
        parts.count_attributes(&name, node.attribute.len())?;
        let domain = domain(node.domain.clone());
        let opset = opsets.get(&domain).copied().unwrap_or(1);
        let mut node = Node::new(node, &domain, opset, &parts.file)?;
        node.branches = Branches::of(&node, opsets, parts, depth)?;
        nodes.push(node);
    }
    Ok(nodes)
}

/// The weights of a graph.
///
/// # Errors
/// What cannot be unpacked, or is too many.
pub(super) fn initializers(
    graph: &GraphProto,
    parts: &mut Parts,
) -> Result<HashMap<String, Tensor>, ImportError> {
    parts.weights = parts.weights.saturating_add(graph.initializer.len());
    within("the graph", "the number of weights so far", parts.weights, 0, MAX_PARTS)?;
    let mut initializers = HashMap::new();
    for bytes in &graph.initializer {
        let mut tensor: TensorProto = decode(bytes)?;
        let mut name = tensor.name.take().unwrap_or_default();
        make_printable(&mut name);
        initializers.insert(name, Tensor::new(tensor, &parts.file)?);
    }
    Ok(initializers)
}

fn inputs(list: &[Bytes], parts: &mut Parts) -> Result<Vec<Input>, ImportError> {
    parts.ends = parts.ends.saturating_add(list.len());
    within("the graph", "the number of inputs and outputs so far", parts.ends, 0, MAX_PARTS)?;
    list.iter().map(input).collect()
}

/// The names of a graph's outputs.
///
/// # Errors
/// What cannot be unpacked, or is too many.
pub(super) fn named(list: &[Bytes], parts: &mut Parts) -> Result<Vec<String>, ImportError> {
    Ok(inputs(list, parts)?.into_iter().map(|output| output.name).collect())
}

fn input(bytes: &Bytes) -> Result<Input, ImportError> {
    let info: ValueInfoProto = decode(bytes)?;
    let mut name = info.name.unwrap_or_default();
    make_printable(&mut name);
    let tensor = match info.r#type.and_then(|kind| kind.value) {
        Some(type_proto::Value::TensorType(tensor)) => tensor,
        None => return Ok(Input { name, elements: 0, sizes: None }),
    };
    let mut sizes = None;
    if let Some(shape) = tensor.shape {
        within(&name, "the number of dimensions", shape.dim.len(), 0, MAX_RANK)?;
        let size = |bytes: &Bytes| {
            let dim: Dimension = decode(bytes)?;
            Ok(match dim.value {
                // Some exporters write 0 or −1 for what is free.
                Some(dimension::Value::DimValue(size)) if size > 0 => usize::try_from(size).ok(),
                _ => None,
            })
        };
        sizes = Some(shape.dim.iter().map(size).collect::<Result<_, ImportError>>()?);
    }
    Ok(Input { name, elements: tensor.elem_type.unwrap_or(0), sizes })
}

/// Texts by names.
pub(super) fn entries(place: &str, list: &[Bytes]) -> Result<HashMap<String, String>, ImportError> {
    within(place, "the number of notes", list.len(), 0, MAX_PARTS)?;
    let mut entries = HashMap::new();
    for bytes in list {
        let entry: StringStringEntryProto = decode(bytes)?;
        entries.insert(entry.key.unwrap_or_default(), entry.value.unwrap_or_default());
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_outputs_of_all_graphs_are_counted_together() {
        let half = vec![Bytes::new(); MAX_PARTS / 2 + 1];
        let parts = &mut Parts::new(Vec::new().into());
        assert!(named(&half, parts).is_ok() && named(&half, parts).is_err());
        let graph = GraphProto { initializer: half, ..GraphProto::default() };
        assert!(initializers(&graph, parts).is_ok() && initializers(&graph, parts).is_err());
    }
}
