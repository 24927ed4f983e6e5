//! Which format a model file has, from what is in it; its name does not count.

use prost::Message;

use crate::content::Content;
use crate::kinds::{GLANCE, of_start, of_text, of_whole, other, text};
use crate::tensorflow::{NODE, proto::NodeDef};
use crate::torch::{self, Container};
use crate::wire::{Field, Fields, skeleton};
use crate::{ImportError, kinds};

/// A format this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tensors by name, without a structure.
    Safetensors,
    /// The same, as PyTorch saves them.
    Torch(Container),
    /// TensorFlow's frozen graph.
    GraphDef,
    /// Caffe's network with its weights.
    Caffemodel,
    /// Caffe's structure without weights, as text.
    Prototxt,
    /// ONNX's graph with its weights.
    Onnx,
}

/// The most fields of a protocol buffer that are looked at to tell what it is.
const MAX_FIELDS: usize = 50_000;

/// Finds the format.
///
/// # Errors
/// [`ImportError::OtherKind`] or [`ImportError::Unknown`] for what is no model, [`ImportError::Damaged`] for
/// what breaks off.
pub(crate) fn detect(content: &Content) -> Result<Format, ImportError> {
    let start = content.first(GLANCE).read().map_err(ImportError::unreadable)?;
    if let Some(error) = of_start(&start).or_else(|| of_whole(content)) {
        return Err(error);
    }
    if let Some(container) = torch::container(&start) {
        return Ok(Format::Torch(container));
    }
    if let Some((length, [b'{', ..])) = start.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length);
        if length < 1 << 32 {
            return if length <= content.len() as u64 - 8 {
                Ok(Format::Safetensors)
            } else {
                Err(ImportError::Damaged {
                    format: "safetensors file",
                    problem: "it breaks off".into(),
                })
            };
        }
    }
    match text(&start) {
        Some(text) => text_format(&text),
        None => protocol_buffer(content, &start),
    }
}

fn text_format(text: &str) -> Result<Format, ImportError> {
    if let Some(error) = of_text(text) {
        return Err(error);
    }
    let caffe = ["layer{", "layers{", "input_dim:", "input:", "input_shape{", "input_param{"];
    if caffe.iter().any(|field| text.contains(field)) {
        return Ok(Format::Prototxt);
    }
    Err(ImportError::Unknown { found: "a text".into() })
}

/// A field's value.
enum Value {
    Number,
    Bytes(Content),
    Fixed,
}

/// The values of the fields of bytes with this number.
fn all(fields: &[(u64, Value)], number: u64) -> impl Iterator<Item = &Content> {
    fields.iter().filter_map(move |(found, value)| match value {
        Value::Bytes(content) if *found == number => Some(content),
        _ => None,
    })
}

/// The first fields of a protocol buffer by their numbers, with the content of those that are bytes; an error
/// where it is none or breaks off.
fn fields(content: &Content) -> Result<Vec<(u64, Value)>, String> {
    let (mut walk, mut fields) = (Fields::new(content), Vec::new());
    while walk.at < content.len() && fields.len() < MAX_FIELDS {
        let (number, field) = walk.next(content.len())?;
        fields.push(match field {
            Field::Bytes { start, len } => {
                (number, Value::Bytes(content.slice(start..start + len)))
            }
            Field::Number => (number, Value::Number),
            Field::Fixed => (number, Value::Fixed),
        });
    }
    Ok(fields)
}

fn protocol_buffer(content: &Content, start: &[u8]) -> Result<Format, ImportError> {
    let top = match fields(content) {
        Ok(top) => top,
        // Both kinds begin with field 1, Caffe's possibly with a layer at once.
        Err(problem) if matches!(start, [0x0a | 0x12 | 0x1a | 0xa2, ..]) => {
            return Err(ImportError::Damaged {
                format: "TensorFlow graph or Caffe model",
                problem,
            });
        }
        // A version, and the program that wrote it or the graph.
        Err(problem) if matches!(start, [0x08, 1..=31, 0x12 | 0x3a, ..]) => {
            return Err(ImportError::Damaged { format: "ONNX model", problem });
        }
        Err(_) => return Err(ImportError::Unknown { found: "data of an unknown kind".into() }),
    };
    let bytes_at = |number| all(&top, number).next();
    let number_at = |number| {
        top.iter().any(|(found, field)| *found == number && matches!(field, Value::Number))
    };
    let is_node = |node: &Content| {
        let node = skeleton(node, &NODE).ok().and_then(|node| NodeDef::decode(node).ok());
        node.is_some_and(|node| !node.name.is_empty() && !node.op.is_empty())
    };
    let has_nodes = |graph: &Content| {
        fields(graph).is_ok_and(|graph| all(&graph, 1).next().is_some_and(is_node))
    };
    if bytes_at(1).is_some_and(is_node) {
        return Ok(Format::GraphDef);
    }
    // A graph with nodes, where an array of Caffe's has its shape; that also has numbers of rows and columns.
    let has_parts = |graph: &Content| {
        fields(graph).is_ok_and(|graph| all(&graph, 1).chain(all(&graph, 11)).next().is_some())
    };
    let is_array = [2, 3, 4].into_iter().all(number_at);
    if bytes_at(7).is_some_and(has_parts) && (bytes_at(8).is_some() || number_at(1)) && !is_array {
        return Ok(Format::Onnx);
    }
    if number_at(1) {
        return Err(numbered(&top));
    }
    if bytes_at(2).is_some_and(has_nodes) {
        return Err(kinds::checkpoint_graph());
    }
    // A layer of Caffe's first format has a number for its type; an operator of Caffe 2 has a name.
    let is_operator = |operator: &Content| {
        fields(operator).is_ok_and(|operator| {
            all(&operator, 4).next().is_some()
                && !operator.iter().any(|field| matches!(field, (5, Value::Number)))
        })
    };
    let layers = bytes_at(100).is_some() || bytes_at(2).is_some();
    if bytes_at(100).is_none() && bytes_at(2).is_some_and(is_operator) {
        return Err(kinds::caffe_2());
    }
    if layers && all(&top, 1).count() <= 1 {
        return Ok(Format::Caffemodel);
    }
    if bytes_at(7).is_some() && top.iter().any(|(number, _)| *number == 5) {
        return Err(kinds::caffe_blob());
    }
    Err(ImportError::Unknown { found: "a protocol buffer of another kind".into() })
}

/// What a protocol buffer is that begins with a number.
fn numbered(top: &[(u64, Value)]) -> ImportError {
    let bytes = |number| all(top, number).next().is_some();
    let numbers = |number: &u64| {
        top.iter().any(|(found, field)| found == number && matches!(field, Value::Number))
    };
    if [2, 3, 4].iter().all(numbers) {
        kinds::caffe_blob()
    } else if bytes(2) && top.iter().any(|(number, _)| *number >= 200) {
        kinds::core_ml()
    } else if bytes(3) {
        kinds::caffe_solver_state()
    } else if bytes(2) {
        kinds::saved_model()
    } else {
        other("a protocol buffer of an unknown kind", "Give a model file as the network")
    }
}
