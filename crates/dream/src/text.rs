//! Recipes as TOML.

use graph::Network;
use serde::Deserialize;
use toml::Table;

use crate::{Preset, Recipe, RecipeError};

impl Recipe {
    /// Reads a recipe. What the text leaves out is what its preset says, on a network not yet known;
    /// [`Recipe::from_toml_for`] knows it.
    ///
    /// # Errors
    /// Text that is no TOML, has unknown or mistyped fields, or values outside their range.
    pub fn from_toml(text: &str) -> Result<Recipe, RecipeError> {
        Self::read(text, |preset| {
            let mut base = Recipe::default();
            preset.edit(&mut base);
            base
        })
    }

    /// Reads a recipe. What the text leaves out is what its preset says for `network`.
    ///
    /// # Errors
    /// As [`Recipe::from_toml`].
    pub fn from_toml_for(text: &str, network: &Network) -> Result<Recipe, RecipeError> {
        Self::read(text, |preset| Recipe::with_preset(network, preset))
    }

    /// The recipe as text that [`Recipe::from_toml`] reads back without loss.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, words and lists of them can be written")
    }

    /// Every knob, as a line of text each, in which this recipe is not as it was `before`. The
    /// program's version counts as one.
    pub fn differences(&self, before: &Recipe) -> Vec<String> {
        let lines = |recipe: &Recipe| {
            let mut lines = Vec::new();
            flatten("", &toml::Value::try_from(recipe).expect("as for `to_toml`"), &mut lines);
            lines
        };
        let (now, before) = (lines(self), lines(before));
        let find = |lines: &[(String, String)], knob: &str| {
            let value = lines.iter().find(|(name, _)| name == knob).map(|(_, value)| value.clone());
            value.unwrap_or_else(|| "nothing".into())
        };
        let mut knobs: Vec<&String> = before.iter().chain(&now).map(|(name, _)| name).collect();
        knobs.sort();
        knobs.dedup();
        knobs
            .into_iter()
            .map(|knob| (knob, find(&before, knob), find(&now, knob)))
            .filter(|(_, was, is)| was != is)
            .map(|(knob, was, is)| format!("{knob} was {was} and is now {is}"))
            .collect()
    }

    fn read(text: &str, base: impl Fn(Preset) -> Recipe) -> Result<Recipe, RecipeError> {
        let wrong = |error: toml::de::Error| RecipeError::Text(error.to_string());
        // First for what is wrong and where; then, as a table, over the preset's own values.
        let said: Recipe = toml::from_str(text).map_err(wrong)?;
        let mut table = Table::try_from(base(said.preset))
            .map_err(|error| RecipeError::Text(error.to_string()))?;
        table.extend(text.parse::<Table>().map_err(wrong)?);
        let recipe = Recipe::deserialize(table).map_err(wrong)?;
        recipe.validate()?;
        Ok(recipe)
    }
}

/// The values of a table and of the tables in it, by their names with dots between.
fn flatten(prefix: &str, value: &toml::Value, lines: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(&format!("{prefix}{dot}{name}"), value, lines);
            }
        }
        value => lines.push((prefix.to_owned(), value.to_string())),
    }
}
