//! The files that a recipe names: found, compared with their hashes, and decoded.
//!
//! A recipe says which picture is a region's mask by the hash of its file, and where it was. A file of another
//! hash is never used in its place: what a dream was made with decides it, whatever has become of a name.

mod find;
mod npy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dream::{Assets, Guide, Pick, Recipe, Region, Term};
use graph::{Network, Shape, Size, Storage, Tensor};
use media::{FileClass, FileKind, Image, ImageError, Limits};

use crate::base::Base;
use crate::progress::Run;
use crate::{Error, Fault, Knob, Note, Result};
use find::{Search, Wanted};
#[cfg(feature = "studio")]
pub(crate) use find::{folder_of_pictures, stored};

/// The longest side, in pixels, of a guide that is stretched to the picture's size.
const STRETCHED: u32 = 2048;

/// Files that a request gives for names in its recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenFiles {
    /// For each guide its picture. A guide that the recipe does not have is added to it and, unless a term names
    /// it already, to all terms of whole layers, those of keyframes too; where no term is asked for, to one on
    /// the network's layer for guides.
    pub guides: BTreeMap<String, PathBuf>,
    /// For each region its mask. A region that the recipe does not have is added to it.
    pub masks: BTreeMap<String, PathBuf>,
    /// For each vector its NumPy file. A vector that the recipe does not have is added to it.
    pub vectors: BTreeMap<String, PathBuf>,
}

