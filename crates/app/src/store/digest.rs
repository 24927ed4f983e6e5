//! Checksums of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use import::Checksum;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::StoreError;

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
        Checksum::Sha1(_) => hash::<Sha1>(path)?,
    };
    if actual == expected {
        return Ok(());
    }
    Err(StoreError::Checksum { url: url.to_owned(), kind, expected: expected.to_owned(), actual })
}

/// A file's SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String, StoreError> {
    hash::<Sha256>(path)
}

fn hash<D: Digest>(path: &Path) -> Result<String, StoreError> {
    let digest = || -> io::Result<D> {
        let (mut file, mut digest) = (File::open(path)?, D::new());
        let mut piece = vec![0; 64 * 1024];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(digest),
                len => digest.update(&piece[..len]),
            }
        }
    };
    let digest = digest().map_err(StoreError::file(path))?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
