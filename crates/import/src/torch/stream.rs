//! The files that `torch.save` wrote before its zip archives: pickles one after another and then the
//! storages; and the tar archives of the first years.

use std::collections::HashMap;

use super::pickle::{Pickle, Ref, Value};
use super::tensor::{Dtype, Storage, Tensor};
use crate::content::Content;

/// The number that a stream begins with, as a pickle has it.
const MAGIC: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// Whether a file begins as a stream: with the pickle, of whatever protocol, of the magic number.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let Some(([0x80, 2..=5], rest)) = bytes.split_first_chunk::<2>() else { return false };
    // Since protocol 4 there is a frame around it, of 9 bytes.
    rest.starts_with(MAGIC) || rest.get(9..).is_some_and(|rest| rest.starts_with(MAGIC))
}

/// What of a file is not read yet.
struct Rest(Content);

impl Rest {
    fn pickle(&mut self) -> Result<Pickle, String> {
        let pickle = Pickle::of(&self.0)?;
        self.0 = self.0.slice(pickle.length..self.0.len());
        Ok(pickle)
    }

    fn take(&mut self, length: usize) -> Result<Content, String> {
        let taken = self.0.get(0, length).ok_or("it breaks off")?;
        self.0 = self.0.slice(length..self.0.len());
        Ok(taken)
    }

    /// So many bytes, in memory.
    fn read<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?.read().map_err(|error| error.to_string())?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }

    /// A little-endian number of 8 bytes.
    fn number(&mut self) -> Result<usize, String> {
        let number = i64::from_le_bytes(self.read()?);
        usize::try_from(number).map_err(|_| format!("it says that there are {number} numbers"))
    }

    /// So many of them.
    fn numbers(&mut self, count: u32) -> Result<Vec<usize>, String> {
        (0..count).map(|_| self.number()).collect()
    }

    /// A storage, which begins with how many numbers it has.
    fn storage(&mut self, dtype: Dtype, big_endian: bool) -> Result<Storage, String> {
        let count = self.number()?;
        let length = count.checked_mul(dtype.size()).ok_or("it breaks off")?;
        Ok(Storage { dtype, content: self.take(length)?, big_endian })
    }
}

/// A stream's pickle and storages.
pub(super) struct Stream {
    pub(super) pickle: Pickle,
    storages: HashMap<String, Storage>,
}

impl Stream {
    /// Reads a stream.
    ///
    /// # Errors
    /// What breaks off, or is something else.
    pub(super) fn open(content: &Content) -> Result<Self, String> {
        let mut rest = Rest(content.clone());
        let (_magic, _protocol, system) = (rest.pickle()?, rest.pickle()?, rest.pickle()?);
        let order = system.entry(system.root, "little_endian").map(|at| system.value(at));
        let big_endian = matches!(order, Some(Value::Bool(false)));
        let pickle = rest.pickle()?;
        let keys = rest.pickle()?;
        let types = storage_types(&pickle);
        let mut storages = HashMap::new();
        for &key in keys.elements(keys.root).ok_or("it does not list its storages")? {
            let key = keys.key(key).ok_or("a storage has no key")?;
            let dtype = types.get(&key).ok_or("a storage is of no known type")?;
            storages.insert(key, rest.storage(*dtype, big_endian)?);
        }
        Ok(Self { pickle, storages })
    }

    /// A storage by its key.
    ///
    /// # Errors
    /// One that is not there.
    pub(super) fn storage(&self, dtype: Dtype, key: &str) -> Result<Storage, String> {
        let storage = self.storages.get(key).cloned();
        let storage =
            storage.ok_or_else(|| format!("its storage `{}` is missing", crate::printable(key)))?;
        Ok(Storage { dtype, ..storage })
    }
}

/// The type of each storage that a pickle names, which says how many bytes a number of it takes.
fn storage_types(pickle: &Pickle) -> HashMap<String, Dtype> {
    let described = |id: Ref| {
        let &[kind, class, key, ..] = pickle.elements(id)? else { return None };
        let dtype = Dtype::of_torch(pickle.global(class)?)?;
        (pickle.text(kind) == Some("storage")).then_some((pickle.key(key)?, dtype))
    };
    pickle.persistent().filter_map(described).collect()
}

/// A tar archive's pickle and the tensors that it refers to.
pub(super) struct Tar {
    pub(super) pickle: Pickle,
    pub(super) tensors: HashMap<String, Tensor>,
}

