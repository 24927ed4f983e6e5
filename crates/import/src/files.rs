//! Reading model files by their paths.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use graph::Network;
use kernels::Memory;
use prost::bytes::Bytes;

use crate::content::Content;
use crate::detect::{Format, detect};
use crate::kinds::{begins_as_nothing, by_name, of_folder, of_start};
use crate::load::{Imported, MAX_FILE, read_content, read_pair};
use crate::{ImportError, printable};

/// How many bytes tell what a file is that is no model.
const START: u64 = 1024;

/// Smaller files are read whole, whatever they begin with: what they are may stand at their end. Of larger ones
/// only what is needed is in memory.
const SMALL: u64 = 1 << 24;

/// Reads a network from a file of any format, which is found from the content.
///
/// A `.prototxt` needs the `.caffemodel` of the same name beside it.
///
/// # Errors
/// What cannot be read, is no model, or does not fit together.
pub fn read(path: &Path) -> Result<Imported, ImportError> {
    let content = open(path)?;
    if detect(&content).map_err(|error| by_name(path, error))? != Format::Prototxt {
        let folder = path.parent().unwrap_or(Path::new(""));
        return read_content(&stem(path), content, &mut |sibling| open_sibling(folder, sibling));
    }
    let weights = path.with_extension("caffemodel");
    if weights == path {
        return Err(ImportError::NoWeights { weights: None });
    }
    if !weights.is_file() {
        return Err(ImportError::NoWeights { weights: Some(weights) });
    }
    read_pair(&stem(&weights), content, open(&weights)?)
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
    let (structure, weights) = (open(prototxt)?, open(caffemodel)?);
    read_pair(&stem(caffemodel), structure, weights).map(|imported| imported.network)
}

/// A file of which parts are read when they are needed. It has to stay what it was when it was opened.
#[derive(Debug)]
pub(crate) struct ModelFile {
    file: Mutex<File>,
    opened: State,
}

/// What changes when a file is written into; the time of its last change also when its name or its rights do.
#[derive(Debug, PartialEq, Eq)]
struct State {
    len: u64,
    modified: Option<SystemTime>,
    /// When anything of the file was changed, which programs cannot set: seconds and nanoseconds.
    #[cfg(unix)]
    changed: [i64; 2],
}

impl State {
    fn of(facts: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            len: facts.len(),
            modified: facts.modified().ok(),
            #[cfg(unix)]
            changed: [facts.ctime(), facts.ctime_nsec()],
        }
    }
}

impl ModelFile {
    fn new(file: File, facts: &Metadata) -> Self {
        Self { file: Mutex::new(file), opened: State::of(facts) }
    }

    /// Fills `bytes` from byte `start` on.
    ///
    /// # Errors
    /// If the file cannot be read, or has changed since it was opened.
    pub(crate) fn read_at(&self, start: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        let read = file.read_exact(bytes);
        if State::of(&file.metadata()?) != self.opened {
            return Err(io::Error::other("the file has changed since it was opened: start again"));
        }
        read
    }
}

/// The content of an open file, which is read at once if it has no more bytes than are `few`.
fn content(mut file: File, facts: &Metadata, few: u64) -> io::Result<Content> {
    let len = facts.len() as usize;
    if facts.len() > few {
        let file = Arc::new(ModelFile::new(file, facts));
        return Ok(Content::File { file, start: 0, len });
    }
    let mut bytes = Memory::new(len);
    file.read_exact(&mut bytes)?;
    Ok(Content::Memory(Bytes::from_owner(bytes)))
}

fn open(path: &Path) -> Result<Content, ImportError> {
    let failed = |source| ImportError::Read { path: PathBuf::from(path), source };
    if path.is_dir() {
        return Err(of_folder(path));
    }
    // A device may have no end, and a pipe that nobody writes into is waited for when it is opened.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is a device or a pipe, not a file")));
    }
    let mut file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    // What is no model by its first bytes is not read to its end.
    let mut start = Vec::new();
    (&file).take(START).read_to_end(&mut start).map_err(failed)?;
    if let Some(error) = of_start(&start) {
        return Err(by_name(path, error));
    }
    if facts.len() > SMALL && begins_as_nothing(&start) {
        let found = "data of an unknown kind".into();
        return Err(by_name(path, ImportError::Unknown { found }));
    }
    file.rewind().map_err(failed)?;
    if facts.len() > MAX_FILE {
        return Err(ImportError::TooLarge { limit: MAX_FILE });
    }
    content(file, &facts, SMALL).map_err(failed)
}

