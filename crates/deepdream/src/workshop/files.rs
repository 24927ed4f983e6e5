//! The guides and masks of the studio's recipes: pictures that are kept under the hashes of their files, where
//! the command line finds them too.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dream::{Assets, Guide, Recipe, Region, Term};
use graph::Network;

use super::recipes::base;
use crate::assets::{folder_of_pictures, guide_terms, resolve_stored, stored};
use crate::output::{reason, sha256};
use crate::progress::Run;
use crate::{Error, Fault, GivenFiles, Result};

/// What the first guide is called.
const GUIDE: &str = "guide";

/// What a mask that is painted is called: nobody has named a file.
const PAINTED: &str = "mask.png";

/// Keeps a file under its hash, in place of one there that is not what its name says.
///
/// # Errors
/// A folder that cannot be written in.
pub(super) fn keep(file: &Path, hash: &str, extension: &str) -> Result<()> {
    let known = stored(hash);
    let is_whole = |path: &Path| sha256(path).is_ok_and(|found| found.eq_ignore_ascii_case(hash));
    if known.as_deref().is_some_and(is_whole) {
        return Ok(());
    }
    let folder = folder_of_pictures()?;
    let keep = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let mut kept = tempfile::NamedTempFile::new_in(&folder)?;
        std::io::copy(&mut fs::File::open(file)?, &mut kept)?;
        kept.as_file().sync_all()?;
        let place = folder.join(format!("{hash}.{extension}"));
        kept.persist(&place)?;
        if let Some(broken) = known.as_ref().filter(|broken| **broken != place) {
            fs::remove_file(broken)?;
        }
        Ok(())
    };
    keep().map_err(|error| {
        let what =
            format!("could not keep the picture in {}: {}", folder.display(), reason(&error));
        Error::new(Fault::Output, what).at(&folder)
    })
}

/// Removes the file that is kept under a hash, if there is one.
///
/// # Errors
/// A folder that cannot be written in.
pub(super) fn remove(hash: &str) -> Result<()> {
    let Some(file) = stored(hash) else { return Ok(()) };
    fs::remove_file(&file).map_err(|error| {
        let what = format!("could not remove {}: {}", file.display(), reason(&error));
        Error::new(Fault::Output, what).at(&file)
    })
}

/// How many recipes' files stay decoded: the one that is steered, and those behind it.
const DECODED: usize = 3;

/// The files of the recipes that were dreamt last, decoded: a knob that is moved reads none again.
#[derive(Default)]
pub(super) struct Decoded(Vec<(String, Assets)>);

impl Decoded {
    /// The files that `recipe` names, decoded; what it lacks of their names is written into it.
    ///
    /// # Errors
    /// A file that is not kept or cannot be read.
    pub(super) fn of(&mut self, recipe: &mut Recipe, memory: u64, run: Run) -> Result<Assets> {
        if recipe.guides.is_empty() && recipe.regions.is_empty() && recipe.vectors.is_empty() {
            return Ok(Assets::default());
        }
        // All that decides what is read, and how.
        let Recipe { objective, guides, regions, vectors, .. } = recipe.clone();
        let key = Recipe { objective, guides, regions, vectors, ..Recipe::default() }.to_toml();
        if let Some((_, assets)) = self.0.iter().find(|(known, _)| *known == key) {
            return Ok(assets.clone());
        }
        let before = recipe.clone();
        let assets = resolve_stored(recipe, memory, run)?;
        // What is written into a recipe is so each time.
        if *recipe == before {
            self.0.insert(0, (key, assets.clone()));
            self.0.truncate(DECODED);
        }
        Ok(assets)
    }
}

