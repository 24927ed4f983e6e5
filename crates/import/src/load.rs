//! Model files' contents: finding the format, reading within bounds, and naming what was read.

use graph::{Graph, InputSpec, Network};
use prost::bytes::Bytes;

use crate::content::{Content, hash};
use crate::detect::{Format, detect};
use crate::onnx::{self, Sibling};
use crate::squeezenet::CAFFE_INPUT;
use crate::tensors::Tensors;
use crate::{ImportError, caffe, printable, squeezenet, tensorflow, torch};

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 31;

/// A network as its file gives it: named after the file, without class names.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// Whether the file itself states what input the network wants. If not, [`Network::input`] is what
    /// is usual for the format: RGB of 0–255 for TensorFlow, [`CAFFE_INPUT`] for Caffe, and for ONNX what the
    /// program that wrote the file is mostly used with.
    pub input_stated: bool,
    /// The files beside the model's that it has weights in, by their paths from its folder.
    pub siblings: Vec<String>,
}

/// Reads a network called `name` from a file's content.
///
/// # Errors
/// What is no model, or does not fit together; a `.prototxt` alone is [`ImportError::NoWeights`].
pub fn load_bytes(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    let alone = &mut |sibling: &str| Err(missing(sibling));
    read_content(name, in_memory(bytes), alone).map(|imported| imported.network)
}

/// As [`load_bytes`], of an ONNX model that has weights in other files: `sibling` gives their contents by their
/// paths from the model's folder, with `/` between folders, which never lead out of it.
///
/// # Errors
/// As [`load_bytes`]; a file that `sibling` does not give.
pub fn load_bytes_with(
    name: &str,
    bytes: &[u8],
    mut sibling: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Result<Imported, ImportError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    let sibling = &mut |path: &str| sibling(path).map(Content::from).ok_or_else(|| missing(path));
    read_content(name, in_memory(bytes), sibling)
}

fn in_memory(bytes: &[u8]) -> Content {
    Bytes::copy_from_slice(bytes).into()
}

fn missing(sibling: &str) -> ImportError {
    ImportError::NoSibling { file: printable(sibling), reason: "it was not given".into() }
}

/// Reads a network called `name` that is part of the program. Its SHA-256, `hash`, is believed: the
/// program does not wait for it to be computed.
///
/// # Errors
/// As [`load_bytes`].
pub fn load_embedded(name: &str, hash: &str, bytes: &'static [u8]) -> Result<Network, ImportError> {
    let alone = &mut |sibling: &str| Err(missing(sibling));
    let (imported, _) = parse(name, &Bytes::from_static(bytes).into(), alone)?;
    Ok(hashed(imported, hash.to_owned()).network)
}

/// Reads a network called `name` from the contents of Caffe's two files: the structure from `prototxt`,
/// each layer's weights by its name from `caffemodel`. Its hash is that of both, one after the other.
///
/// # Errors
/// As [`load_bytes`]; a layer whose weights are not there.
pub fn load_pair_bytes(
    name: &str,
    prototxt: &[u8],
    caffemodel: &[u8],
) -> Result<Network, ImportError> {
    read_pair(name, in_memory(prototxt), in_memory(caffemodel)).map(|imported| imported.network)
}

pub(crate) fn read_pair(
    name: &str,
    prototxt: Content,
    caffemodel: Content,
) -> Result<Imported, ImportError> {
    let structure = prototxt.read().map_err(ImportError::unreadable)?;
    let read = caffe::read_pair(&structure, &caffemodel)?;
    let hash = hash(&[prototxt, caffemodel]).map_err(ImportError::unreadable)?;
    Ok(hashed(imported(name, read.graph, read.input, CAFFE_INPUT), hash))
}

pub(crate) fn read_content(
    name: &str,
    content: Content,
    sibling: Sibling<'_>,
) -> Result<Imported, ImportError> {
    // Of a large file, the hash takes about as long as the reading.
    let own = std::slice::from_ref(&content);
    let (alone, read) = both(|| hash(own), || parse(name, &content, sibling));
    let (imported, siblings) = read?;
    if siblings.is_empty() {
        return Ok(hashed(imported, alone.map_err(ImportError::unreadable)?));
    }
    let parts: Vec<Content> = std::iter::once(content).chain(siblings).collect();
    Ok(hashed(imported, hash(&parts).map_err(ImportError::unreadable)?))
}

/// What both make, at once if a thread can be started for one of them.
#[cfg(feature = "threads")]
fn both<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    use std::sync::{Mutex, PoisonError};
    // Taken by the thread, or by this one where there is none.
    let a = Mutex::new(Some(a));
    let first = || {
        let a = a.lock().unwrap_or_else(PoisonError::into_inner).take();
        a.map(|a| a())
    };
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, first);
        let b = b();
        let a = match other {
            Ok(other) => other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => first(),
        };
        (a.expect("it is taken once"), b)
    })
}

#[cfg(not(feature = "threads"))]
fn both<A, B>(a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
    (a(), b())
}

/// The network of a file's content, without its hash, and the contents of the files beside it that it has
/// weights in.
fn parse(
    name: &str,
    content: &Content,
    sibling: Sibling<'_>,
) -> Result<(Imported, Vec<Content>), ImportError> {
    let imported = match detect(content)? {
        Format::Safetensors => {
            let tensors = Tensors::read(content)?;
            if squeezenet::fits(&tensors) {
                let network = squeezenet::read(name, &tensors)?;
                let siblings = Vec::new();
                return Ok((Imported { network, input_stated: true, siblings }, Vec::new()));
            }
            let read = torch::read_safetensors(&tensors)?;
            imported(name, read.graph, Some(read.input), read.input)
        }
        Format::Torch(container) => {
            let read = torch::read(container, content)?;
            imported(name, read.graph, Some(read.input), read.input)
        }
        Format::GraphDef => {
            let read = tensorflow::read(content)?;
            imported(name, read.graph, read.input, InputSpec::default())
        }
        Format::Caffemodel => {
            let read = caffe::read(content)?;
            imported(name, read.graph, read.input, CAFFE_INPUT)
        }
        Format::Onnx => {
            let read = onnx::read(content, sibling)?;
            let mut imported = imported(name, read.graph, read.stated, read.usual);
            imported.network.labels = read.labels;
            let (names, contents) = read.siblings.into_iter().unzip();
            imported.siblings = names;
            return Ok((imported, contents));
        }
        Format::Prototxt => return Err(ImportError::NoWeights { weights: None }),
    };
    Ok((imported, Vec::new()))
}

/// The network with the input that its file states, or else the one that is usual for the format.
fn imported(name: &str, graph: Graph, stated: Option<InputSpec>, usual: InputSpec) -> Imported {
    let (hash, labels) = (String::new(), Vec::new());
    let input = stated.unwrap_or(usual);
    let network = Network { name: name.to_owned(), hash, graph, input, labels };
    Imported { network, input_stated: stated.is_some(), siblings: Vec::new() }
}

fn hashed(mut imported: Imported, hash: String) -> Imported {
    imported.network.hash = hash;
    imported
}
