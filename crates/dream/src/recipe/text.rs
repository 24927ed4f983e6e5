//! Recipes as TOML.

use graph::Network;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Recipe, RecipeError, SCHEMA, before, legacy, names, settings, types};

/// The groups of which a text may give parts, the rest being the preset's.
const MERGED: [&str; 4] = ["octaves", "ascent", "penalty", "finish"];

/// How many letters of a value sentences show.
const MOST_SHOWN: usize = 200;

impl Recipe {
    /// Reads a recipe. What the text leaves out is what its preset says, on a network not yet known;
    /// [`Recipe::from_toml_for`] knows it.
    ///
    /// # Errors
    /// Text that is not TOML, has unknown or mistyped settings, or values outside their range.
    pub fn from_toml(text: &str) -> Result<Recipe, RecipeError> {
        read(text, None)
    }

    /// Reads a recipe. What the text leaves out is what its preset says for `network`.
    ///
    /// # Errors
    /// As [`Recipe::from_toml`].
    pub fn from_toml_for(text: &str, network: &Network) -> Result<Recipe, RecipeError> {
        read(text, Some(network))
    }

    /// Whether a recipe's text says all that depends on a preset or a network, so that it means the same whoever
    /// reads it.
    ///
    /// # Errors
    /// Text that is not TOML.
    pub fn says_everything(text: &str) -> Result<bool, RecipeError> {
        let said = text.parse::<Table>().map_err(|error| RecipeError::of_text(&error))?;
        let (objective, usual) = match said.contains_key("schema") {
            false => ("layers", legacy::names()),
            true if before::wrote(&said) => ("objective", before::names()),
            true => ("objective", names(&Recipe::default())),
        };
        let objective = said.get(objective).and_then(Value::as_array);
        Ok(objective.is_some_and(|terms| !terms.is_empty()) && has_all(&usual, &said))
    }

    /// The recipe as text that [`Recipe::from_toml`] reads back without loss.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, words and lists of them can be written")
    }

    /// Every setting, as a line of text each, in which this recipe is not as it was `before`. The
    /// program's version is none: a recipe means the same to every version that reads its schema. Nor is the
    /// name of a file whose hash is known.
    pub fn differences(&self, before: &Recipe) -> Vec<String> {
        let sentence = |Change { setting, before, after }: Change| {
            let word = |value: Option<String>| value.map_or("nothing".into(), shortened);
            format!("{setting} was {} and is now {}", word(before), word(after))
        };
        self.changes(before).into_iter().map(sentence).collect()
    }

    /// Every setting in which this recipe is not as it was `before`, by its path. The program's version is
    /// none, and neither is the name of a file whose hash is known, nor the curve of a finish that bends nothing.
    pub fn changes(&self, before: &Recipe) -> Vec<Change> {
        let bends = [self, before]
            .iter()
            .any(|recipe| recipe.finish.saturation > 1.0 || recipe.finish.contrast > 1.0);
        let lines = |recipe: &Recipe| {
            let mut lines = Vec::new();
            let mut table: Table = recipe.to_toml().parse().expect("it reads what it writes");
            table.remove("version");
            forget_names(&mut table);
            if !bends {
                forget_curve(&mut table);
            }
            flatten("", &Value::Table(table), &mut lines);
            lines
        };
        let (now, before) = (lines(self), lines(before));
        let find = |lines: &[(String, String)], path: &str| {
            lines.iter().find(|(name, _)| name == path).map(|(_, value)| value.clone())
        };
        let mut paths: Vec<&String> = before.iter().chain(&now).map(|(name, _)| name).collect();
        paths.sort();
        paths.dedup();
        paths
            .into_iter()
            .map(|path| Change {
                setting: path.clone(),
                before: find(&before, path),
                after: find(&now, path),
            })
            .filter(|change| change.before != change.after)
            .collect()
    }
}

/// A setting in which two recipes differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its path, such as `octaves.count`.
    pub setting: String,
    /// Its value in the one, in TOML; `None` where the recipe does not have it.
    pub before: Option<String>,
    /// Its value in the other.
    pub after: Option<String>,
}

