//! Model files in, [`graph::Network`] out: each format's reader, its limits on hostile input, and the
//! network that is built into the binary.

mod assembly;
mod built_in;
mod caffe;
mod detect;
mod error;
pub mod known;
pub mod labels;
mod load;
mod squeezenet;
mod tensorflow;

pub use built_in::{BUILT_IN, built_in};
pub use error::ImportError;
pub use known::{Checksum, KnownNetwork, Source};
pub use load::{MAX_FILE, load, load_bytes, load_pair, load_pair_bytes};

#[cfg(test)]
mod broken;

#[cfg(test)]
use broken::{measured, mutated};
