//! PyTorch's files: state dicts in all containers that `torch.save` has written, and `.safetensors`.
//!
//! They hold tensors by the names of modules, but not what is computed from them. Which network it is, is
//! told by the names and shapes; [`nets`] holds how those of torchvision and a few others are built. Nothing
//! in a file is ever run: [`pickle`] reads its instructions as data.

mod archive;
mod blocks;
mod build;
mod dict;
mod machine;
mod nets;
mod objects;
mod opcode;
mod pickle;
mod stream;
mod tensor;
#[cfg(test)]
mod tests;

use graph::{Graph, InputSpec};

use self::dict::{Found, StateDict};
use self::objects::Outside;
use crate::content::Content;
use crate::kit::MAX_GROWN;
use crate::tensors::Tensors;
use crate::{ImportError, kinds, printable};

pub(crate) use archive::is_pickle;

/// The containers of state dicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// A zip archive, since PyTorch 1.6.
    Zip,
    /// Pickles one after another, before that.
    Stream,
    /// A tar archive, before version 0.1.10.
    Tar,
}

/// A network as its file gives it.
pub(crate) struct Read {
    pub(crate) graph: Graph,
    pub(crate) input: InputSpec,
}

/// The container that a file is by its beginning, if it is one of PyTorch's.
pub(crate) fn container(bytes: &[u8]) -> Option<Container> {
    let named =
        |name: &[u8]| bytes.starts_with(name) && bytes.get(257..262) == Some(b"ustar".as_slice());
    // The four files of the archive, in whatever order.
    if [b"sys_info\0".as_slice(), b"pickle\0", b"tensors\0", b"storages\0"].iter().any(|n| named(n))
    {
        return Some(Container::Tar);
    }
    if stream::begins(bytes) {
        return Some(Container::Stream);
    }
    bytes.starts_with(b"PK\x03\x04").then_some(Container::Zip)
}

/// Reads the network in a container.
///
/// # Errors
/// A damaged file, one that holds a program or another network, or weights that do not fit.
pub(crate) fn read(container: Container, content: &Content) -> Result<Read, ImportError> {
    nets::build(&state_dict(container, content)?)
}

/// Reads the network in a `.safetensors` file.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_safetensors(file: &Tensors) -> Result<Read, ImportError> {
    nets::build(&StateDict::of_safetensors(file)?)
}

/// The state dict in a container.
fn state_dict(container: Container, content: &Content) -> Result<StateDict, ImportError> {
    let damaged = |problem: String| ImportError::Damaged {
        format: "PyTorch file",
        problem: printable(&problem),
    };
    let whole = |tensors| {
        let dict = StateDict::of(tensors);
        // Tensors may share their numbers, but not so that a small file is a large network.
        if dict.len() > content.len().saturating_add(MAX_GROWN) {
            return Err(damaged("its tensors are of more numbers than it has".into()));
        }
        Ok(dict)
    };
    let found = match container {
        Container::Zip => {
            let archive = archive::Archive::open(content).map_err(damaged)?;
            let archive = archive.ok_or_else(kinds::no_state_dict)?;
            let pickle = archive.pickle().map_err(damaged)?;
            let storages = |dtype, key: &str| archive.storage(dtype, key);
            let outside = Outside::Storages(&storages);
            if archive.is_script() {
                let dict = whole(dict::of_script(&pickle, &outside).map_err(damaged)?)?;
                // The only network that is published as a program.
                return if nets::is_clip(&dict) { Ok(dict) } else { Err(kinds::torchscript()) };
            }
            dict::find(&pickle, &outside)
        }
        Container::Stream => {
            let stream = stream::Stream::open(content).map_err(damaged)?;
            let storages = |dtype, key: &str| stream.storage(dtype, key);
            dict::find(&stream.pickle, &Outside::Storages(&storages))
        }
        Container::Tar => {
            let tar = stream::Tar::open(content).map_err(damaged)?;
            dict::find(&tar.pickle, &Outside::Tensors(&tar.tensors))
        }
    };
    match found.map_err(damaged)? {
        Found::Tensors(tensors) => whole(tensors),
        Found::Module => Err(kinds::pickled_module()),
        Found::Nothing => Err(kinds::no_state_dict()),
    }
}
