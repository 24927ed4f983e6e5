//! The zip archives that `torch.save` writes: a pickle, and a file for each storage.

use std::collections::HashMap;
use std::io::Read;

use zip::{CompressionMethod, ZipArchive};

use super::pickle::Pickle;
use super::tensor::{Dtype, Storage};
use crate::content::{Content, Cursor};
use crate::load::MAX_FILE;

/// The most files of an archive.
const MAX_MEMBERS: usize = 100_000;

/// How much larger an archive's files may be than it is, and how many bytes beyond that; weights hardly
/// shrink, but pickles do.
const MAX_GROWTH: [u64; 2] = [16, 1 << 26];

/// An archive's files: where they lie, or what they hold if they had to be unpacked.
pub(super) struct Archive {
    /// The folder that all are in, with its slash.
    folder: String,
    files: HashMap<String, Content>,
    big_endian: bool,
}

impl Archive {
    /// Reads the table of contents, if the archive is one of PyTorch's.
    ///
    /// # Errors
    /// A damaged archive.
    pub(super) fn open(content: &Content) -> Result<Option<Self>, String> {
        let damaged = |error: zip::result::ZipError| format!("its zip archive goes wrong: {error}");
        let mut zip = ZipArchive::new(Cursor::new(content.clone())).map_err(damaged)?;
        if zip.len() > MAX_MEMBERS {
            return Err(format!("it holds more than {MAX_MEMBERS} files"));
        }
        let [times, more] = MAX_GROWTH;
        let most = (content.len() as u64).saturating_mul(times).saturating_add(more);
        let (mut files, mut left) = (HashMap::new(), most.min(MAX_FILE));
        for index in 0..zip.len() {
            let raw = zip.by_index_raw(index).map_err(damaged)?;
            let name = String::from_utf8_lossy(raw.name_raw()).into_owned();
            let (start, size, method) =
                (raw.data_start(), raw.compressed_size(), raw.compression());
            let encrypted = raw.encrypted();
            drop(raw);
            let (start, size) = (start.map(usize::try_from), usize::try_from(size));
            let stored = start.and_then(|start| content.get(start.ok()?, size.ok()?));
            let stored = stored.ok_or_else(|| broken(&name))?;
            let content = match method {
                _ if encrypted => return Err(broken(&name)),
                CompressionMethod::Stored => stored,
                _ => {
                    let mut unpacked = Vec::new();
                    let packed = zip.by_index(index).map_err(damaged)?;
                    packed.take(left + 1).read_to_end(&mut unpacked).map_err(|_| broken(&name))?;
                    let rest = left.checked_sub(unpacked.len() as u64);
                    left = rest.ok_or("what is packed in it is too much")?;
                    unpacked.into()
                }
            };
            files.insert(name, content);
        }
        let Some(pickle) = files.keys().filter(|name| is_pickle(name)).min() else {
            return Ok(None);
        };
        let folder = pickle.trim_end_matches("data.pkl").to_owned();
        let order = files.get(&format!("{folder}byteorder"));
        let order = order.and_then(|order| order.first(3).read().ok());
        let big_endian = order.is_some_and(|order| *order == *b"big");
        Ok(Some(Self { folder, files, big_endian }))
    }

    /// The pickle.
    ///
    /// # Errors
    /// A damaged one.
    pub(super) fn pickle(&self) -> Result<Pickle, String> {
        Pickle::of(self.file("data.pkl").ok_or("it has no pickle")?)
    }

    /// Whether it holds a program beside the weights, as TorchScript does.
    pub(super) fn is_script(&self) -> bool {
        self.file("constants.pkl").is_some()
    }

    /// A storage by its key.
    ///
    /// # Errors
    /// One that is not there.
    pub(super) fn storage(&self, dtype: Dtype, key: &str) -> Result<Storage, String> {
        let content = self.file(&format!("data/{key}")).cloned();
        let missing = || format!("its storage `{}` is missing", crate::printable(key));
        Ok(Storage { dtype, content: content.ok_or_else(missing)?, big_endian: self.big_endian })
    }

    fn file(&self, name: &str) -> Option<&Content> {
        self.files.get(&format!("{}{name}", self.folder))
    }
}

/// Whether a member of an archive is the pickle that `torch.save` writes.
pub(crate) fn is_pickle(name: &str) -> bool {
    name == "data.pkl" || name.ends_with("/data.pkl") && name.matches('/').count() == 1
}

fn broken(name: &str) -> String {
    format!("`{}` in it cannot be read", crate::printable(name))
}
