//! Recipes by themselves, without a dream: read, changed and compared, and the presets they start from.

use std::path::Path;

use dream::{Preset, Recipe, Term};
use media::{FileClass, FileKind, ImageFormat};
use serde::Serialize;

use crate::base::Base;
use crate::{Error, Fault, Input, Knob, NetworkChoice, Output, RecipeRequest, Result, TermText};

/// A preset, and what it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetInfo {
    /// Its name in recipes.
    pub name: &'static str,
    /// What it does, as the rest of a sentence.
    pub about: &'static str,
    /// The recipe that has nothing but its settings.
    pub recipe: Recipe,
}

/// Every preset, in the order in which they are offered.
pub fn presets() -> Vec<PresetInfo> {
    let info = |preset: Preset| PresetInfo {
        name: preset.name(),
        about: preset.about(),
        recipe: Recipe::default().following(preset),
    };
    Preset::ALL.into_iter().map(info).collect()
}

/// The recipe that a request asks for, whether or not the files it names are there. What it leaves open is what a
/// dream would choose for the network, which is opened only where something is left open, or where it is named.
///
/// # Errors
/// A recipe or a network that cannot be read, a field that does not exist, a value outside its range, or settings
/// that do not go together.
pub fn recipe(request: &RecipeRequest, network: &NetworkChoice) -> Result<Recipe> {
    let base = request.base.as_ref().map(Base::read).transpose()?;
    let whole = base.as_ref().and_then(Base::whole);
    let network = match (whole, network) {
        (Some(_), NetworkChoice::Default) => None,
        _ => Some(network.load_for(base.as_ref())?),
    };
    let mut recipe = match (&base, whole, &network) {
        (Some(base), _, Some(network)) => base.recipe_for(network)?,
        (None, _, Some(network)) => {
            Recipe::with_preset(network, request.preset.unwrap_or_default())
        }
        (_, whole, None) => whole.cloned().unwrap_or_default(),
    };
    if let (Some(_), Some(preset)) = (&base, request.preset) {
        recipe = recipe.following(preset);
    }
    if !request.terms.is_empty() {
        let read = |text: &TermText| match (&network, text) {
            (Some(network), text) => text.read(network),
            (None, TermText::Layer(text)) => text.parse().map_err(wrong),
            (None, TermText::Class(text)) => Term::parse_class(text).map_err(wrong),
            (None, TermText::Read(term)) => Ok(term.clone()),
        };
        recipe.objective = request.terms.iter().map(read).collect::<Result<_>>()?;
    }
    for edit in &request.edits {
        recipe.set(&edit.path, &edit.value)?;
    }
    recipe.validate()?;
    recipe.validate_together()?;
    Ok(recipe)
}

/// Writes a recipe into a TOML file of its own, in the place of one that is there already only with `overwrite`.
/// `source` is the file that the recipe was made from, if there is one: a recipe's own file may be replaced, a
/// dream may not.
///
/// # Errors
/// A name that pictures or movies have, a file that exists, or what the operating system says.
pub fn write_recipe(
    recipe: &Recipe,
    path: &Path,
    source: Option<&Path>,
    overwrite: bool,
) -> Result<()> {
    if is_dreams_name(path) {
        let what = format!("could not write {}: a recipe is written as TOML", path.display());
        return Err(Error::new(Fault::Output, what)
            .at(path)
            .turn(Knob::Output, "Choose a name such as look.toml."));
    }
    let output = Output::new(path.to_owned(), overwrite)?;
    let dream = source.filter(|source| !is_text(source));
    output.spare(dream.map(|source| Input::new("dream", source)))?;
    output.write(recipe.to_toml().as_bytes())
}

/// Whether pictures or movies have such a name.
fn is_dreams_name(path: &Path) -> bool {
    let is_picture = ImageFormat::of_name(path).is_ok();
    #[cfg(feature = "video")]
    let is_picture = is_picture || media::movie::MovieFormat::choose(path, None, false).is_ok();
    is_picture
}

