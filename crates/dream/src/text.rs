//! Recipes as TOML.

use net::Network;
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
