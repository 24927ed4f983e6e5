//! The networks that DeepDream dreams with: the catalogue of known ones, the store of those on this
//! machine, and their downloads.
//!
//! ```
//! # #[cfg(feature = "squeezenet")] {
//! let network = models::squeezenet()?;
//! assert!(network.graph.find_target("fire8/concat").is_ok());
//! # }
//! let published = models::catalogue().iter().filter(|known| known.source.is_some());
//! assert!(published.map(|known| known.name).eq(["inception5h", "googlenet"]));
//! # Ok::<(), models::ModelError>(())
//! ```
//!
//! # Features
//!
//! Both are on by default.
//!
//! - `download`: [`Store::pull`] downloads a network of the catalogue. It brings in HTTP, TLS and zip
//!   archives.
//! - `squeezenet`: [`squeezenet()`] is built in, which adds 2.5 MB to the program.

mod catalogue;
pub mod digest;
mod download;
mod error;
mod labels;
mod open;
#[cfg(feature = "squeezenet")]
mod squeezenet;
mod store;
#[cfg(all(test, feature = "download", feature = "squeezenet"))]
mod tests;

pub use catalogue::{Checksum, KnownNetwork, Source, catalogue, known};
pub use error::ModelError;
pub use open::{load, open};
#[cfg(feature = "squeezenet")]
pub use squeezenet::squeezenet;
#[cfg(feature = "download")]
pub use store::Pulled;
pub use store::{Addition, HOME, Manifest, OnEvent, Origin, PREFERRED, Store, StoreEvent};

/// The name of the built-in network, SqueezeNet v1.1.
pub const BUILT_IN: &str = "squeezenet";
