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
use crate::{ImportError, caffe, known, labels, squeezenet, tensorflow};

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 31;

/// Reads a network from a file of any format, which is found from the content.
///
/// A `.prototxt` needs the `.caffemodel` of the same name beside it. The network is named after the
/// file, unless its hash is that of a known one. Class names come from the known networks, or from a
/// text beside the file with one for each output: `NAME.labels.txt`, or `NAME.txt`, or the one the
/// known network is published with. Where nothing says what input it wants, a TensorFlow network gets
/// RGB of 0–255 and a Caffe network BGR minus (104, 117, 123); [`Network::input`] can be changed.
///
/// # Errors
/// What cannot be read, is no model, or does not fit together.
pub fn load(path: &Path) -> Result<Network, ImportError> {
    let bytes = read_file(path)?;
    let mut network = if detect(&bytes)? == Format::Prototxt {
        let weights = path.with_extension("caffemodel");
        if weights == path || !weights.is_file() {
            return Err(ImportError::NoWeights);
        }
        return load_pair(path, &weights);
    } else {
        read_bytes(&stem(path), bytes)?
    };
    label(&mut network, path);
    Ok(network)
}

/// Reads a network from a file's content; `name` is what it is called if it is not a known one.
///
/// # Errors
/// As [`load`]; a `.prototxt` alone is always [`ImportError::NoWeights`].
pub fn load_bytes(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    read_bytes(name, Bytes::copy_from_slice(bytes))
}

/// Reads Caffe's two files: the structure from `prototxt`, each layer's weights by its name from
/// `caffemodel`. The network is named after the second; its hash is that of both, one after the other.
///
/// # Errors
/// As [`load`]; a layer whose weights are not there.
pub fn load_pair(prototxt: &Path, caffemodel: &Path) -> Result<Network, ImportError> {
    let (structure, weights) = (read_file(prototxt)?, read_file(caffemodel)?);
    let mut network = read_pair(&stem(caffemodel), &structure, weights)?;
    label(&mut network, caffemodel);
    Ok(network)
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
    read_pair(name, prototxt, Bytes::copy_from_slice(caffemodel))
}

fn read_pair(name: &str, prototxt: &[u8], caffemodel: Bytes) -> Result<Network, ImportError> {
    let hash = hash(&[prototxt, &caffemodel]);
    let read = caffe::read_pair(prototxt, caffemodel)?;
    Ok(named(network(name, read.graph, read.input, CAFFE_INPUT), hash))
}

fn read_bytes(name: &str, bytes: Bytes) -> Result<Network, ImportError> {
    // Of a large file, the hash takes about as long as the reading.
    let (hash, network) = rayon::join(|| hash(&[&bytes]), || read(name, bytes.clone()));
    Ok(named(network?, hash))
}

/// The network of a file's content, without its hash.
fn read(name: &str, bytes: Bytes) -> Result<Network, ImportError> {
    Ok(match detect(&bytes)? {
        Format::Safetensors => squeezenet::read(name, String::new(), &bytes)?,
        Format::GraphDef => network(name, tensorflow::read(bytes)?, None, InputSpec::default()),
        Format::Caffemodel => {
            let read = caffe::read(bytes)?;
            network(name, read.graph, read.input, CAFFE_INPUT)
        }
        Format::Prototxt => return Err(ImportError::NoWeights),
    })
}

/// The network with its hash, and the name that a file of that hash is known by.
fn named(mut network: Network, hash: String) -> Network {
    let known = known::like(&network.graph).filter(|known| known.file_sha256 == Some(&hash));
    if let Some(known) = known {
        network.name = known.name.to_owned();
    }
    network.hash = hash;
    network
}

/// The network with what is known of it. Its input is what the file states, else what is known, else
/// its format's custom.
fn network(name: &str, graph: Graph, stated: Option<InputSpec>, custom: InputSpec) -> Network {
    let labels = labels::for_outputs(&graph);
    let input = stated.or(known::like(&graph).map(|known| known.input)).unwrap_or(custom);
    Network { name: name.to_owned(), hash: String::new(), graph, input, labels }
}

/// Takes the class names that lie beside the model, if there is one for each output.
fn label(network: &mut Network, path: &Path) {
    let outputs = labels::outputs(&network.graph);
    let published = known::like(&network.graph).and_then(|known| known.labels_file);
    let names =
        [Some("labels.txt"), Some("txt")].map(|end| end.map(|end| path.with_extension(end)));
    let candidates =
        names.into_iter().flatten().chain(published.map(|file| path.with_file_name(file)));
    for candidate in candidates {
        if let Some(found) = labels::read(&candidate, outputs) {
            network.labels = found;
            return;
        }
    }
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
