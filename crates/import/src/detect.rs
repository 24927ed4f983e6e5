//! Which format a model file has, from what is in it; its name does not count.

use prost::Message;
use prost::bytes::Bytes;

use crate::kinds::{of_start, of_text, of_whole, other, text};
use crate::tensorflow::proto::NodeDef;
use crate::torch::{self, Container};
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
pub(crate) fn detect(bytes: &Bytes) -> Result<Format, ImportError> {
    if let Some(error) = of_start(bytes).or_else(|| of_whole(bytes)) {
        return Err(error);
    }
    if let Some(container) = torch::container(bytes) {
        return Ok(Format::Torch(container));
    }
    if let Some((length, [b'{', ..])) = bytes.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length);
        if length < 1 << 32 {
            return if length <= bytes.len() as u64 - 8 {
                Ok(Format::Safetensors)
            } else {
                Err(ImportError::Damaged {
                    format: "safetensors file",
                    problem: "it breaks off".into(),
                })
            };
        }
    }
    match text(bytes) {
        Some(text) => text_format(&text),
        None => protocol_buffer(bytes),
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
enum Field<'a> {
    Number,
    Bytes(&'a [u8]),
    Fixed,
}

/// The first fields of a protocol buffer by their numbers; an error where it is none or breaks off.
fn fields(bytes: &[u8]) -> Result<Vec<(u64, Field<'_>)>, &'static str> {
    fn number(rest: &mut &[u8]) -> Result<u64, &'static str> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, after) = rest.split_first().ok_or("it breaks off")?;
            *rest = after;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }
    fn skip<'a>(rest: &mut &'a [u8], count: u64) -> Result<&'a [u8], &'static str> {
        let count = usize::try_from(count).map_err(|_| "it breaks off")?;
        let (skipped, after) = rest.split_at_checked(count).ok_or("it breaks off")?;
        *rest = after;
        Ok(skipped)
    }
    let (mut rest, mut fields) = (bytes, Vec::new());
    while !rest.is_empty() && fields.len() < MAX_FIELDS {
        let key = number(&mut rest)?;
        let field = match key & 7 {
            0 => number(&mut rest).map(|_| Field::Number)?,
            1 => skip(&mut rest, 8).map(|_| Field::Fixed)?,
            2 => {
                let length = number(&mut rest)?;
                Field::Bytes(skip(&mut rest, length)?)
            }
            5 => skip(&mut rest, 4).map(|_| Field::Fixed)?,
            _ => return Err("a field is of no known type"),
        };
        if key >> 3 == 0 {
            return Err("a field has no number");
        }
        fields.push((key >> 3, field));
    }
    Ok(fields)
}

/// The values of the fields of bytes with this number.
fn all<'a>(fields: &[(u64, Field<'a>)], number: u64) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter_map(move |(found, field)| match field {
        Field::Bytes(bytes) if *found == number => Some(*bytes),
        _ => None,
    })
}

fn protocol_buffer(bytes: &Bytes) -> Result<Format, ImportError> {
    let top = match fields(bytes) {
        Ok(top) => top,
        // Both kinds begin with field 1, Caffe's possibly with a layer at once.
        Err(problem) if matches!(bytes[..], [0x0a | 0x12 | 0x1a | 0xa2, ..]) => {
            return Err(ImportError::Damaged {
                format: "TensorFlow graph or Caffe model",
                problem: problem.into(),
            });
        }
        // A version, and the program that wrote it or the graph.
        Err(problem) if matches!(bytes[..], [0x08, 1..=31, 0x12 | 0x3a, ..]) => {
            return Err(ImportError::Damaged { format: "ONNX model", problem: problem.into() });
        }
        Err(_) => return Err(ImportError::Unknown { found: "data of an unknown kind".into() }),
    };
    let bytes_at = |number| all(&top, number).next();
    let number_at = |number| {
        top.iter().any(|(found, field)| *found == number && matches!(field, Field::Number))
    };
    let is_node = |bytes: &[u8]| {
        NodeDef::decode(bytes).is_ok_and(|node| !node.name.is_empty() && !node.op.is_empty())
    };
    let has_nodes =
        |graph: &[u8]| fields(graph).is_ok_and(|graph| all(&graph, 1).next().is_some_and(is_node));
    if bytes_at(1).is_some_and(is_node) {
        return Ok(Format::GraphDef);
    }
    // A graph with nodes, where an array of Caffe's has its shape; that also has numbers of rows and columns.
    let has_parts = |graph: &[u8]| {
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
    let is_operator = |bytes: &[u8]| {
        fields(bytes).is_ok_and(|operator| {
            all(&operator, 4).next().is_some()
                && !operator.iter().any(|field| matches!(field, (5, Field::Number)))
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
fn numbered(top: &[(u64, Field<'_>)]) -> ImportError {
    let bytes = |number| all(top, number).next().is_some();
    let numbers = |number: &u64| {
        top.iter().any(|(found, field)| found == number && matches!(field, Field::Number))
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
