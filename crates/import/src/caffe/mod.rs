//! Caffe's networks: layers that read and write blobs by name, in the order in which they run.
//!
//! A blob's name means its value after the last layer that works on it in place, as in Caffe; such a
//! layer's own name means the same, and the name of a layer before it the value in between.
//! Layers for training alone are left out: data, losses, and heads beside the way to the main output.

mod blobs;
mod elementwise;
mod geometry;
mod layer;
mod ops;
mod proto;
mod prune;
mod schema;
pub(crate) mod text;

use std::collections::{HashMap, HashSet};

use graph::{ChannelOrder, Graph, InputSpec, NodeId, Op};
use prost::Message as _;

use crate::content::Content;
use crate::kit::{Assembly, MAX_NODES, make_printable, within};
use crate::wire::{Message, Part, skeleton};
use crate::{ImportError, printable};
use layer::{Blob, Layer};
use proto::{Net, V1Layer};

const FORMAT: &str = "Caffe model";
const FORMAT_TEXT: &str = "Caffe network description";

/// Where weights lie in a network, which is read without them: what is packed in an array becomes places in fields
/// of its own.
static NET: Message = Message(&[(2, Part::Message(&V1_LAYER)), (100, Part::Message(&LAYER))]);
static V1_LAYER: Message = Message(&[(6, Part::Message(&BLOB))]);
static LAYER: Message = Message(&[(7, Part::Message(&BLOB))]);
static BLOB: Message = Message(&[(5, Part::Large(1005)), (8, Part::Large(1008))]);

/// What a file gives.
pub(crate) struct Read {
    pub(crate) graph: Graph,
    /// What its data layer says of the input, if it says anything.
    pub(crate) input: Option<InputSpec>,
}

/// Reads a `.caffemodel`, structure and weights.
///
/// # Errors
/// A damaged file, weights that are missing or do not fit.
pub(crate) fn read(file: &Content) -> Result<Read, ImportError> {
    let net = net(file)?;
    let layers = layers(&net, file)?;
    build(&net, prune::choose(layers))
}

/// Reads the structure from a `.prototxt` and each layer's weights, by its name, from a `.caffemodel`.
///
/// # Errors
/// A damaged file, weights that are missing or do not fit.
pub(crate) fn read_pair(prototxt: &[u8], caffemodel: &Content) -> Result<Read, ImportError> {
    let described = text::read(prototxt)?;
    let trained = prune::choose(layers(&net(caffemodel)?, caffemodel)?);
    // Of several layers of one name, one runs: only that gets weights.
    let mut structure = prune::choose(layers(&described, &Vec::new().into())?);
    let trained = trained.into_iter().filter(|layer| !layer.blobs.is_empty());
    let mut blobs: HashMap<String, Vec<Blob>> = HashMap::new();
    for layer in trained {
        let name = layer.name.clone();
        if blobs.insert(name.clone(), layer.blobs).is_some() {
            return Err(ImportError::Duplicate { layer: name });
        }
    }
    let mut given = HashSet::new();
    for layer in &mut structure {
        if given.contains(&layer.name) {
            return Err(ImportError::Duplicate { layer: layer.name.clone() });
        }
        if let Some(own) = blobs.remove(&layer.name) {
            layer.blobs = own;
            given.insert(layer.name.clone());
        }
    }
    build(&described, structure)
}

fn damaged(error: prost::DecodeError) -> ImportError {
    ImportError::Damaged { format: FORMAT, problem: error.to_string() }
}

/// The network of a file, without its weights.
fn net(file: &Content) -> Result<Net, ImportError> {
    let broken = |problem: String| ImportError::Damaged { format: FORMAT, problem };
    Net::decode(skeleton(file, &NET).map_err(broken)?).map_err(damaged)
}

