//! Checksums of what was fetched.

use std::path::Path;

use import::Checksum;
use sha1::Sha1;

use super::StoreError;
use crate::digest;

/// What a checksum is called, and its digits.
pub(crate) fn parts(checksum: Checksum) -> (&'static str, &'static str) {
    match checksum {
        Checksum::Sha256(digits) => ("sha256", digits),
        Checksum::Sha1(digits) => ("sha1", digits),
    }
}

/// Whether the file that came from `url` is the right one.
///
/// # Errors
/// [`StoreError::Checksum`] if it is not.
pub(crate) fn check(path: &Path, checksum: Checksum, url: &str) -> Result<(), StoreError> {
    let (kind, expected) = parts(checksum);
    let actual = match checksum {
        Checksum::Sha256(_) => sha256(path)?,
        Checksum::Sha1(_) => digest::hash::<Sha1>(path).map_err(StoreError::file(path))?,
    };
    if actual == expected {
        return Ok(());
    }
    Err(StoreError::Checksum { url: url.to_owned(), kind, expected: expected.to_owned(), actual })
}

/// A file's SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String, StoreError> {
    digest::sha256(path).map_err(StoreError::file(path))
}