/// Has `recipe` look to a picture that is kept.
///
/// # Errors
/// It is not kept.
pub(super) fn guided(recipe: &mut Recipe, network: &Network, id: &str, name: &str) -> Result<()> {
    check_kept(id, name)?;
    let names = std::iter::once(GUIDE.to_owned()).chain((2..).map(|n| format!("{GUIDE}{n}")));
    let is_free = |name: &String| !recipe.guides.contains_key(name);
    let Some(free) = names.into_iter().find(is_free) else { return Ok(()) };
    let guide = Guide { file: name.to_owned(), sha256: id.to_owned(), ..Guide::default() };
    let asked = recipe.objective != base(network, recipe).objective;
    recipe.guides.insert(free.clone(), guide);
    look_to([free], recipe, network, asked);
    Ok(())
}

/// Has the whole layers of `recipe` look to these of its guides, as a request with guides has them.
fn look_to(
    names: impl IntoIterator<Item = String>,
    recipe: &mut Recipe,
    network: &Network,
    asked: bool,
) {
    let guides: BTreeMap<_, _> = names.into_iter().map(|name| (name, Default::default())).collect();
    let given = GivenFiles { guides, ..GivenFiles::default() };
    guide_terms(recipe, &given, network, asked);
}

/// Has `recipe`, whose objective is that of another network, look to its guides.
pub(super) fn guided_again(recipe: &mut Recipe, network: &Network) {
    let names: Vec<String> = recipe.guides.keys().cloned().collect();
    look_to(names, recipe, network, false);
}

/// Takes a guide out of `recipe`. What was chosen for it alone goes with it.
pub(super) fn unguided(recipe: &mut Recipe, network: &Network, name: &str) {
    recipe.guides.remove(name);
    for term in &mut recipe.objective {
        term.guides.retain(|guide| guide != name);
    }
    let layer = dream::guide_layer(&network.graph);
    if let ([term], Some(layer)) = (&recipe.objective[..], layer)
        && *term == Term::layer(layer)
    {
        recipe.objective = base(network, recipe).objective;
    }
}

/// Dreams only where a picture that is kept is bright, or everywhere. What is set of the mask stays.
///
/// # Errors
/// It is not kept.
pub(super) fn masked(recipe: &mut Recipe, id: Option<&str>) -> Result<()> {
    let Some(id) = id else {
        recipe.regions.remove(Recipe::USUAL_REGION);
        return Ok(());
    };
    check_kept(id, PAINTED)?;
    let region = recipe.regions.entry(Recipe::USUAL_REGION.to_owned()).or_insert_with(|| {
        // How soft it is, is painted.
        Region { feather: 0.0, ..Region::default() }
    });
    (region.mask, region.sha256) = (PAINTED.to_owned(), id.to_owned());
    Ok(())
}

fn check_kept(id: &str, name: &str) -> Result<()> {
    match stored(id) {
        Some(_) => Ok(()),
        None => {
            let what = format!("{name} is not among the stored pictures");
            Err(Error::new(Fault::Picture, what).hint("Give its file once more."))
        }
    }
}

/// Sees that the files of a recipe that somebody brings are kept.
///
/// # Errors
/// The first that is not, or that has no hash by which it could be.
pub(super) fn check_files(recipe: &Recipe) -> Result<()> {
    let guides = recipe.guides.values().map(|guide| ("guides", &guide.file, &guide.sha256));
    let masks = recipe.regions.values().map(|region| ("regions", &region.mask, &region.sha256));
    let vectors = recipe.vectors.values().filter(|vector| vector.values.is_empty());
    let vectors = vectors.map(|vector| ("vectors", &vector.file, &vector.sha256));
    for (group, file, hash) in guides.chain(masks).chain(vectors) {
        if stored(hash).is_some() {
            continue;
        }
        let name = if file.is_empty() { "a file" } else { file };
        if hash.is_empty() {
            let what = format!("this recipe names {name} without its checksum (`{group}`)");
            let hint =
                "Dream by it on the command line: what it makes carries a recipe that has it.";
            return Err(Error::new(Fault::Recipe, what).hint(hint));
        }
        let what = format!("this recipe needs {name}, which is not among the stored pictures");
        return Err(Error::new(Fault::Recipe, what)
            .turn(crate::Knob::Field(group), "Give that file, then take the recipe once more."));
    }
    Ok(())
}
