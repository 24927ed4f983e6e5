//! Model files in, [`net::Network`] out: each format's reader, its limits on hostile input, and the
//! network that is built into the binary.

mod assembly;
mod built_in;
mod error;
pub mod labels;
mod squeezenet;

pub use built_in::{BUILT_IN, built_in};
pub use error::ImportError;