/// A file that was read because a recipe names it.
#[derive(Clone, Debug)]
pub(crate) struct FoundFile {
    /// What it is for the work, such as `mask`.
    pub(crate) role: &'static str,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// Finds and decodes the files that `recipe` names, and writes into it where they are and their hashes; returns
/// them, decoded and by their paths. What nothing uses is noted, and not decoded. `memory` bounds what each may
/// take; large pictures lie in `storage`. Masks that are another one for each frame are left to `moving`.
///
/// # Errors
/// A file that is not there, another than the recipe's, or one that cannot be read.
pub(crate) fn resolve(
    recipe: &mut Recipe,
    given: &GivenFiles,
    base: Option<&Base>,
    (memory, storage): (u64, &Storage),
    (run, moving): (Run, &mut Moving),
) -> Result<(Assets, Vec<FoundFile>)> {
    let search = Search { base, memory, storage, named: true };
    find_all(recipe, given, &search, (run, moving))
}

/// As [`resolve`], for a recipe whose words come from somewhere else: a file is one of the store's, by its hash, and no
/// path of this machine is looked at because a recipe names it.
///
/// # Errors
/// A file that is not stored, or cannot be read.
#[cfg(feature = "studio")]
pub(crate) fn resolve_stored(recipe: &mut Recipe, memory: u64, run: Run) -> Result<Assets> {
    let search = Search { base: None, memory, storage: &Storage::default(), named: false };
    let given = GivenFiles::default();
    Ok(find_all(recipe, &given, &search, (run, &mut one_mask))?.0)
}

fn find_all(
    recipe: &mut Recipe,
    given: &GivenFiles,
    search: &Search,
    (run, moving): (Run, &mut Moving),
) -> Result<(Assets, Vec<FoundFile>)> {
    for name in given.guides.keys() {
        recipe.guides.entry(name.clone()).or_default();
    }
    for name in given.masks.keys() {
        recipe.regions.entry(name.clone()).or_default();
    }
    let mut files = read_vectors(recipe, given, search)?;
    let mut assets = Assets::default();
    let used = guides_in_use(recipe);
    let stretched = stretched_guides(recipe);
    for (name, guide) in &mut recipe.guides {
        let wanted = Wanted {
            what: format!("the guide `{name}`"),
            group: "guides",
            name,
            file: &guide.file,
            hash: &guide.sha256,
            given: given.guides.get(name).map(PathBuf::as_path),
            folders: false,
        };
        let found = search.find(&wanted)?;
        (guide.file, guide.sha256) = (found.name, found.hash);
        files.push(FoundFile { role: "guide", path: found.path.clone() });
        if !used.contains(name) {
            run.note(Note::Unused { what: "guide", name: name.clone() });
            continue;
        }
        let image = decoded(&found.bytes, search)
            .map_err(|error| Error::from(error).about(&guide.file).at(&found.path))?;
        // What is stretched to the picture's size is to have as much to show there.
        let size = if stretched.contains(name) { guide.size.max(STRETCHED) } else { guide.size };
        let seen = Guide { size, ..guide.clone() };
        let picture = seen.picture(image.color(), image.alpha());
        assets.guides.insert(name.clone(), picture);
    }
    let used = regions_in_use(recipe);
    for (name, region) in &mut recipe.regions {
        let wanted = Wanted {
            what: format!("the mask of the region `{name}`"),
            group: "regions",
            name,
            file: &region.mask,
            hash: &region.sha256,
            given: given.masks.get(name).map(PathBuf::as_path),
            folders: true,
        };
        let found = search.find(&wanted)?;
        (region.mask, region.sha256) = (found.name, found.hash);
        files.push(FoundFile { role: "mask", path: found.path.clone() });
        if !used.contains(name) {
            run.note(Note::Unused { what: "region", name: name.clone() });
            continue;
        }
        if found.path.is_dir() || is_video(&found.path) {
            let size = moving(name, region, &found.path)?;
            // What counts is another mask for each frame, of this size.
            let shape = Shape::new(1, size.height, size.width);
            assets
                .masks
                .insert(name.clone(), Tensor { shape, data: vec![1.0; shape.len()].into() });
            continue;
        }
        let image = decoded(&found.bytes, search)
            .map_err(|error| Error::from(error).about(&region.mask).at(&found.path))?;
        assets.masks.insert(name.clone(), mask(region, &image)?);
    }
    Ok((assets, files))
}

/// The picture in a file's bytes, which leaves most of the memory to the dream.
fn decoded(bytes: &[u8], search: &Search) -> Result<Image, ImageError> {
    let limits = Limits::memory(search.memory);
    match Image::decode_within(bytes, &Limits::memory(search.memory / 8)) {
        Err(ImageError::Memory { .. }) => {
            Image::decode_within(bytes, &limits.in_storage(search.storage))
        }
        decoded => decoded,
    }
}

/// Whether a file is a video, as its content tells.
fn is_video(path: &Path) -> bool {
    let kind = FileKind::of_file(path).ok().flatten();
    kind.is_some_and(|kind| kind.class() == FileClass::Video)
}

/// Takes the mask of the region of this name, which is another one for each frame: a folder or a video. Returns
/// the size of all of them.
pub(crate) type Moving<'a> = dyn FnMut(&str, &Region, &Path) -> Result<Size> + 'a;

/// The one of what has no frames, or whose frames are not known.
pub(crate) fn one_mask(name: &str, _: &Region, path: &Path) -> Result<Size> {
    let what = format!("the mask of the region `{name}`, {}, is not one picture", path.display());
    Err(Error::new(Fault::Picture, what)
        .at(path)
        .hint("A folder or a video of masks, one for each frame, is for dreams on videos."))
}

fn mask(region: &Region, image: &Image) -> Result<Tensor> {
    Ok(region.map(image.color(), image.alpha())?)
}

/// Fills in the values of the vectors that are in files, which it returns.
fn read_vectors(
    recipe: &mut Recipe,
    given: &GivenFiles,
    search: &Search,
) -> Result<Vec<FoundFile>> {
    let mut files = Vec::new();
    for name in given.vectors.keys() {
        recipe.vectors.entry(name.clone()).or_default();
    }
    for (name, vector) in &mut recipe.vectors {
        let given = given.vectors.get(name).map(PathBuf::as_path);
        if given.is_none() && (vector.file.is_empty() || !vector.values.is_empty()) {
            continue;
        }
        let wanted = Wanted {
            what: format!("the vector `{name}`"),
            group: "vectors",
            name,
            file: &vector.file,
            hash: &vector.sha256,
            given,
            folders: false,
        };
        let found = search.find(&wanted)?;
        let values = npy::read(&found.bytes).map_err(|problem| {
            let what = format!("could not read the vector {}: {problem}", found.path.display());
            Error::new(Fault::Recipe, what)
                .at(&found.path)
                .hint("Save one row of numbers with numpy.save().")
        })?;
        (vector.file, vector.sha256, vector.values) = (found.name, found.hash, values);
        files.push(FoundFile { role: "vector", path: found.path });
    }
    Ok(files)
}

/// The terms of a recipe, at whatever time.
fn terms(recipe: &Recipe) -> impl Iterator<Item = &Term> {
    let keyframes = recipe.zoom.iter().flat_map(|zoom| &zoom.keyframes);
    let fading = keyframes.filter_map(|keyframe| keyframe.set.objective.as_ref()).flatten();
    recipe.objective.iter().chain(fading)
}

/// As [`terms`], to be changed.
fn terms_mut(recipe: &mut Recipe) -> impl Iterator<Item = &mut Term> {
    let keyframes = recipe.zoom.iter_mut().flat_map(|zoom| &mut zoom.keyframes);
    let fading = keyframes.filter_map(|keyframe| keyframe.set.objective.as_mut()).flatten();
    recipe.objective.iter_mut().chain(fading)
}

/// The guides that terms name.
fn guides_in_use(recipe: &Recipe) -> Vec<String> {
    terms(recipe).flat_map(|term| &term.guides).cloned().collect()
}

/// The guides that terms look to the same place of.
fn stretched_guides(recipe: &Recipe) -> Vec<String> {
    let stretched = terms(recipe).filter(|term| term.pick == Pick::Place);
    stretched.flat_map(|term| &term.guides).cloned().collect()
}

/// Has the terms of `recipe`, at whatever time, look to the guides that are given, unless one of them does
/// already; those that name something else to grow, or one place, do not. Where no term was `asked` for, there
/// is one on the layer that suits guides.
pub(crate) fn guide_terms(recipe: &mut Recipe, given: &GivenFiles, network: &Network, asked: bool) {
    let used = guides_in_use(recipe);
    let new: Vec<&String> = given.guides.keys().filter(|name| !used.contains(name)).collect();
    if new.is_empty() {
        return;
    }
    if !asked
        && used.is_empty()
        && terms(recipe).count() == recipe.objective.len()
        && let Some(layer) = dream::guide_layer(&network.graph)
    {
        recipe.objective = vec![Term::layer(layer)];
    }
    let whole = |term: &&mut Term| {
        let free = term.class.is_none() && term.channels.is_none() && term.vector.is_none();
        free && term.at.is_none()
    };
    for term in terms_mut(recipe).filter(whole) {
        term.guides.extend(new.iter().map(|name| (*name).clone()));
    }
}

/// The regions that terms are in, at whatever time.
fn regions_in_use(recipe: &Recipe) -> Vec<String> {
    terms(recipe).filter_map(|term| recipe.region_of(term)).map(str::to_owned).collect()
}

/// The way out of a file that is not there or another one: which file to give.
fn give(error: Error, group: &'static str, text: String) -> Error {
    error.turn(Knob::Field(group), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_for_keyframes_terms_too_and_not_for_one_place() {
        let text = r#"
            schema = 1
            objective = [{ layer = "a" }, { layer = "a", at = [0.5, 0.5] }]
            [[zoom.keyframes]]
            at = 2
            set = { objective = [{ layer = "b" }, { layer = "b", channels = [3] }] }
        "#;
        let mut recipe = Recipe::from_toml(text).unwrap();
        let guides = [("flowers".to_owned(), PathBuf::from("flowers.jpg"))].into();
        let given = GivenFiles { guides, ..GivenFiles::default() };
        guide_terms(&mut recipe, &given, &models::squeezenet().unwrap(), false);
        let guided: Vec<bool> = terms(&recipe).map(|term| !term.guides.is_empty()).collect();
        assert_eq!(guided, [true, false, true, false]);
    }
}