/// The layers of either format; their weights lie in `file`.
fn layers(net: &Net, file: &Content) -> Result<Vec<Layer>, ImportError> {
    let count = net.layer.len() + net.layers.len();
    within("the network", "the number of layers", count, 1, MAX_NODES)?;
    let mut layers = Vec::with_capacity(count);
    for bytes in &net.layers {
        let layer = V1Layer::decode(bytes.clone()).map_err(damaged)?;
        if layer.layer.is_some() {
            return Err(ImportError::Damaged {
                format: FORMAT,
                problem: "it is of Caffe's first format (V0); Caffe's own tool \
                          upgrade_net_proto_binary brings it up to date"
                    .into(),
            });
        }
        layers.push(Layer::new(layer.into(), file));
    }
    for bytes in &net.layer {
        let layer = proto::Layer::decode(bytes.clone()).map_err(damaged)?;
        layers.push(Layer::new(layer, file));
    }
    for layer in &mut layers {
        let layer = &mut **layer;
        let names = [&mut layer.name, &mut layer.r#type].into_iter();
        names.chain(&mut layer.bottom).chain(&mut layer.top).for_each(make_printable);
    }
    Ok(layers)
}

/// The blob the picture comes in, and all others that come from outside, with the channels where
/// they are said.
fn inputs(net: &Net, layers: &[Layer]) -> Vec<(String, Option<i64>)> {
    let mut found = Vec::new();
    for (index, name) in net.input.iter().enumerate() {
        let shape = net.input_shape.get(index).and_then(|shape| shape.dim.get(1));
        let dims = net.input_dim.get(index * 4 + 1);
        found.push((printable(name), shape.or(dims).copied()));
    }
    for layer in layers.iter().filter(|layer| prune::is_data(layer)) {
        let shapes = layer.input_param.as_ref().map_or(&[][..], |input| &input.shape);
        for (index, name) in layer.top.iter().enumerate() {
            let shape = shapes.get(index).or(shapes.first());
            found.push((name.clone(), shape.and_then(|shape| shape.dim.get(1)).copied()));
        }
    }
    if found.is_empty() {
        let tops: HashSet<&String> = layers.iter().flat_map(|layer| &layer.top).collect();
        let first = layers.iter().flat_map(|layer| &layer.bottom).find(|name| !tops.contains(name));
        found.extend(first.map(|name| (name.clone(), None)));
    }
    found
}

fn build(net: &Net, layers: Vec<Layer>) -> Result<Read, ImportError> {
    let inputs = inputs(net, &layers);
    let stated = layers.iter().find_map(input_spec);
    let layers = prune::prune(layers);
    let Some((picture, channels)) = inputs.first() else {
        let problem = "no layer reads anything from outside".into();
        return Err(ImportError::NoInput { problem });
    };
    let channels = channels.map_or(3, |channels| usize::try_from(channels).unwrap_or(0));
    let mut assembly = Assembly::new(picture, channels)?;
    let mut blobs = HashMap::from([(picture.clone(), assembly.input())]);
    for (name, _) in inputs.iter().skip(1) {
        if !blobs.contains_key(name) {
            let kind = "a second input".into();
            blobs.insert(name.clone(), assembly.add(name, Op::Unsupported { kind }, &[])?);
        }
    }
    let mut blob_names: HashSet<String> = blobs.keys().cloned().collect();
    blob_names.extend(layers.iter().flat_map(|layer| layer.top.iter().cloned()));

    for layer in &layers {
        let bottoms = layer
            .bottom
            .iter()
            .map(|name| {
                blobs.get(name).copied().ok_or_else(|| ImportError::MissingInput {
                    layer: layer.name.clone(),
                    input: name.clone(),
                })
            })
            .collect::<Result<Vec<NodeId>, ImportError>>()?;
        for (name, node) in ops::build(&mut assembly, layer, &bottoms)? {
            if layer.r#type != "Split" && !blob_names.contains(&layer.name) {
                assembly.alias(&layer.name, node);
            }
            blobs.insert(name, node);
        }
    }
    Ok(Read { graph: assembly.finish(), input: stated })
}

/// What a data layer says of the input: the mean in blue, green, red, and a factor after it.
fn input_spec(layer: &Layer) -> Option<InputSpec> {
    let transform = layer.transform_param.as_ref().filter(|_| prune::is_data(layer))?;
    let mean = match transform.mean_value[..] {
        [blue, green, red] => [blue, green, red],
        [one] => [one; 3],
        _ => return None,
    };
    let scale = [transform.scale.unwrap_or(1.0); 3];
    Some(InputSpec { order: ChannelOrder::Bgr, mean, scale })
}

#[cfg(test)]
mod tests;
