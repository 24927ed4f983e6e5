//! Takes single files out of a zip archive that was downloaded.
//!
//! Members are written under names the caller chooses, never the archive's own, and never longer than
//! the caller allows, whatever the archive says about their length.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::ModelError;

/// An archive on disk.
pub(crate) struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<File>>,
}

impl<'a> Archive<'a> {
    /// Reads the archive's table of contents.
    pub(crate) fn open(path: &'a Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(ModelError::file(path))?;
        match ZipArchive::new(BufReader::new(file)) {
            Ok(zip) => Ok(Self { path, zip }),
            Err(error) => Err(problem(path, format!("no table of contents: {error}"))),
        }
    }

    /// Unpacks the member `name`, of at most `limit` bytes, to the file `to`.
    pub(crate) fn unpack(&mut self, name: &str, limit: u64, to: &Path) -> Result<(), ModelError> {
        let packed = match self.zip.by_name(name) {
            Ok(packed) => packed,
            Err(ZipError::FileNotFound) => {
                return Err(problem(self.path, format!("no file `{name}`")));
            }
            Err(error) => {
                return Err(problem(self.path, format!("a broken file `{name}`: {error}")));
            }
        };
        let mut out = File::create(to).map_err(ModelError::file(to))?;
        let mut bounded = packed.take(limit + 1);
        let (mut length, mut piece) = (0, vec![0; 64 * 1024]);
        loop {
            let read = match bounded.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(problem(self.path, format!("a broken file `{name}`: {error}")));
                }
            };
            length += read as u64;
            if length > limit {
                let text = format!("a file `{name}` of more than the {limit} bytes it can have");
                return Err(problem(self.path, text));
            }
            out.write_all(&piece[..read]).map_err(ModelError::file(to))?;
        }
        out.sync_all().map_err(ModelError::file(to))
    }
}

fn problem(path: &Path, problem: String) -> ModelError {
    ModelError::Archive { path: path.to_owned(), problem }
}
