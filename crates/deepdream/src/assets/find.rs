//! Where a recipe's file is: what the caller gives, then where it was, beside the recipe or here, then any
//! picture of its hash in the store.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use graph::Storage;
use media::check_regular;
use models::Store;

use super::{give, is_video};
use crate::base::Base;
use crate::frames::Frames;
use crate::output::{reason, sha256};
use crate::{Error, Fault, Result, readable_bytes};

/// The store's folder of pictures, called by their hashes.
const PICTURES: &str = "pictures";

/// How many digits of a hash texts show.
const SHOWN: usize = 12;

/// A file that a recipe names.
pub(super) struct Wanted<'a> {
    /// What it is, for texts.
    pub(super) what: String,
    /// The group of settings that names it.
    pub(super) group: &'static str,
    /// Its name there.
    pub(super) name: &'a str,
    /// Whether it may be a folder of pictures whose names end in numbers.
    pub(super) folders: bool,
    /// Where it was.
    pub(super) file: &'a str,
    /// Its hash; empty for any file.
    pub(super) hash: &'a str,
    /// What the caller gives for it.
    pub(super) given: Option<&'a Path>,
}

/// A file that was found.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// The path as it was named.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// SHA-256 in hexadecimal.
    pub(super) hash: String,
}

/// Where to look.
pub(super) struct Search<'a> {
    /// The recipe that names the files.
    pub(super) base: Option<&'a Base>,
    /// The most bytes of a file.
    pub(super) memory: u64,
    /// Where large pictures lie.
    pub(super) storage: &'a Storage,
    /// Whether a file is looked for by its name, or by its hash alone.
    pub(super) named: bool,
}

impl Search<'_> {
    /// Finds a file.
    ///
    /// # Errors
    /// There is none, or only others of its name.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Found> {
        if let Some(path) = wanted.given {
            let found = self.read(path, portable(path), wanted.folders)?;
            return if wanted.is(&found) { Ok(found) } else { Err(wanted.other(&found)) };
        }
        let mut other = None;
        for path in self.places(wanted) {
            if !path.exists() {
                continue;
            }
            let found = self.read(&path, portable(Path::new(wanted.file)), wanted.folders)?;
            if wanted.is(&found) {
                return Ok(found);
            }
            other.get_or_insert(found);
        }
        if let Some(path) = stored(wanted.hash) {
            let name = match wanted.file {
                "" => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                file => portable(Path::new(file)),
            };
            let found = self.read(&path, name, false)?;
            if wanted.is(&found) {
                return Ok(found);
            }
        }
        Err(match other {
            Some(other) => wanted.other(&other),
            None => wanted.missing(self),
        })
    }

    /// Where the file may be by its name.
    fn places(&self, wanted: &Wanted) -> Vec<PathBuf> {
        if wanted.file.is_empty() || !self.named {
            return Vec::new();
        }
        let here = PathBuf::from(wanted.file);
        let mut names = vec![here.clone()];
        // Its hash tells it from any other file of that name.
        names.extend(here.file_name().filter(|_| !wanted.hash.is_empty()).map(PathBuf::from));
        names.dedup();
        let folder = self.base.and_then(Base::folder);
        let places = |name: PathBuf| {
            let beside = folder.map(|folder| folder.join(&name));
            beside.into_iter().chain([name])
        };
        names.into_iter().flat_map(places).collect()
    }

    fn read(&self, path: &Path, name: String, folders: bool) -> Result<Found> {
        if folders && path.is_dir() {
            return folder(path, name);
        }
        // A video is read frame by frame, never whole.
        if folders && is_video(path) {
            let hash = sha256(path)?;
            return Ok(Found { path: path.to_owned(), name, bytes: Vec::new(), hash });
        }
        let wrong = |why: String| {
            Error::new(Fault::Picture, format!("could not read {}: {why}", path.display())).at(path)
        };
        let mut bytes = Vec::new();
        check_regular(path)
            .and_then(|()| File::open(path))
            .and_then(|file| file.take(self.memory.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(|error| wrong(reason(&error)))?;
        if bytes.len() as u64 > self.memory {
            let most = readable_bytes(self.memory);
            return Err(wrong(format!("it has more than the {most} of memory that may be used"))
                .with_fault(Fault::Memory));
        }
        let hash = models::digest::sha256_of(&bytes);
        Ok(Found { path: path.to_owned(), name, bytes, hash })
    }
}

/// A folder of pictures: its hash is that of their hashes, in the order of their numbers.
fn folder(path: &Path, name: String) -> Result<Found> {
    let frames = Frames::find(path)?;
    if frames.is_empty() {
        let what = format!("there are no pictures in {}", path.display());
        return Err(Error::new(Fault::Picture, what)
            .at(path)
            .hint("Its pictures' names end in their numbers, such as mask_0.png."));
    }
    let hashes = frames.iter().map(|(_, picture)| sha256(picture)).collect::<Result<String>>()?;
    let hash = models::digest::sha256_of(hashes.as_bytes());
    Ok(Found { path: path.to_owned(), name, bytes: Vec::new(), hash })
}

impl Wanted<'_> {
    fn is(&self, found: &Found) -> bool {
        self.hash.is_empty() || self.hash.eq_ignore_ascii_case(&found.hash)
    }

    /// The error for a file of another hash.
    fn other(&self, found: &Found) -> Error {
        let Self { what, group, name, hash, .. } = self;
        let text = format!(
            "{} is not the file that the recipe was made with as {what} (SHA-256 {}, not {})",
            found.path.display(),
            shown(hash),
            shown(&found.hash)
        );
        let error = Error::new(Fault::Recipe, text).at(&found.path);
        give(error, group, "Give that file.".to_owned())
            .hint(format!("Or empty `{group}.{name}.sha256` to use this one."))
    }

    /// The error for a file that is nowhere.
    fn missing(&self, search: &Search) -> Error {
        let Self { what, group, file, hash, .. } = self;
        if file.is_empty() && hash.is_empty() {
            let text = format!("{what} is not given");
            return give(Error::new(Fault::Recipe, text), group, "Give its file.".to_owned());
        }
        let file = if file.is_empty() { "no name" } else { file };
        let known = match hash.is_empty() {
            true => file.to_owned(),
            false => format!("{file}, SHA-256 {}", shown(hash)),
        };
        let beside = search.base.filter(|base| base.folder().is_some());
        let beside = beside.map(|base| format!("beside {} or ", base.name())).unwrap_or_default();
        let places = match (search.named, hash.is_empty()) {
            (true, true) => format!("{beside}here"),
            (true, false) => format!("{beside}here or among the stored pictures"),
            (false, _) => "among the stored pictures".to_owned(),
        };
        let text = format!("{what} ({known}) was not found {places}");
        give(Error::new(Fault::Recipe, text), group, "Give its file.".to_owned())
    }
}

