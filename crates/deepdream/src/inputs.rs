//! Files in: what work is made from, which none of its outputs may replace under whatever name.

use std::path::{Path, PathBuf};

use media::Place;

use crate::{DreamRequest, NetworkChoice, RecipeSource};

/// A file that work is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// What it is for the work, such as `network`.
    pub role: &'static str,
    /// Where it is.
    pub path: &'a Path,
}

impl<'a> Input<'a> {
    /// The file at `path`, which is the `role` of the work.
    pub fn new(role: &'static str, path: &'a Path) -> Self {
        Self { role, path }
    }
}

impl NetworkChoice {
    /// The file that is named, if one is.
    pub fn input(&self) -> Option<Input<'_>> {
        match self {
            NetworkChoice::Named(name) => Some(Input::new("network", Path::new(name))),
            _ => None,
        }
    }
}

impl DreamRequest {
    /// The files that are named: the recipe's, those it is given and the network's.
    pub fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        let recipe = match &self.recipe.base {
            Some(RecipeSource::File(path)) => Some(Input::new("recipe", path)),
            _ => None,
        };
        let masks = self.files.masks.values().map(|path| Input::new("mask", path));
        let guides = self.files.guides.values().map(|path| Input::new("guide", path));
        let vectors = self.files.vectors.values().map(|path| Input::new("vector", path));
        recipe.into_iter().chain(guides).chain(masks).chain(vectors).chain(self.network.input())
    }
}

/// Whether two paths lead to one file that exists, through links of either kind.
#[cfg(unix)]
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // Devices and pipes take all that is written to them, and lose nothing.
    let identity = |path: &Path| {
        let there = path.metadata().ok().filter(|there| there.is_file())?;
        Some((there.dev(), there.ino()))
    };
    identity(one).is_some_and(|file| identity(other) == Some(file))
}

/// Whether two paths lead to one file that exists.
#[cfg(not(unix))]
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
    identity(one).is_some_and(|file| identity(other) == Some(file))
}

/// A path by which one file, which need not exist, is known however it is spelled.
pub(crate) fn same(path: &Path) -> PathBuf {
    let place = Place::of(path).ok();
    let path = place.as_ref().and_then(Place::target).unwrap_or(path);
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
