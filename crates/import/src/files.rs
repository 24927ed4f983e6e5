//! Reading model files by their paths.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use graph::Network;
use kernels::Memory;
use prost::bytes::Bytes;

use crate::detect::{Format, detect};
use crate::kinds::{begins_as_nothing, by_name, of_folder, of_start};
use crate::load::{Imported, MAX_FILE, read_bytes, read_pair};
use crate::{ImportError, printable};

/// How many bytes tell what a file is that is no model.
const START: u64 = 1024;

/// Smaller files are read whole, whatever they begin with: what they are may stand at their end.
const SMALL: u64 = 1 << 24;

/// Reads a network from a file of any format, which is found from the content.
///
/// A `.prototxt` needs the `.caffemodel` of the same name beside it.
///
/// # Errors
/// What cannot be read, is no model, or does not fit together.
pub fn read(path: &Path) -> Result<Imported, ImportError> {
    let bytes = read_file(path)?;
    if detect(&bytes).map_err(|error| by_name(path, error))? != Format::Prototxt {
        let folder = path.parent().unwrap_or(Path::new(""));
        return read_bytes(&stem(path), bytes, &mut |sibling| read_sibling(folder, sibling));
    }
    let weights = path.with_extension("caffemodel");
    if weights == path {
        return Err(ImportError::NoWeights { weights: None });
    }
    if !weights.is_file() {
        return Err(ImportError::NoWeights { weights: Some(weights) });
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

/// As [`crate::load_pair_bytes`], from files; the network is named after the second.
///
/// # Errors
/// As [`read`]; a layer whose weights are not there.
pub fn load_pair(prototxt: &Path, caffemodel: &Path) -> Result<Network, ImportError> {
    let (structure, weights) = (read_file(prototxt)?, read_file(caffemodel)?);
    read_pair(&stem(caffemodel), &structure, weights).map(|imported| imported.network)
}

fn read_file(path: &Path) -> Result<Bytes, ImportError> {
    let failed = |source| ImportError::Read { path: PathBuf::from(path), source };
    if path.is_dir() {
        return Err(of_folder(path));
    }
    // A device may have no end, and a pipe that nobody writes into is waited for when it is opened.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is a device or a pipe, not a file")));
    }
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    // What is no model by its first bytes is not read to its end.
    let mut start = Vec::new();
    (&file).take(START).read_to_end(&mut start).map_err(failed)?;
    if let Some(error) = of_start(&start) {
        return Err(by_name(path, error));
    }
    if size > SMALL && begins_as_nothing(&start) {
        let found = "data of an unknown kind".into();
        return Err(by_name(path, ImportError::Unknown { found }));
    }
    file.rewind().map_err(failed)?;
    if size > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    let mut bytes = Memory::new(size as usize);
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(Bytes::from_owner(bytes))
}

/// A file in a model's folder, by its path from there, which leads to nowhere else by itself; neither may a link.
fn read_sibling(folder: &Path, sibling: &str) -> Result<Bytes, ImportError> {
    let failed = |reason: String| ImportError::NoSibling { file: printable(sibling), reason };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
    let path = folder.join(sibling).canonicalize().map_err(|error| failed(error.to_string()))?;
    if !path.starts_with(&folder) {
        return Err(failed("a link leads out of the model's folder".into()));
    }
    let file = File::open(&path).map_err(|error| failed(error.to_string()))?;
    let facts = file.metadata().map_err(|error| failed(error.to_string()))?;
    if !facts.is_file() {
        return Err(failed("it is no file".into()));
    }
    if facts.len() > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    let mut bytes = Memory::new(facts.len() as usize);
    (&file).read_exact(&mut bytes).map_err(|error| failed(error.to_string()))?;
    Ok(Bytes::from_owner(bytes))
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
}