/// What a recipe calls a file: its path where that goes down from here, or else its name alone. Where else it lies
/// on this machine concerns nobody who is given the dream, and the same file gives the same recipe.
fn portable(path: &Path) -> String {
    let parts: Vec<Component> =
        path.components().filter(|part| *part != Component::CurDir).collect();
    let is_below = parts.iter().all(|part| matches!(part, Component::Normal(_)));
    let is_below = is_below && !parts.is_empty();
    let path = if is_below { parts.into_iter().collect() } else { PathBuf::from(name_of(path)) };
    path.display().to_string().replace(std::path::MAIN_SEPARATOR, "/")
}

/// The name of a file or folder, also of one that a path such as `..` leads to.
fn name_of(path: &Path) -> OsString {
    let named = |path: &Path| path.file_name().map(OsStr::to_owned);
    let whole = || named(&path.canonicalize().ok()?);
    named(path).or_else(whole).unwrap_or(path.as_os_str().to_owned())
}

/// The store's folder of pictures that recipes name, called by their hashes.
///
/// # Errors
/// No folder for the store.
pub(crate) fn folder_of_pictures() -> Result<PathBuf> {
    Ok(Store::open()?.root().join(PICTURES))
}

/// The picture of this hash in the store, if there is one.
pub(crate) fn stored(hash: &str) -> Option<PathBuf> {
    let is_hash = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    let folder = folder_of_pictures().ok().filter(|_| is_hash)?;
    let hash = hash.to_ascii_lowercase();
    let mut files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.file_stem().is_some_and(|stem| stem == hash.as_str()))
}

fn shown(hash: &str) -> String {
    match hash.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &hash[..end]),
        None => hash.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_do_not_say_where_on_a_machine_files_lie() {
        for (path, name) in [
            ("flowers.jpg", "flowers.jpg"),
            ("./flowers.jpg", "flowers.jpg"),
            ("styles/./flowers.jpg", "styles/flowers.jpg"),
            ("../styles/flowers.jpg", "flowers.jpg"),
            ("/home/somebody/flowers.jpg", "flowers.jpg"),
        ] {
            assert_eq!(portable(Path::new(path)), name);
        }
        let here = std::env::current_dir().unwrap();
        let above = here.parent().unwrap().file_name().unwrap().to_string_lossy();
        assert_eq!(portable(Path::new(".")), here.file_name().unwrap().to_string_lossy());
        assert_eq!(portable(Path::new("..")), above);
    }
}