/// Whether a file is a recipe's own, as its content tells.
fn is_text(path: &Path) -> bool {
    let kind = FileKind::of_file(path).ok().flatten();
    kind.is_none_or(|kind| matches!(kind.class(), FileClass::Recipe | FileClass::Text))
}

fn wrong(problem: String) -> Error {
    Error::new(Fault::Usage, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecipeSource;

    fn recipe(request: &RecipeRequest) -> Result<Recipe> {
        super::recipe(request, &NetworkChoice::Named(models::BUILT_IN.to_owned()))
    }

    fn of(text: &str) -> RecipeRequest {
        let (name, text) = ("mine".to_owned(), text.to_owned());
        RecipeRequest { base: Some(RecipeSource::Text { name, text }), ..Default::default() }
    }

    #[test]
    fn a_preset_changes_the_rules_of_a_recipe_and_nothing_else() {
        let text = "schema = 1\nseed = 7\nsize = 300\n[ascent]\nstep = 0.02\n\
            [[objective]]\nlayer = \"a\"\n[finish]\nmix = 0.5\n";
        let mut request = of(text);
        let before = recipe(&request).unwrap();
        request.preset = Some(Preset::Classic);
        request.set("octaves.count", 3);
        let after = recipe(&request).unwrap();
        assert_eq!((after.seed, after.size, after.preset), (7, Some(300), Preset::Classic));
        assert_eq!((&after.objective, after.finish.mix), (&before.objective, 0.5));
        assert_eq!((after.ascent.step, after.octaves.count), (1.1, 3));
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let mut request = of("schema = 1\n");
        request.set("ascent.parametrisation", "spectrum");
        request.set("ascent.step", 1.5);
        let error = recipe(&request).unwrap_err();
        assert!(error.to_string().contains("far too long"), "{error}");
    }

    #[test]
    fn what_a_recipe_leaves_out_is_what_a_dream_takes() {
        let network = models::squeezenet().unwrap();
        let usual = Recipe::for_network(&network);
        let request = of("schema = 1\nseed = 7\n[model]\nname = \"squeezenet\"\nhash = \"\"\n");
        let of_model = super::recipe(&request, &NetworkChoice::Default).unwrap();
        assert_eq!((of_model.seed, &of_model.objective), (7, &usual.objective));
        assert_eq!((&of_model.ascent, &of_model.octaves), (&usual.ascent, &usual.octaves));
        // One that says everything needs no network, whichever it names.
        let mut whole = of_model;
        whole.model.name = "nowhere".to_owned();
        let read = super::recipe(&of(&whole.to_toml()), &NetworkChoice::Default).unwrap();
        assert_eq!(read, whole);
    }

    #[test]
    fn a_recipe_is_written_over_a_recipe_and_over_no_dream() {
        let folder = tempfile::tempdir().unwrap();
        let (recipe, look) = (Recipe::default(), folder.path().join("look.toml"));
        for name in ["film.mp4", "film.GIF", "dream.jpg"] {
            let path = folder.path().join(name);
            assert!(write_recipe(&recipe, &path, None, true).is_err(), "{name}");
        }
        write_recipe(&recipe, &look, None, false).unwrap();
        assert!(write_recipe(&recipe, &look, Some(&look), false).is_err());
        write_recipe(&recipe, &look, Some(&look), true).unwrap();
        std::fs::write(&look, b"\x89PNG\r\n\x1a\n").unwrap();
        assert!(write_recipe(&recipe, &look, Some(&look), true).is_err());
    }

    #[test]
    fn every_preset_has_words_and_rules_of_its_own() {
        let presets = presets();
        assert_eq!(presets.len(), Preset::ALL.len());
        for one in &presets {
            assert!(!one.about.is_empty());
            assert_eq!(one.recipe.preset.name(), one.name);
        }
    }
}
