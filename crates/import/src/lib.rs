//! Model files in, [`graph::Network`] out: each format's reader and its limits on hostile input.
//!
//! ONNX models, frozen TensorFlow graphs, Caffe models with or without their `.prototxt`, and the weights of
//! known networks as PyTorch saves them or as safetensors. The format is found from the content.
//!
//! ```no_run
//! let network = import::load("inception5h.pb".as_ref())?;
//! for layer in network.graph.layers() {
//!     println!("{} has {} channels", layer.name, layer.channels);
//! }
//! # Ok::<(), import::ImportError>(())
//! ```
//!
//! # Features
//!
//! - `files` (default): reads files by their paths; without it, networks come from bytes.
//! - `threads` (default): computes a file's hash while it is read.

mod caffe;
mod content;
mod detect;
mod error;
#[cfg(feature = "files")]
mod files;
mod kinds;
mod kit;
mod load;
mod onnx;
mod printable;
mod squeezenet;
mod statistics;
mod tensorflow;
mod tensors;
mod torch;
mod wire;

pub use error::ImportError;
#[cfg(feature = "files")]
pub use files::{load, load_pair, read};
pub use load::{Imported, MAX_FILE, load_bytes, load_bytes_with, load_embedded, load_pair_bytes};
pub use printable::printable;
pub use squeezenet::CAFFE_INPUT;
pub use statistics::{Statistics, statistics};

/// The inputs that are usual for networks.
pub mod input {
    pub use crate::statistics::{CLIP, IMAGENET, INCEPTION, KERAS};
}

#[cfg(test)]
mod broken;

#[cfg(test)]
use broken::{measured, mutated};