impl Tar {
    /// Reads the archive: `storages` and `tensors` are pickles and numbers in turn, `pickle` refers to
    /// tensors by their keys.
    ///
    /// # Errors
    /// What breaks off, or is something else.
    pub(super) fn open(content: &Content) -> Result<Self, String> {
        let files = tar_files(content)?;
        let file = |name: &str| {
            files.get(name).cloned().map(Rest).ok_or_else(|| format!("it has no `{name}`"))
        };
        let system = file("sys_info")?.pickle()?;
        let order = system.entry(system.root, "little_endian").map(|at| system.value(at));
        let big_endian = matches!(order, Some(Value::Bool(false)));
        let mut rest = file("storages")?;
        let mut storages = HashMap::new();
        for _ in 0..count(&rest.pickle()?)? {
            let about = rest.pickle()?;
            let Some(&[key, _, class]) = about.elements(about.root) else {
                return Err("a storage is not described".into());
            };
            let key = about.key(key).ok_or("a storage has no key")?;
            let dtype = about.global(class).and_then(Dtype::of_torch);
            storages.insert(
                key,
                rest.storage(dtype.ok_or("a storage is of no known type")?, big_endian)?,
            );
        }
        let views = rest.pickle()?;
        for &view in views.elements(views.root).unwrap_or_default() {
            let Some(&[target, root, offset, length]) = views.elements(view) else { continue };
            let (target, root) = (views.key(target), views.key(root));
            let storage = root.and_then(|root| storages.get(&root).cloned());
            let (Some(target), Some(mut storage)) = (target, storage) else { continue };
            let size = storage.dtype.size();
            let start = views.count(offset).and_then(|offset| offset.checked_mul(size));
            let end = views.count(length).and_then(|n| n.checked_mul(size)?.checked_add(start?));
            let (Some(start), Some(end)) = (start, end.filter(|&end| end <= storage.content.len()))
            else {
                return Err("a view lies beyond its storage".into());
            };
            storage.content = storage.content.slice(start..end);
            storages.insert(target, storage);
        }
        let mut rest = file("tensors")?;
        let mut tensors = HashMap::new();
        for _ in 0..count(&rest.pickle()?)? {
            let about = rest.pickle()?;
            let Some(&[key, storage, _]) = about.elements(about.root) else {
                return Err("a tensor is not described".into());
            };
            let key = about.key(key).ok_or("a tensor has no key")?;
            // The rank takes 4 bytes of 8; the others mean nothing.
            let [a, b, c, d, ..] = rest.read::<8>()?;
            let rank = u32::from_le_bytes([a, b, c, d]);
            let (shape, strides) = (rest.numbers(rank)?, rest.numbers(rank)?);
            let offset = rest.number()?;
            let storage = about.key(storage).and_then(|key| storages.get(&key).cloned());
            let storage = storage.ok_or("a tensor has no storage")?;
            tensors.insert(key, Tensor::new(storage, offset, shape, strides)?);
        }
        Ok(Self { pickle: file("pickle")?.pickle()?, tensors })
    }
}

/// The number that a pickle is, which counts what follows; each takes some bytes.
fn count(pickle: &Pickle) -> Result<usize, String> {
    pickle.count(pickle.root).ok_or_else(|| "it does not say how much it holds".into())
}

/// A tar archive's files by their names.
fn tar_files(content: &Content) -> Result<HashMap<String, Content>, String> {
    const BLOCK: usize = 512;
    let mut files = HashMap::new();
    let mut at = 0;
    while let Some(header) = content.get(at, BLOCK) {
        let header = header.read().map_err(|error| error.to_string())?;
        let name = header[..100].split(|&byte| byte == 0).next().unwrap_or_default();
        if name.is_empty() {
            break;
        }
        let digits = header[124..136].iter().skip_while(|&&byte| byte == b' ');
        let digits = digits.take_while(|byte| byte.is_ascii_digit());
        let size = digits.fold(0usize, |size, digit| {
            size.saturating_mul(8).saturating_add(usize::from(digit - b'0'))
        });
        let start = at + BLOCK;
        let file = content.get(start, size).ok_or("its tar archive breaks off")?;
        let name = String::from_utf8_lossy(name).trim_start_matches("./").to_owned();
        files.insert(name, file);
        at = (start + size).next_multiple_of(BLOCK);
    }
    Ok(files)
}
