//! What can be read to its end: a device may have none, and a pipe that nobody writes into makes its
//! reader wait.

use std::io;
use std::path::Path;

/// Refuses what is no file. A folder passes: whoever reads it is told what it is.
///
/// # Errors
/// A device, a pipe or a socket, or what the operating system says.
pub fn check_regular(path: &Path) -> io::Result<()> {
    let there = path.metadata()?;
    match there.is_file() || there.is_dir() {
        true => Ok(()),
        false => Err(io::Error::other("it is a device or a pipe, not a file")),
    }
}
