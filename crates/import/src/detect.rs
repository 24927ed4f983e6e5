//! Which format a model file has, from what is in it; its name does not count.

use prost::Message;
use prost::bytes::Bytes;

use crate::ImportError;
use crate::tensorflow::proto::NodeDef;

/// A format this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tensors by name, without a structure.
    Safetensors,
    /// TensorFlow's frozen graph.
    GraphDef,
    /// Caffe's network with its weights.
    Caffemodel,
    /// Caffe's structure without weights, as text.
    Prototxt,
}

/// What files that are no models begin with.
const OTHERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive: unpack it and give the model that is inside"),
    (b"\x1f\x8b", "a gzip archive: unpack it and give the model that is inside"),
    (b"\x89HDF", "an HDF5 file, as Keras writes; its networks cannot be read"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GGUF", "a language model"),
    (b"\x80\x02", "a Python pickle, as PyTorch writes; its networks cannot be read"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file it stands for"),
];

/// How far into a file text is looked for.
const GLANCE: usize = 4096;

/// Finds the format.
///
/// # Errors
/// [`ImportError::Unknown`] with what it is instead, [`ImportError::Damaged`] for a protocol buffer
/// that breaks off.
pub(crate) fn detect(bytes: &Bytes) -> Result<Format, ImportError> {
    let unknown = |found: &str| Err(ImportError::Unknown { found: found.into() });
    if bytes.is_empty() {
        return unknown("the file is empty");
    }
    if let Some((_, found)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return unknown(found);
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
    if let Some(text) = text(bytes) {
        return text_format(text);
    }
    protocol_buffer(bytes)
}

/// The beginning, if it is text.
fn text(bytes: &[u8]) -> Option<&str> {
    let glance = &bytes[..bytes.len().min(GLANCE)];
    let text = match std::str::from_utf8(glance) {
        Ok(text) => text,
        // A letter of several bytes may be cut at the end.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&glance[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()).then_some(text)
}

fn text_format(text: &str) -> Result<Format, ImportError> {
    let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let found = if ["<!doctype", "<html", "<?xml", "<head"].iter().any(|tag| start.starts_with(tag))
    {
        "a web page; the download of the model went wrong"
    } else if start.contains("node {") && start.contains("op:") {
        "a TensorFlow graph as text; give the binary .pb"
    } else if start.contains("layer") || start.contains("input_dim") {
        return Ok(Format::Prototxt);
    } else {
        "a text"
    };
    Err(ImportError::Unknown { found: found.into() })
}

/// The fields that tell the two kinds of protocol buffer apart.
#[derive(Clone, PartialEq, Message)]
struct Probe {
    /// GraphDef's nodes; Caffe's name.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    first: Vec<Bytes>,
    /// GraphDef's functions; Caffe's layers of old.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    second: Vec<Bytes>,
    /// Caffe's layers.
    #[prost(bytes = "bytes", repeated, tag = "100")]
    hundredth: Vec<Bytes>,
}

fn protocol_buffer(bytes: &Bytes) -> Result<Format, ImportError> {
    let unknown = |found: &str| Err(ImportError::Unknown { found: found.into() });
    let probe = match Probe::decode(bytes.clone()) {
        Ok(probe) => probe,
        // Both kinds begin with field 1, Caffe's possibly with a layer at once.
        Err(error) if matches!(bytes[..], [0x0a | 0x12 | 0xa2, ..]) => {
            return Err(ImportError::Damaged {
                format: "TensorFlow graph or Caffe model",
                problem: error.to_string(),
            });
        }
        Err(_) if matches!(bytes[..], [0x08, ..]) => {
            return unknown(
                "perhaps a TensorFlow SavedModel or an ONNX model; of TensorFlow's, frozen graphs \
                 are read",
            );
        }
        Err(_) => return unknown("data of an unknown kind"),
    };
    let is_node = |bytes: &Bytes| {
        NodeDef::decode(bytes.clone())
            .is_ok_and(|node| !node.name.is_empty() && !node.op.is_empty())
    };
    if probe.first.first().is_some_and(is_node) {
        Ok(Format::GraphDef)
    } else if probe.first.len() <= 1 && !(probe.second.is_empty() && probe.hundredth.is_empty()) {
        Ok(Format::Caffemodel)
    } else {
        unknown("a protocol buffer of another kind")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &'static [u8]) -> String {
        detect(&Bytes::from_static(bytes)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_model_is_named() {
        assert!(found(b"").contains("the file is empty"));
        assert!(found(b"PK\x03\x04rest").contains("unpack"));
        assert!(found(b"\n <!DOCTYPE html><html>").contains("web page"));
        assert!(found(b"version https://git-lfs.github.com/spec/v1").contains("Git LFS"));
        assert!(found(b"hello").contains("a text"));
        assert!(found(b"\xfe\x01\xff\x00\x00").contains("unknown kind"));
        assert!(found(b"\x0a\xffabc").contains("damaged"));
        assert!(found(b"\xff\0\0\0\0\0\0\0{}").contains("breaks off"));
    }

    #[test]
    fn text_with_layers_is_a_prototxt() {
        let text = Bytes::from_static("name: \"n\u{e9}t\"\nlayer { }".as_bytes());
        assert_eq!(detect(&text).unwrap(), Format::Prototxt);
    }
}