/// Reads a recipe of any schema. What it leaves out is what its preset says for the network.
fn read(text: &str, network: Option<&Network>) -> Result<Recipe, RecipeError> {
    let mut table = text.parse::<Table>().map_err(|error| RecipeError::of_text(&error))?;
    match table.get("schema") {
        None => return legacy::read(text, table, network),
        Some(Value::Integer(found)) if *found == i64::from(SCHEMA) => {}
        Some(found) => return Err(RecipeError::Schema { found: found.to_string() }),
    }
    names::renew(&mut table);
    let said: Recipe = toml::from_str(text).map_err(|error| unreadable(text, &table, &error))?;
    settings::check(&table)?;
    before::fill(&mut table);
    let base = match network {
        _ if before::wrote(&table) => before::values(network, said.preset),
        Some(network) => Recipe::with_preset(network, said.preset),
        None => said.preset.applied_to(Recipe::default()),
    };
    let mut merged = Table::try_from(base).expect("as for `to_toml`");
    for (name, value) in table {
        match (merged.get_mut(&name), value) {
            (Some(Value::Table(group)), Value::Table(part)) if MERGED.contains(&&*name) => {
                group.extend(part);
            }
            (_, value) => {
                merged.insert(name, value);
            }
        }
    }
    let recipe: Recipe = of_table(&merged).map_err(RecipeError::Text)?;
    recipe.validate()?;
    Ok(recipe)
}

/// Reads what a table says, or says why it cannot be read. From its text, as everything that was written is:
/// the code that reads recipes from values would be as large again.
pub(super) fn of_table<T: DeserializeOwned>(table: &Table) -> Result<T, String> {
    toml::from_str(&table.to_string()).map_err(|error| types::in_words(error.message()))
}

/// The settings that every recipe has, by name.
pub(super) fn names(recipe: &impl Serialize) -> Table {
    Table::try_from(recipe).expect("numbers, words and lists of them can be written")
}

/// Whether what is `said` has all the names that are `usual`, in groups too.
fn has_all(usual: &Table, said: &Table) -> bool {
    usual.iter().all(|(name, usual)| match (usual, said.get(name)) {
        (Value::Table(usual), Some(Value::Table(said))) if MERGED.contains(&&**name) => {
            has_all(usual, said)
        }
        (_, said) => said.is_some(),
    })
}

/// Why a text is not a recipe: best, which setting does not exist and which was meant.
fn unreadable(text: &str, table: &Table, error: &toml::de::Error) -> RecipeError {
    let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
    match settings::check(table).and_then(|()| types::check(table)) {
        Err(RecipeError::Unknown { path, near, .. }) => RecipeError::Unknown { path, near, line },
        Err(error @ RecipeError::Keyframe { .. }) => error,
        Err(error) => RecipeError::Text(match line.filter(|line| error.is_at(text, *line)) {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        }),
        Ok(()) => RecipeError::of_text(error),
    }
}

/// A value with the end left out, if it is longer than anybody reads.
fn shortened(mut value: String) -> String {
    if let Some((end, _)) = value.char_indices().nth(MOST_SHOWN) {
        value.truncate(end);
        value.push('…');
    }
    value
}

/// Takes out the names of files that their hashes tell from all others.
fn forget_names(table: &mut Table) {
    for (group, file) in [("guides", "file"), ("regions", "mask"), ("vectors", "file")] {
        let group = table.get_mut(group).and_then(Value::as_table_mut);
        let named = group.into_iter().flat_map(|group| group.iter_mut());
        for (_, value) in named {
            let Some(one) = value.as_table_mut() else { continue };
            if one.get("sha256").and_then(Value::as_str).is_some_and(|hash| !hash.is_empty()) {
                one.remove(file);
            }
        }
    }
}

/// Takes out how saturation and contrast end, for recipes that have neither above 1.
fn forget_curve(table: &mut Table) {
    if let Some(finish) = table.get_mut("finish").and_then(Value::as_table_mut) {
        finish.remove("curve");
    }
}

/// The values of a table and of the tables in it, by their names with dots between.
fn flatten(prefix: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                flatten(&settings::joined(prefix, name), value, lines);
            }
        }
        value => lines.push((prefix.to_owned(), value.to_string())),
    }
}
