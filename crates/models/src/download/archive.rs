//! Extracts single members from a downloaded zip archive.
//!
//! The caller chooses where each member goes and how long it may be, whatever the archive says.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::ModelError;

/// A zip archive on disk.
pub(crate) struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<File>>,
}

impl<'a> Archive<'a> {
    /// Opens an archive and reads its table of contents.
    pub(crate) fn open(path: &'a Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(ModelError::file(path))?;
        match ZipArchive::new(BufReader::new(file)) {
            Ok(zip) => Ok(Self { path, zip }),
            Err(error) => Err(problem(path, format!("it has no table of contents: {error}"))),
        }
    }

    /// Extracts the member `name`, of at most `limit` bytes, to the file `to`.
    pub(crate) fn unpack(&mut self, name: &str, limit: u64, to: &Path) -> Result<(), ModelError> {
        let packed = match self.zip.by_name(name) {
            Ok(packed) => packed,
            Err(ZipError::FileNotFound) => {
                return Err(problem(self.path, format!("it has no file `{name}`")));
            }
            Err(error) => {
                return Err(problem(self.path, format!("its file `{name}` is damaged: {error}")));
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
                    return Err(problem(
                        self.path,
                        format!("its file `{name}` is damaged: {error}"),
                    ));
                }
            };
            length += read as u64;
            if length > limit {
                let text =
                    format!("its file `{name}` is larger than {limit} bytes, the most it can have");
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