/// A file in a model's folder, by its path from there, which leads to nowhere else by itself; neither may a link.
fn open_sibling(folder: &Path, sibling: &str) -> Result<Content, ImportError> {
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
    content(file, &facts, SMALL).map_err(|error| failed(error.to_string()))
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn data(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
    }

    /// A network of which nothing is in memory that is not needed.
    fn read_in_place(path: &Path) -> Result<Imported, ImportError> {
        let file = File::open(path).unwrap();
        let facts = file.metadata().unwrap();
        let none = &mut |sibling: &str| panic!("no file refers to {sibling}");
        read_content("x", content(file, &facts, 0).unwrap(), none)
    }

    #[test]
    fn a_file_in_place_gives_what_it_gives_in_memory() {
        let mut files = vec![
            data("vgg.pth"),
            data("small.caffemodel"),
            data("batch_norm_unfolded.pb"),
            data("../../../models/data/squeezenet1_1.safetensors"),
        ];
        for folder in ["onnx", "torch", "torch/nets"] {
            let folder = std::fs::read_dir(data(folder)).unwrap();
            files.extend(folder.map(|file| file.unwrap().path()));
        }
        let mut compared = 0;
        for path in files.iter().filter(|path| path.is_file()) {
            let name = path.display();
            let bytes = std::fs::read(path).unwrap();
            let (network, placed) = match (crate::load_bytes("x", &bytes), read_in_place(path)) {
                (Ok(network), Ok(placed)) => (network, placed.network),
                (Err(said), Err(placed)) => {
                    assert_eq!(said.to_string(), placed.to_string(), "{name}");
                    continue;
                }
                (a, b) => panic!("{name}: {:?} {:?}", a.map(|_| ()), b.map(|_| ())),
            };
            assert_eq!((&network.hash, network.input), (&placed.hash, placed.input), "{name}");
            let nodes = network.graph.nodes().iter().zip(placed.graph.nodes());
            for (node, other) in nodes {
                assert_eq!((&node.name, &node.inputs), (&other.name, &other.inputs), "{name}");
                assert_eq!(node.op.vectors(), other.op.vectors(), "{name}: {}", node.name);
                let get = |node: &graph::Node| node.op.weights().map(|w| w.get().unwrap());
                assert_eq!(get(node), get(other), "{name}: {}", node.name);
            }
            compared += 1;
        }
        assert!(compared >= 15, "{compared} of {}", files.len());
    }

    #[test]
    fn a_file_that_is_written_into_while_it_is_open_gives_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.caffemodel");
        std::fs::copy(data("small.caffemodel"), &path).unwrap();
        let network = read_in_place(&path).unwrap().network;
        let stays = |node: &&graph::Node| node.op.weights().is_some_and(|w| w.made().is_none());
        let layer = &network.graph.nodes().iter().find(stays).unwrap().name;
        let target = network.graph.find(layer).unwrap();
        assert!(network.graph.hold_weights(&[target]).is_ok());
        let mut file = File::options().write(true).open(&path).unwrap();
        let (before, bytes) = (file.metadata().unwrap(), std::fs::read(&path).unwrap());
        file.write_all(&bytes).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        // Its length and time are what they were, but not the time of the last change, which has its own pace.
        #[cfg(unix)]
        while State::of(&file.metadata().unwrap()) == State::of(&before) {
            file.set_modified(before.modified().unwrap()).unwrap();
        }
        #[cfg(not(unix))]
        file.write_all(b"more").unwrap();
        let said = network.graph.hold_weights(&[target]).unwrap_err().to_string();
        assert!(said.contains("again: the file has changed since it was opened"), "{said}");
    }
}
