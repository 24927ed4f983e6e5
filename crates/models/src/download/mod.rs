//! Downloads over HTTP that go on where the last attempt ended, and the archives that come.

#[cfg(feature = "download")]
mod archive;
#[cfg(feature = "download")]
mod fetch;
#[cfg(feature = "download")]
mod http;
mod part;

#[cfg(feature = "download")]
pub(crate) use archive::Archive;
#[cfg(feature = "download")]
pub(crate) use fetch::{Patience, download};
pub(crate) use part::Part;
