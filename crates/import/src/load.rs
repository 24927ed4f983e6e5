//! Opening model files: reading within bounds, finding the format, and naming what was read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use graph::{Graph, InputSpec, Network};
use kernels::Memory;
use prost::bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::detect::{Format, detect};
use crate::squeezenet::CAFFE_INPUT;
use crate::{ImportError, caffe, squeezenet, tensorflow};

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 31;

/// A network as its file gives it: named after the file, without class names.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// Whether the file itself states what input the network wants. If not, [`Network::input`] is what
    /// is usual for the format: RGB of 0–255 for TensorFlow, [`CAFFE_INPUT`] for Caffe.
    pub input_stated: bool,
}

/// Reads a network from a file of any format, which is found from the content.
///
/// A `.prototxt` needs the `.caffemodel` of the same name beside it.
///
/// # Errors
/// What cannot be read, is no model, or does not fit together.
pub fn read(path: &Path) -> Result<Imported, ImportError> {
    let bytes = read_file(path)?;
    if detect(&bytes)? != Format::Prototxt {
        return read_bytes(&stem(path), bytes);
    }
    let weights = path.with_extension("caffemodel");
    if weights == path || !weights.is_file() {
        return Err(ImportError::NoWeights);
    }
    read_pair(&stem(&weights), &bytes, read_file(&weights)?)
}

/// The network of [`read`].
///
/// # Errors
/// As [`read`].
pub fn load(path: &Path) -> Result<Network, ImportError> {
    read(path).map(|imported| imported.network)
}

/// Reads a network called `name` from a file's content.
///
/// # Errors
/// As [`read`]; a `.prototxt` alone is always [`ImportError::NoWeights`].
pub fn load_bytes(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    read_bytes(name, Bytes::copy_from_slice(bytes)).map(|imported| imported.network)
}

/// Reads a network called `name` that is part of the program. Its SHA-256, `hash`, is believed: the
/// program does not wait for it to be computed.
///
/// # Errors
/// As [`load_bytes`].
pub fn load_embedded(name: &str, hash: &str, bytes: &'static [u8]) -> Result<Network, ImportError> {
    parse(name, Bytes::from_static(bytes)).map(|imported| hashed(imported, hash.to_owned()).network)
}

/// Reads Caffe's two files: the structure from `prototxt`, each layer's weights by its name from
/// `caffemodel`. The network is named after the second; its hash is that of both, one after the other.
///
/// # Errors
/// As [`read`]; a layer whose weights are not there.
pub fn load_pair(prototxt: &Path, caffemodel: &Path) -> Result<Network, ImportError> {
    let (structure, weights) = (read_file(prototxt)?, read_file(caffemodel)?);
    read_pair(&stem(caffemodel), &structure, weights).map(|imported| imported.network)
}

/// As [`load_pair`], from the files' contents.
///
/// # Errors
/// As [`load_pair`].
pub fn load_pair_bytes(
    name: &str,
    prototxt: &[u8],
    caffemodel: &[u8],
) -> Result<Network, ImportError> {
    read_pair(name, prototxt, Bytes::copy_from_slice(caffemodel)).map(|imported| imported.network)
}

fn read_pair(name: &str, prototxt: &[u8], caffemodel: Bytes) -> Result<Imported, ImportError> {
    let hash = hash(&[prototxt, &caffemodel]);
    let read = caffe::read_pair(prototxt, caffemodel)?;
    Ok(hashed(imported(name, read.graph, read.input, CAFFE_INPUT), hash))
}

fn read_bytes(name: &str, bytes: Bytes) -> Result<Imported, ImportError> {
    // Of a large file, the hash takes about as long as the reading.
    let (hash, imported) = rayon::join(|| hash(&[&bytes]), || parse(name, bytes.clone()));
    Ok(hashed(imported?, hash))
}

/// The network of a file's content, without its hash.
fn parse(name: &str, bytes: Bytes) -> Result<Imported, ImportError> {
    Ok(match detect(&bytes)? {
        Format::Safetensors => {
            Imported { network: squeezenet::read(name, &bytes)?, input_stated: true }
        }
        Format::GraphDef => imported(name, tensorflow::read(bytes)?, None, InputSpec::default()),
        Format::Caffemodel => {
            let read = caffe::read(bytes)?;
            imported(name, read.graph, read.input, CAFFE_INPUT)
        }
        Format::Prototxt => return Err(ImportError::NoWeights),
    })
}

/// The network with the input that its file states, or else the one that is usual for the format.
fn imported(name: &str, graph: Graph, stated: Option<InputSpec>, usual: InputSpec) -> Imported {
    let (hash, labels) = (String::new(), Vec::new());
    let input = stated.unwrap_or(usual);
    let network = Network { name: name.to_owned(), hash, graph, input, labels };
    Imported { network, input_stated: stated.is_some() }
}

fn hashed(mut imported: Imported, hash: String) -> Imported {
    imported.network.hash = hash;
    imported
}

fn read_file(path: &Path) -> Result<Bytes, ImportError> {
    let failed = |source| ImportError::Read { path: PathBuf::from(path), source };
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let too_large = || ImportError::TooLarge { limit: MAX_FILE };
    if metadata.is_file() {
        let size = metadata.len();
        if size > MAX_FILE {
            return Err(too_large());
        }
        let mut bytes = Memory::new(size as usize);
        file.read_exact(&mut bytes).map_err(failed)?;
        return Ok(Bytes::from_owner(bytes));
    }
    // What comes through a pipe has no size before it has come.
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large());
    }
    Ok(bytes.into())
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
