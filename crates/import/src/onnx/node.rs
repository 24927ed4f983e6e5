//! A node with its attributes, and the name that its result has for people.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use super::branch::Branches;
use super::model::{damaged, entries};
use super::proto::{AttributeProto, NodeProto};
use super::tensor::Tensor;
use crate::ImportError;
use crate::content::Content;
use crate::kit::make_printable;

/// Attributes by their names. Those of a function's nodes are the same in all its calls.
pub(super) type Attributes = HashMap<String, Arc<Attribute>>;

/// An attribute, its tensor by itself.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) proto: AttributeProto,
    pub(super) tensor: Option<Tensor>,
}

impl Attribute {
    /// # Errors
    /// As [`Tensor::new`].
    pub(super) fn new(mut proto: AttributeProto, file: &Content) -> Result<Self, ImportError> {
        let tensor = proto.t.take().map(|tensor| Tensor::new(tensor, file)).transpose()?;
        Ok(Self { proto, tensor })
    }
}

/// The most modules that a node is said to be in.
const MAX_SCOPES: usize = 64;

/// A node of a graph.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What its result is called: see [`shown_name`].
    pub(super) name: String,
    /// The operation; those of other domains have theirs before it.
    pub(super) op: String,
    /// What tells functions of one name apart.
    pub(super) overload: String,
    /// The version of the operation's domain.
    pub(super) opset: i64,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// The same for all nodes that a function's node becomes.
    pub(super) attributes: Arc<Attributes>,
    /// The graphs inside it.
    pub(super) branches: Option<Box<Branches>>,
    /// The modules of the program that it is in, outermost first, where the exporter notes them.
    pub(super) scopes: Vec<String>,
}

/// Where PyTorch's exporter notes the modules, as a list in Python.
const SCOPES: &str = "pkg.torch.onnx.name_scopes";
/// How PyTorch's older exporter ends the name of a result.
const OUTPUT: &str = "_output_0";

impl Node {
    /// # Errors
    /// Attributes that cannot be unpacked.
    pub(super) fn new(
        node: NodeProto,
        domain: &str,
        opset: i64,
        file: &Content,
    ) -> Result<Self, ImportError> {
        let (mut inputs, mut outputs) = (node.input, node.output);
        inputs.iter_mut().chain(&mut outputs).for_each(make_printable);
        let op = operation(domain, &node.op_type.unwrap_or_default());
        let attributes = Arc::new(attributes(node.attribute, file)?);
        let notes = entries(&op, &node.metadata_props)?;
        let scopes = notes.get(SCOPES).map(|list| scopes(list)).unwrap_or_default();
        let mut own = node.name.unwrap_or_default();
        make_printable(&mut own);
        let name = shown_name(&own, &outputs);
        let overload = node.overload.unwrap_or_default();
        let branches = None;
        Ok(Self { name, op, overload, opset, inputs, outputs, attributes, branches, scopes })
    }

    /// This node of a function as `caller` calls it, under another name and on other values; `defaults` are for
    /// the attributes that the call leaves out.
    pub(super) fn called_by(
        &self,
        caller: &Node,
        defaults: &Attributes,
        name: String,
        inputs: Vec<String>,
        outputs: Vec<String>,
    ) -> Self {
        let given = |(name, attribute): (&String, &Arc<Attribute>)| {
            // The value of one of the function's own attributes.
            let attribute = match reference(attribute) {
                Some(own) => caller.attributes.get(own).or_else(|| defaults.get(own))?,
                None => attribute,
            };
            Some((name.clone(), Arc::clone(attribute)))
        };
        let attributes = match self.references() {
            0 => Arc::clone(&self.attributes),
            _ => Arc::new(self.attributes.iter().filter_map(given).collect()),
        };
        let mut scopes = caller.scopes.clone();
        scopes.extend(self.scopes.iter().take(MAX_SCOPES.saturating_sub(scopes.len())).cloned());
        let (op, overload, opset) = (self.op.clone(), self.overload.clone(), self.opset);
        // Graphs inside a function's nodes read what is in the function, under names that they do not have here.
        let branches = None;
        Self { name, op, overload, opset, inputs, outputs, attributes, branches, scopes }
    }

