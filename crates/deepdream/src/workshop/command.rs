//! A recipe as a command: what one types to dream the same on the command line.

use dream::{Preset, Recipe};
use graph::Network;

use super::recipes::base;

/// The command line that makes a recipe's dream of the file `photo`, or of noise, no larger than `longest`. What the
/// network's usual recipe has goes without saying.
pub(super) fn line(
    recipe: &Recipe,
    network: &Network,
    photo: &str,
    longest: Option<u32>,
) -> String {
    let mut words = vec!["deepdream".to_owned(), "image".to_owned()];
    match recipe.noise {
        Some(noise) => {
            words.extend(["--noise".into(), format!("{}x{}", noise.width, noise.height)])
        }
        None => words.push(argument(photo)),
    }
    words.extend(["--model".to_owned(), quoted(&recipe.model.name)]);
    if recipe.preset != Preset::Default {
        words.extend(["--preset".to_owned(), recipe.preset.name().to_owned()]);
    }
    if let Some(longest) = longest {
        words.extend(["--size".to_owned(), longest.to_string()]);
    }
    for change in recipe.changes(&base(network, recipe)) {
        let value = change.after.unwrap_or_else(|| "none".to_owned());
        words.extend(["--set".to_owned(), quoted(&format!("{}={value}", change.setting))]);
    }
    // A name is none of what a recipe is told apart by, but people know files by it.
    let guides = recipe.guides.iter().map(|(name, guide)| ("guides", name, "file", &guide.file));
    let masks = recipe.regions.iter().map(|(name, region)| ("regions", name, "mask", &region.mask));
    for (group, name, field, file) in guides.chain(masks) {
        words.extend([
            "--set".to_owned(),
            quoted(&format!("{group}.{name}.{field}={}", toml::Value::from(file.as_str()))),
        ]);
    }
    words.join(" ")
}

/// A file's name as an argument, which begins with no dash.
fn argument(name: &str) -> String {
    match name.starts_with('-') {
        true => quoted(&format!("./{name}")),
        false => quoted(name),
    }
}

/// A word as shells read it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,+".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_what_is_not_usual() {
        let network = models::squeezenet().unwrap();
        let mut recipe = Recipe::with_preset(&network, Preset::Default);
        let line = |recipe: &Recipe, name| line(recipe, &network, name, None);
        assert_eq!(line(&recipe, "a.jpg"), "deepdream image a.jpg --model squeezenet");
        recipe.set("octaves.count", "3").unwrap();
        recipe.set("objective", "[{ class = 483 }]").unwrap();
        let said = line(&recipe, "-my cup's.jpg");
        assert!(said.starts_with(r"deepdream image './-my cup'\''s.jpg' --model"), "{said}");
        assert!(said.contains(" --set octaves.count=3"), "{said}");
        assert!(said.contains("--set 'objective=[{ class = 483, weight = 1.0 }]'"), "{said}");
        // Letters that are written apart from their accents are plain in TOML.
        let guide = dream::Guide { file: "cafe\u{301}.png".to_owned(), ..dream::Guide::default() };
        recipe.guides.insert("guide".to_owned(), guide);
        let said = line(&recipe, "a.jpg");
        assert!(said.contains("guides.guide.file=\"cafe\u{301}.png\""), "{said}");
    }
}
