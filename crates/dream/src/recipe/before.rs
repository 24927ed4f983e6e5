//! Recipes of earlier versions: what they leave out means what it meant then.

use graph::Network;
use toml::{Table, Value};

use super::{FinishCurve, Octaves, Preset, Recipe, text};

/// The last version whose recipes say nothing of an anchor: major, minor, patch.
const LAST: [u64; 3] = [0, 2, 0];

/// Whether one of those versions wrote the recipe. One that names no version is written by hand, for the
/// program that reads it.
pub(super) fn wrote(table: &Table) -> bool {
    table.get("version").and_then(Value::as_str).and_then(numbers).is_some_and(|it| it <= LAST)
}

/// A preset's values as they were, on a network; `None` is one that is not yet known.
pub(super) fn values(network: Option<&Network>, preset: Preset) -> Recipe {
    let mut recipe = match (network, preset) {
        (Some(network), Preset::Default) => Recipe::with_preset(network, Preset::Classic),
        (Some(network), preset) => Recipe::with_preset(network, preset),
        (None, preset) => preset.applied_to(Recipe::default()),
    };
    recipe.preset = preset;
    recipe.octaves.anchor = Octaves::FULL;
    recipe.finish.curve = FinishCurve::Straight;
    recipe
}

/// Fills in what a program did that wrote a recipe without saying so. One that names no version is written by
/// hand, for the program that reads it.
pub(super) fn fill(table: &mut Table) {
    if !table.contains_key("version") {
        return;
    }
    let finish = table.entry("finish").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(finish) = finish {
        finish.entry("curve").or_insert_with(|| "straight".into());
    }
}

/// The settings that those versions wrote into every recipe, by name.
pub(super) fn names() -> Table {
    let mut names = text::names(&Recipe::default());
    for added in ["noise_kind", "balance", "penalty", "finish"] {
        names.remove(added);
    }
    let mut keep = |group: &str, known: &[&str]| {
        let group = names.get_mut(group).and_then(Value::as_table_mut);
        group.into_iter().for_each(|group| group.retain(|name, _| known.contains(&name)));
    };
    keep("octaves", &["count", "scale", "detail", "blur", "filter"]);
    let ascent = ["iterations", "step", "jitter", "normalisation", "smoothing", "smoothing_growth"];
    keep("ascent", &ascent);
    names
}

/// The three numbers a version starts with.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let release = version.split(['-', '+']).next()?;
    let mut parts = release.split('.').map(|part| part.parse().ok());
    let mut next = || parts.next().flatten();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_by_their_numbers() {
        let wrote = |line: &str| wrote(&line.parse().unwrap());
        for old in ["0.1.0", "0.2.0", "0.1.12", "0.2.0-rc.1", "0.2.0+build.5"] {
            assert!(wrote(&format!("version = \"{old}\"")), "{old}");
        }
        for new in ["0.2.1", "0.10.0", "1.0.0", "", "newest", "0.2"] {
            assert!(!wrote(&format!("version = \"{new}\"")), "{new}");
        }
        assert!(!wrote("schema = 1"));
        assert!(!wrote("version = 1"));
    }
}
