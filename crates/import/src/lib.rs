//! Model files in, [`graph::Network`] out: each format's reader and its limits on hostile input.

mod caffe;
mod detect;
mod error;
mod kit;
mod load;
mod squeezenet;
mod tensorflow;

pub use error::ImportError;
pub use load::{
    Imported, MAX_FILE, load, load_bytes, load_embedded, load_pair, load_pair_bytes, read,
};
pub use squeezenet::CAFFE_INPUT;

#[cfg(test)]
mod broken;

#[cfg(test)]
use broken::{measured, mutated};
