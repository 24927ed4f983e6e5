//! Extracts single members from a downloaded archive: zip, or tar packed with gzip.
//!
//! The caller chooses where each member goes and how long it may be, whatever the archive says.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::ModelError;

/// How many times the limit of a member may be unpacked of a tar archive to find it.
const MAX_BEFORE: u64 = 4;

/// The size of a tar archive's blocks.
const BLOCK: usize = 512;

/// An archive on disk.
pub(crate) struct Archive<'a> {
    path: &'a Path,
    kind: Kind,
}

enum Kind {
    Zip(Box<ZipArchive<BufReader<File>>>),
    /// A tar archive in gzip, which is read from its beginning for each member.
    Tar,
}

impl<'a> Archive<'a> {
    /// Opens an archive and reads its table of contents, if it has one.
    pub(crate) fn open(path: &'a Path) -> Result<Self, ModelError> {
        let mut file = File::open(path).map_err(ModelError::file(path))?;
        let mut start = [0; 2];
        if file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b] {
            return Ok(Self { path, kind: Kind::Tar });
        }
        match ZipArchive::new(BufReader::new(file)) {
            Ok(zip) => Ok(Self { path, kind: Kind::Zip(Box::new(zip)) }),
            Err(error) => Err(problem(path, format!("it has no table of contents: {error}"))),
        }
    }

    /// Extracts the member `name`, of at most `limit` bytes, to the file `to`.
    pub(crate) fn unpack(&mut self, name: &str, limit: u64, to: &Path) -> Result<(), ModelError> {
        match &mut self.kind {
            Kind::Zip(zip) => match zip.by_name(name) {
                Ok(packed) => write(self.path, name, packed, limit, to),
                Err(ZipError::FileNotFound) => Err(missing(self.path, name)),
                Err(error) => Err(damaged(self.path, name, &error)),
            },
            Kind::Tar => {
                let file = File::open(self.path).map_err(ModelError::file(self.path))?;
                let most = limit.saturating_mul(MAX_BEFORE);
                let mut tar = MultiGzDecoder::new(BufReader::new(file)).take(most);
                let size =
                    find(&mut tar, name).map_err(|error| damaged(self.path, name, &error))?;
                let size = size.ok_or_else(|| missing(self.path, name))?;
                let mut member = tar.take(size);
                write(self.path, name, &mut member, limit, to)?;
                if member.limit() == 0 {
                    return Ok(());
                }
                Err(damaged(self.path, name, &io::Error::from(io::ErrorKind::UnexpectedEof)))
            }
        }
    }
}

/// Reads a tar archive up to the content of the file `name`, and returns how long that is.
fn find(tar: &mut impl Read, name: &str) -> io::Result<Option<u64>> {
    loop {
        let mut header = [0; BLOCK];
        tar.read_exact(&mut header)?;
        let found = header[..100].split(|&byte| byte == 0).next().unwrap_or_default();
        if found.is_empty() {
            return Ok(None);
        }
        let digits = header[124..136].iter().skip_while(|&&byte| byte == b' ');
        let digits = digits.take_while(|byte| byte.is_ascii_digit());
        let size = digits.fold(0u64, |size, digit| {
            size.saturating_mul(8).saturating_add(u64::from(digit - b'0'))
        });
        if found.strip_prefix(b"./").unwrap_or(found) == name.as_bytes() {
            return Ok(Some(size));
        }
        let skipped = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
        io::copy(&mut tar.take(skipped), &mut io::sink())?;
    }
}

/// Writes what is unpacked of the member `name`, of at most `limit` bytes, to the file `to`.
fn write(
    path: &Path,
    name: &str,
    packed: impl Read,
    limit: u64,
    to: &Path,
) -> Result<(), ModelError> {
    let mut out = File::create(to).map_err(ModelError::file(to))?;
    let mut bounded = packed.take(limit.saturating_add(1));
    let (mut length, mut piece) = (0, vec![0; 64 * 1024]);
    loop {
        let read = match bounded.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(path, name, &error)),
        };
        length += read as u64;
        if length > limit {
            let text =
                format!("its file `{name}` is larger than {limit} bytes, the most it can have");
            return Err(problem(path, text));
        }
        out.write_all(&piece[..read]).map_err(ModelError::file(to))?;
    }
    out.sync_all().map_err(ModelError::file(to))
}

fn missing(path: &Path, name: &str) -> ModelError {
    problem(path, format!("it has no file `{name}`"))
}

fn damaged(path: &Path, name: &str, error: &dyn std::fmt::Display) -> ModelError {
    problem(path, format!("its file `{name}` is damaged: {error}"))
}

fn problem(path: &Path, problem: String) -> ModelError {
    ModelError::Archive { path: path.to_owned(), problem }
}
