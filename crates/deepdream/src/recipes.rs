//! Recipes by themselves, without a dream: read, changed and compared, and the presets they start from.

use dream::{Preset, Recipe, Term};
use graph::Network;
use serde::Serialize;

use crate::base::Base;
use crate::{Error, Fault, RecipeRequest, Result, TermText};

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

/// The recipe that a request asks for, whether or not the files it names are there. What it leaves open is what
/// was chosen for `network` or, without one, stays open.
///
/// # Errors
/// A recipe that cannot be read, a field that does not exist, a value outside its range, or settings that do not
/// go together.
pub fn recipe(request: &RecipeRequest, network: Option<&Network>) -> Result<Recipe> {
    let base = request.base.as_ref().map(Base::read).transpose()?;
    let preset = request.preset;
    let mut recipe = match (&base, network) {
        (Some(base), Some(network)) => base.recipe_for(network)?,
        (Some(base), None) => base.stated().clone(),
        (None, Some(network)) => Recipe::with_preset(network, preset.unwrap_or_default()),
        (None, None) => Recipe::default().following(preset.unwrap_or_default()),
    };
    if let (Some(_), Some(preset)) = (&base, preset) {
        recipe = recipe.following(preset);
    }
    if !request.terms.is_empty() {
        let read = |text: &TermText| match (network, text) {
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

fn wrong(problem: String) -> Error {
    Error::new(Fault::Usage, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecipeSource;

    fn of(text: &str) -> RecipeRequest {
        let (name, text) = ("mine".to_owned(), text.to_owned());
        RecipeRequest { base: Some(RecipeSource::Text { name, text }), ..Default::default() }
    }

    #[test]
    fn a_preset_changes_the_rules_of_a_recipe_and_nothing_else() {
        let text = "schema = 1\nseed = 7\nsize = 300\n[ascent]\nstep = 0.02\n\
            [[objective]]\nlayer = \"a\"\n[finish]\nmix = 0.5\n";
        let mut request = of(text);
        let before = recipe(&request, None).unwrap();
        request.preset = Some(Preset::Classic);
        request.set("octaves.count", 3);
        let after = recipe(&request, None).unwrap();
        assert_eq!((after.seed, after.size, after.preset), (7, Some(300), Preset::Classic));
        assert_eq!((&after.objective, after.finish.mix), (&before.objective, 0.5));
        assert_eq!((after.ascent.step, after.octaves.count), (1.1, 3));
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let mut request = of("schema = 1\n");
        request.set("ascent.parametrisation", "spectrum");
        request.set("ascent.step", 1.5);
        let error = recipe(&request, None).unwrap_err();
        assert!(error.to_string().contains("far too long"), "{error}");
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
