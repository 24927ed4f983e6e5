//! ONNX: graphs of named values, weights as initializers, pictures as batch, channels, rows, columns.
//!
//! All opsets from 7 on are read. What is computed from constants and shapes alone is computed while reading,
//! and axes that are transposed, split and joined are followed ([`form`]) rather than moved. Layers have the
//! names of the nodes' results, and of the modules they come from where exporters say these.

mod arithmetic;
mod attention;
mod branch;
mod channels;
mod convolution;
mod elementwise;
mod entry;
mod external;
mod fold;
mod form;
mod functions;
mod fused;
mod fused_by_runtime;
mod groups;
mod input;
mod matrix;
mod meeting;
mod model;
mod names;
mod node;
mod normalise;
mod norms;
mod ops;
mod padded;
mod pool;
#[rustfmt::skip]
#[allow(unreachable_pub)]
mod proto;
#[cfg(test)]
mod node_tests;
mod quantised;
mod reader;
mod rearrange;
mod reduce;
mod resample;
mod shape;
mod statistics;
mod tensor;
#[cfg(test)]
mod tests;
mod tokens;
mod transpose;
mod whole_ops;

use std::collections::HashMap;
use std::sync::Arc;

use graph::{Graph, InputSpec};

use crate::ImportError;
use crate::content::Content;
use crate::kit::{Assembly, first_obstacle, order};
use external::External;
use model::Model;
use node::Node;
use reader::{Reader, Value};
use tensor::Constant;

pub(crate) use external::Sibling;

const FORMAT: &str = "ONNX model";

/// What to do about a node that no layer works without.
const WAY_OUT: &str = "Export the network without it, or use another";

/// What stands for an input that a node reads and no node or weight is.
const NOT_IN_THE_FILE: &str =
    "an input that nothing in the file makes (sparse weights are not read)";

/// What a file gives.
pub(crate) struct Read {
    pub(crate) graph: Graph,
    /// What the graph itself says about its input, if anything.
    pub(crate) stated: Option<InputSpec>,
    /// What is usual for the program that wrote it.
    pub(crate) usual: InputSpec,
    /// The names of classes, if the file has them.
    pub(crate) labels: Vec<String>,
    /// The files beside it that it has weights in, with their contents.
    pub(crate) siblings: Vec<(String, Content)>,
}

/// Reads a model; `sibling` gives the files beside it that weights may be in.
///
/// # Errors
/// A damaged file, a graph with a cycle, weights that do not fit or are missing, no input for a picture.
pub(crate) fn read(file: &Content, sibling: Sibling<'_>) -> Result<Read, ImportError> {
    let mut model = Model::read(file)?;
    names::name(&mut model.nodes);
    let mut external = External::new(sibling);
    for (name, tensor) in &mut model.initializers {
        external.fetch(name, tensor)?;
    }
    let picture = input::find(&model)?;
    let assembly = Assembly::new(&picture.name, 3)?;
    let size = file.len().saturating_add(external.size());
    let mut reader = Reader::new(assembly, picture.sizes(), size);
    reader.batch = picture.batch;
    reader.is_fixed = picture.is_fixed();
    reader.set(&picture.name, Value::Entry(Arc::new(picture.entry)));
    let mut weights: Vec<_> = model.initializers.drain().collect();
    weights.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, tensor) in weights {
        let value = match Constant::new(tensor) {
            Some(constant) => Value::Constant(Arc::new(constant)),
            None => reader.unsupported(&name, "weights of an impossible shape".into(), &[])?,
        };
        reader.set(&name, value);
    }
    for input in &model.inputs {
        if reader.get(&input.name).is_none() {
            let value = reader.unsupported(&input.name, "a second input".into(), &[])?;
            reader.set(&input.name, value);
        }
    }
    let missing = build(&mut reader, &mut model.nodes, &mut external)?;
    names::alias(&mut reader, &model.nodes);

    let wanted = reader.input.filter(|input| *input != InputSpec::default());
    let usual = statistics::usual(&model.producer, &picture.name, picture.channels_last);
    let stated = wanted.and_then(statistics::stated);
    let graph = reader.assembly.finish();
    let obstacle = || missing.or_else(|| first_obstacle(&graph, WAY_OUT));
    match graph.layers().is_empty().then(obstacle).flatten() {
        Some(obstacle) => Err(obstacle),
        None => Ok(Read {
            graph,
            usual: statistics::before(usual, wanted),
            stated,
            labels: statistics::labels(&model.metadata),
            siblings: external.into_files(),
        }),
    }
}

/// Builds every node, inputs first. What nodes read but nobody makes stands as unsupported; the first of it is
/// returned.
fn build(
    reader: &mut Reader,
    nodes: &mut [Node],
    external: &mut External<'_>,
) -> Result<Option<ImportError>, ImportError> {
    let mut makers = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            if makers.insert(output.clone(), place).is_some() || reader.get(output).is_some() {
                return Err(ImportError::Duplicate { layer: output.clone() });
            }
        }
    }
    let mut missing = None;
    let mut inputs = Vec::with_capacity(nodes.len());
    for node in nodes.iter() {
        let mut places = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            match makers.get(input) {
                Some(&place) => places.push(place),
                None if reader.get(input).is_some() => {}
                None => {
                    let kind = NOT_IN_THE_FILE.to_owned();
                    let value = reader.unsupported(input, kind, &[])?;
                    reader.set(input, value);
                    let (layer, input) = (node.name.clone(), input.clone());
                    missing.get_or_insert(ImportError::MissingInput { layer, input });
                }
            }
        }
        let reads = node.branches.iter().flat_map(|branches| branches.reads());
        places.extend(reads.filter_map(|read| makers.get(read)));
        inputs.push(places);
    }
    let order =
        order(&inputs).map_err(|place| ImportError::Cycle { layer: nodes[place].name.clone() })?;
    for place in order {
        let node = &mut nodes[place];
        external.fetch_attributes(node)?;
        let inputs: Vec<Value> =
            node.inputs.iter().map(|input| reader.get(input).unwrap_or(Value::Nothing)).collect();
        let outputs = match (node.branches.take(), &inputs[..]) {
            (Some(branches), [condition]) => {
                branch::outputs(reader, node, *branches, condition, external)?
            }
            _ => ops::build(reader, node, &inputs)?,
        };
        for (name, value) in node.outputs.iter().zip(outputs) {
            if let [id] = value.ids()[..]
                && !matches!(value, Value::Padded(_))
            {
                reader.assembly.alias(name, id);
            }
            reader.set(name, value);
        }
    }
    Ok(missing)
}
