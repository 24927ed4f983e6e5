//! What the studio's form is made from: every setting with what it is, and a recipe's values.

use dream::{ClassId, Kind, Preset, Recipe, Setting, Term};
use graph::Network;
use serde::Serialize;
use serde_json::{Map, Value, json};
use toml::Value as Toml;

/// What is no setting of a picture, or has a place of its own on the page.
const ELSEWHERE: [&str; 9] =
    ["schema", "version", "model", "preset", "objective", "noise", "zoom", "video", "size"];

/// Settings whose names the recipe chooses itself.
const NAMED: [&str; 3] = ["guides", "regions", "vectors"];

/// The settings, the looks and the version.
pub(super) fn form() -> Value {
    let settings: Vec<Value> = settings().iter().map(described).collect();
    let looks: Vec<Value> =
        looks().map(|preset| json!({ "name": preset.name(), "about": preset.about() })).collect();
    json!({ "settings": settings, "looks": looks, "version": env!("CARGO_PKG_VERSION") })
}

fn settings() -> Vec<Setting> {
    let is_shown = |setting: &Setting| {
        let group = setting.path.split('.').next().unwrap_or_default();
        !ELSEWHERE.contains(&group) && !NAMED.contains(&group)
    };
    Recipe::settings().into_iter().filter(is_shown).collect()
}

fn described(setting: &Setting) -> Value {
    let Setting { path, about, default, choices, kind, .. } = setting;
    let mut described = json!({ "path": path, "about": about, "default": default });
    let more = match kind {
        Kind::Number { least, most, whole } => {
            json!({ "kind": "number", "least": least, "most": most, "whole": whole })
        }
        Kind::Switch => json!({ "kind": "switch" }),
        Kind::Choice => json!({ "kind": "choice", "choices": choices }),
        Kind::Other => json!({ "kind": "text" }),
    };
    if let (Value::Object(described), Value::Object(more)) = (&mut described, more) {
        described.extend(more);
    }
    described
}

/// The looks that are offered: the default is that of `figures`.
fn looks() -> impl Iterator<Item = Preset> {
    Preset::ALL.into_iter().filter(|preset| *preset != Preset::Figures)
}

/// The recipe's values, and which of them are not as they were `before` anybody changed them.
pub(super) fn view(recipe: &Recipe, before: Option<&Recipe>, network: Option<&Network>) -> Value {
    let (now, usual) = (values(recipe), values(before.unwrap_or(recipe)));
    let changed: Vec<&String> = now
        .iter()
        .filter(|(path, value)| usual.get(*path) != Some(value))
        .map(|(path, _)| path)
        .collect();
    let labels = network.map_or(&[][..], |network| &network.labels);
    let names: Vec<String> = recipe.objective.iter().map(|term| name(term, labels)).collect();
    json!({
        "version": recipe.version,
        "network": recipe.model.name,
        "look": recipe.preset.name(),
        "title": title(&names),
        "values": now,
        "usual": usual,
        "changed": changed,
        "objective": json_of(&recipe.objective),
        "names": names,
        "guides": json_of(&recipe.guides),
        "regions": json_of(&recipe.regions),
        "own_objective": before.is_some_and(|before| before.objective != recipe.objective),
    })
}

/// A part of a recipe, numbers as it writes them.
fn json_of(part: &impl Serialize) -> Option<Value> {
    let text = serde_json::to_string(part).ok()?;
    serde_json::from_str(&text).ok()
}

/// What a term is called, however much it counts.
fn name(term: &Term, labels: &[String]) -> String {
    let label = match term.class {
        Some(ClassId::Number(number)) => labels.get(number as usize),
        _ => None,
    };
    match label.and_then(|label| label.split(',').next()) {
        Some(short) => short.to_owned(),
        None => term.to_string(),
    }
}

/// What a dream of these terms is called.
fn title(names: &[String]) -> String {
    let first = names.first().cloned().unwrap_or_default();
    match names.len().saturating_sub(1) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The values of the settings that are shown, as texts by their paths.
fn values(recipe: &Recipe) -> Map<String, Value> {
    let table: toml::Table = recipe.to_toml().parse().expect("it reads what it writes");
    let root = Toml::Table(table);
    let mut values = Map::new();
    for setting in settings() {
        let found = setting.path.split('.').try_fold(&root, |value, part| value.get(part));
        let text = match found {
            Some(Toml::Table(choice)) if setting.kind == Kind::Choice => {
                choice.keys().next().cloned().unwrap_or_default()
            }
            Some(Toml::String(word)) => word.clone(),
            Some(value) => value.to_string(),
            // A setting of a choice that is not chosen, or one that may be left out.
            None if setting.default == "none" => "none".to_owned(),
            None => continue,
        };
        values.insert(setting.path, text.into());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_recipes_write() {
        let mut recipe = Recipe::default();
        recipe.set("tiles.rolled.size", "400").unwrap();
        recipe.set("seed", "9223372036854775807").unwrap();
        let view = view(&recipe, Some(&Recipe::default()), None);
        let values = &view["values"];
        assert_eq!(values["octaves.scale"], "1.4");
        assert_eq!(values["tiles"], "rolled");
        assert_eq!(values["tiles.rolled.size"], "400");
        assert_eq!(values["seed"], "9223372036854775807");
        assert_eq!(values["octaves.filter"], "bilinear");
        assert_eq!(view["changed"], json!(["seed", "tiles", "tiles.rolled.size"]));
        // Whatever is shown can be set to what is shown.
        for (path, value) in values.as_object().unwrap() {
            recipe.set(path, value.as_str().unwrap()).unwrap();
        }
    }
}
