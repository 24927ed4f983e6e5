//! How much room a disk has.

use std::path::Path;

/// What is left free for everybody else, in bytes.
pub(crate) const FLOOR: u64 = 500_000_000;

/// Bytes that can still be written in a folder; none where the system does not say.
#[cfg(unix)]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let about = nix::sys::statvfs::statvfs(folder).ok()?;
    // Their types differ from system to system.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    Some((about.blocks_available() as u64).saturating_mul(about.fragment_size() as u64))
}

/// Nobody says.
#[cfg(not(unix))]
pub(crate) fn free(_: &Path) -> Option<u64> {
    None
}
