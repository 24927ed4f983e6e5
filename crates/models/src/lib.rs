//! The networks DeepDream can use: one that is built in, a catalogue of networks to download, and a store
//! for those on this machine.
//!
//! ```
//! # #[cfg(feature = "squeezenet")] {
//! let network = models::squeezenet()?;
//! assert!(network.graph.find_target("fire8/concat").is_ok());
//! # }
//! let vgg16 = models::known("vgg16").and_then(|known| known.source.as_ref());
//! assert!(vgg16.is_some_and(|source| source.url.starts_with("https://download.pytorch.org/")));
//! # Ok::<(), models::ModelError>(())
//! ```
//!
//! # Features
//!
//! Both are on by default.
//!
//! - `download` adds [`Store::pull`], which downloads a network from the catalogue. It depends on HTTP, TLS
//!   and zip libraries.
//! - `squeezenet` adds [`squeezenet()`], the built-in network. It adds 2.5 MB to the program.

mod built_in;
mod catalogue;
pub mod digest;
mod download;
mod error;
mod event;
mod labels;
mod load;
mod open;
mod store;
#[cfg(all(test, feature = "download", feature = "squeezenet"))]
mod tests;

pub use built_in::BUILT_IN;
#[cfg(feature = "squeezenet")]
pub use built_in::squeezenet;
pub use catalogue::{
    Checksum, KnownNetwork, Source, catalogue, known, with_layer, with_layer_ending,
};
pub use error::ModelError;
pub use event::{OnEvent, StoreEvent};
pub use import::{ImportError, Statistics, printable, statistics};
pub use load::load;
pub use open::open;
#[cfg(feature = "download")]
pub use store::Pulled;
pub use store::{Addition, HOME, Manifest, Origin, PREFERRED, Store};