    /// How many attributes have to be looked at for each call, because some have the value of one of the
    /// function's own.
    pub(super) fn references(&self) -> usize {
        let refers = self.attributes.values().any(|attribute| reference(attribute).is_some());
        if refers { self.attributes.len() } else { 0 }
    }

    /// Bytes of all its names.
    pub(super) fn text_length(&self) -> usize {
        let names = self.inputs.iter().chain(&self.outputs).chain(&self.scopes);
        let own = [&self.name, &self.op, &self.overload];
        names.chain(own).fold(0, |sum, name| sum.saturating_add(name.len()))
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.get(name).map(|attribute| &attribute.proto)
    }

    /// Whether it has no attributes but these.
    pub(super) fn has_only(&self, names: &[&str]) -> bool {
        self.attributes.keys().all(|name| names.contains(&&**name))
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| &attribute.ints[..])
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.attribute(name)?.s.as_ref()?;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.attributes.get(name)?.tensor.as_ref()
    }
}

/// Attributes of a `file`, unpacked.
///
/// # Errors
/// What cannot be.
pub(super) fn attributes(list: Vec<Bytes>, file: &Content) -> Result<Attributes, ImportError> {
    let mut attributes = HashMap::new();
    for bytes in list {
        let mut attribute = AttributeProto::decode(bytes).map_err(damaged)?;
        let name = attribute.name.take().unwrap_or_default();
        attributes.insert(name, Arc::new(Attribute::new(attribute, file)?));
    }
    Ok(attributes)
}

/// The name of the function's attribute whose value this one has.
fn reference(attribute: &Attribute) -> Option<&str> {
    attribute.proto.ref_attr_name.as_deref().filter(|name| !name.is_empty())
}

/// An operation's name, with its domain before it unless that is ONNX's own.
pub(super) fn operation(domain: &str, name: &str) -> String {
    let mut operation =
        if domain.is_empty() { name.to_owned() } else { format!("{domain}.{name}") };
    make_printable(&mut operation);
    operation
}

/// A result's name without what exporters put behind it: that of the node, where it is told by it, and without
/// TensorFlow's number of the output.
fn shown_name(node: &str, outputs: &[String]) -> String {
    let Some(output) = outputs.iter().find(|output| !output.is_empty()) else { return node.into() };
    if output.strip_suffix(OUTPUT) == Some(node) && !node.is_empty() {
        return node.into();
    }
    output.strip_suffix(":0").filter(|name| !name.is_empty()).unwrap_or(output).into()
}

/// The module paths in a list as Python writes it: `['', 'layer1', 'layer1.0', 'add_2']`. The last is the
/// operation's own.
fn scopes(list: &str) -> Vec<String> {
    let names = list.split(['\'', '"']).skip(1).step_by(2);
    let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    names.pop();
    let mut names: Vec<String> = names.into_iter().take(MAX_SCOPES).map(String::from).collect();
    names.iter_mut().for_each(make_printable);
    names
}

#[cfg(test)]
impl Node {
    /// A node for tests, of ONNX's own operations.
    pub(super) fn of(op: &str, inputs: &[&str], output: &str) -> Self {
        let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (inputs, output) = (texts(inputs), texts(&[output]));
        let node =
            NodeProto { input: inputs, output, op_type: Some(op.into()), ..NodeProto::default() };
        Self::new(node, "", 13, &Vec::new().into()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_shown_by_the_names_that_people_know() {
        let shown = |node: &str, output: &str| shown_name(node, &[output.to_owned()]);
        assert_eq!(shown("/relu/Relu", "/relu/Relu_output_0"), "/relu/Relu");
        assert_eq!(shown("node_relu_1", "relu_1"), "relu_1");
        assert_eq!(shown("", "gpu_0/conv1_1"), "gpu_0/conv1_1");
        assert_eq!(shown("model/relu", "model/relu/Relu:0"), "model/relu/Relu");
    }

    #[test]
    fn modules_are_read_out_of_the_exporters_notes() {
        let list = "['', 'layer1', 'layer1.0', 'layer1.0.bn1', '_native_batch_norm']";
        assert_eq!(scopes(list), ["layer1", "layer1.0", "layer1.0.bn1"]);
        assert!(scopes("nothing").is_empty());
    }
}
