//! Resumable downloads over HTTP, and the archives they bring.

#[cfg(feature = "download")]
mod archive;
#[cfg(feature = "download")]
mod fetch;
#[cfg(feature = "download")]
mod http;
mod part;
#[cfg(feature = "download")]
mod resume;

#[cfg(feature = "download")]
pub(crate) use archive::Archive;
#[cfg(feature = "download")]
pub(crate) use fetch::{Patience, download};
pub(crate) use part::Part;
