#![no_main]
//! Bytes as a recipe's text, of this version or an older one.

use dream::Recipe;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::from_toml(text) {
        let again = Recipe::from_toml(&recipe.to_toml()).expect("what was written can be read");
        assert_eq!(again, recipe);
    }
});
