//! Any setting by its path: what a form, a flag or another language changes a recipe with.

use toml::{Table, Value};

use super::{Recipe, RecipeError, names, settings, text, types};

impl Recipe {
    /// Sets what is at `path`, such as `octaves.count` or `tiles.rolled.size`, to a value written in
    /// TOML. A word needs no quotes, and `none` leaves out what may be left out. Of a group such as `ascent.wobble`
    /// those settings change that the value has in braces. After an error the recipe is as it was. [`Recipe::settings`] lists the paths.
    ///
    /// # Errors
    /// A path that does not exist, with the nearest ones; a value that cannot be or is outside its
    /// range.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), RecipeError> {
        let path = names::present(path);
        let mut table = Table::try_from(&*self).expect("recipes can be written");
        match self::value(value) {
            Value::Table(group) if settings::is_group(path) => place_all(&mut table, path, group),
            new => {
                let setting = settings::find(path)?;
                if value.trim() == "none" && setting.default.starts_with("none") {
                    remove(&mut table, path);
                } else {
                    place(&mut table, path, new);
                }
            }
        }
        settings::check(&table)?;
        types::check(&table).map_err(|error| match error {
            RecipeError::Value { setting, problem, .. } if setting == path => {
                RecipeError::Value { setting, value: value.to_owned(), problem }
            }
            error => error,
        })?;
        let recipe: Recipe = text::of_table(&table).map_err(|problem| RecipeError::Value {
            setting: path.to_owned(),
            value: value.to_owned(),
            problem,
        })?;
        recipe.validate()?;
        *self = recipe;
        Ok(())
    }
}

/// A value as TOML has it; what is none is a word.
pub(crate) fn value(text: &str) -> Value {
    let read = toml::from_str::<Table>(&format!("value = {text}")).ok();
    let alone = read.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    // A whole number can be too large for TOML, and is out of a range then.
    let number = || text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    alone.or_else(|| number().map(Value::Float)).unwrap_or_else(|| text.trim().into())
}

/// Puts a value where `path` says. Groups on the way are made; a choice on the way becomes the word
/// that `path` has after it.
pub(crate) fn place(table: &mut Table, path: &str, value: Value) {
    let (mut group, mut way) = (table, String::new());
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        way = settings::joined(&way, name);
        let Some(next) = names.peek() else {
            // A choice that is named again keeps its settings.
            let chosen =
                group.get(name).and_then(Value::as_table).filter(|_| settings::is_choice(&way));
            if !chosen.zip(value.as_str()).is_some_and(|(chosen, word)| chosen.contains_key(word)) {
                group.insert(name.to_owned(), value);
            }
            return;
        };
        let slot = group.entry(name).or_insert_with(|| Value::Table(Table::new()));
        let other = settings::is_choice(&way) && slot.get(*next).is_none();
        if other || !slot.is_table() {
            *slot = Value::Table(Table::new());
        }
        let Value::Table(inner) = slot else { return };
        group = inner;
    }
}

/// Puts the settings of a group, and those of groups in it, where they belong.
fn place_all(table: &mut Table, path: &str, group: Table) {
    for (name, value) in group {
        let path = settings::joined(path, &name);
        match value {
            Value::Table(inner) if settings::is_group(&path) => place_all(table, &path, inner),
            value => place(table, &path, value),
        }
    }
}

fn remove(table: &mut Table, path: &str) {
    let Some((group, name)) = path.rsplit_once('.') else {
        table.remove(path);
        return;
    };
    let place = group
        .split('.')
        .try_fold(table, |table, name| table.get_mut(name).and_then(Value::as_table_mut));
    if let Some(table) = place {
        table.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Bound, Coherence, Detail, Filter, NoiseStart, Normalisation, Optimiser, Parametrisation,
        Term, Tiles, Video, Wobble,
    };

    #[test]
    fn every_kind_of_setting_can_be_set() {
        let mut recipe = Recipe::default();
        for (path, value) in [
            ("seed", "7"),
            ("octaves.count", "6"),
            ("octaves.scale", "2"),
            ("octaves.filter", "lanczos"),
            ("octaves.detail", "{ blend = { share = 0.5 } }"),
            ("octaves.detail.blend.share", "0.25"),
            ("ascent.normalisation", "\"laplacian\""),
            ("ascent.clamp", "false"),
            ("ascent.optimiser", "adam"),
            ("ascent.optimiser.adam.betas", "[0, 0.95]"),
            ("ascent.parametrisation", "spectrum"),
            ("ascent.chroma", "0"),
            ("tiles.rolled.size", "300"),
            ("tiles.scattered.size", "200"),
            ("tiles", "scattered"),
            ("size", "640"),
            ("noise", "{ width = 20, height = 10 }"),
            ("objective", "[{ layer = \"a\" }, { layer = \"b\", weight = -2 }]"),
            ("zoom.motion.shift", "[0.1, -0.2]"),
            ("video.coherence.blend.share", "0.3"),
            ("model.name", "a network"),
        ] {
            recipe.set(path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        assert_eq!((recipe.seed, recipe.size), (7, Some(640)));
        assert_eq!((recipe.octaves.count, recipe.octaves.scale), (6, 2.0));
        assert_eq!(recipe.octaves.filter, Filter::Lanczos);
        assert_eq!(recipe.octaves.detail, Detail::Blend { share: 0.25 });
        assert_eq!(recipe.ascent.normalisation, Normalisation::Laplacian { levels: 4 });
        assert_eq!(recipe.ascent.bound, Bound::None);
        recipe.set("ascent.bound", "sigmoid").unwrap();
        assert_eq!(recipe.ascent.bound, Bound::Sigmoid);
        assert_eq!(recipe.ascent.optimiser, Optimiser::Adam { betas: [0.0, 0.95] });
        assert_eq!(recipe.ascent.parametrisation, Parametrisation::Spectrum);
        assert_eq!(recipe.ascent.chroma, 0.0);
        assert_eq!(recipe.tiles, Tiles::Scattered { size: 200 });
        assert_eq!(recipe.noise, Some(NoiseStart { width: 20, height: 10 }));
        assert_eq!(recipe.objective, [Term::layer("a"), Term::layer("b").weighing(-2.0)]);
        assert_eq!(recipe.zoom.as_ref().unwrap().motion.shift, [0.1, -0.2]);
        let coherence = Coherence::Blend { share: 0.3 };
        assert_eq!(recipe.video, Some(Video { coherence }));
        assert_eq!(recipe.model.name, "a network");
        recipe.set("ascent.wobble", "{ scale = [0.9, 1.1], angle = 10 }").unwrap();
        assert_eq!(recipe.ascent.wobble, Wobble { scale: [0.9, 1.1], angle: 10.0 });
        recipe.set("ascent.wobble", "{ angle = 5 }").unwrap();
        assert_eq!(recipe.ascent.wobble, Wobble { scale: [0.9, 1.1], angle: 5.0 });
        recipe.set("zoom", "{ fps = 24, motion = { zoom = 1.5 } }").unwrap();
        let zoom = recipe.zoom.as_ref().unwrap();
        assert_eq!((zoom.fps, zoom.motion.zoom, zoom.motion.shift), (24.0, 1.5, [0.1, -0.2]));
        recipe.set("size", "none").unwrap();
        recipe.set("noise", "none").unwrap();
        assert_eq!((recipe.size, recipe.noise), (None, None));
    }

    #[test]
    fn what_cannot_be_set_changes_nothing_and_says_why() {
        let mut recipe = Recipe::default();
        for (path, value, wanted) in [
            ("octave.count", "3", "did you mean `octaves.count`?"),
            ("octaves", "3", "`octaves.count`"),
            (
                "octaves.count",
                "three",
                "`octaves.count` cannot be three: it takes a whole number from 1 to 32, such as 4",
            ),
            ("octaves.count", "2.5", "it takes a whole number from 1 to 32, such as 4"),
            ("ascent.jitter", "-1", "it takes a whole number from 0 to 4096, such as 32"),
            ("ascent.step", "big", "it takes a number from 0 to 1000, such as "),
            ("subtract_mean", "1", "`subtract_mean` cannot be 1: it takes true or false"),
            ("size", "large", "such as 640"),
            ("ascent.wobble.scale", "1.1", "it takes a list of 2 numbers, such as [0.9, 1.1]"),
            (
                "ascent.wobble",
                "{ scale = 1 }",
                "`ascent.wobble.scale` cannot be 1: it takes a list",
            ),
            ("ascent.wobble", "{ scael = [1, 1] }", "did you mean `ascent.wobble.scale`?"),
            ("ascent.wobble", "3", "`ascent.wobble.scale`"),
            ("tiles", "{ rolled = 3 }", "`tiles.rolled` cannot be 3: it is a group of settings"),
            (
                "octaves.anchor",
                "2.5",
                "it takes a whole number of pixels, such as 640, or \"full\"",
            ),
            ("octaves.anchor", "-4", "it takes a whole number of pixels"),
            ("seed", "9223372036854775808", "from 0 to 9223372036854775807, such as 0"),
            ("model.name", "3", "it takes text in quotation marks"),
            ("objective", "a", "it takes a list of settings in braces"),
            ("objective", "[{ layer = 3 }]", "it takes text in quotation marks, not 3"),
            (
                "zoom.keyframes",
                "[{ at = 1, set = { ascent = { step = \"x\" } } }]",
                "keyframe at 1 s",
            ),
            ("ascent.step", "1000000000000000000000000000000", "but must be"),
            ("ascent.step", "1e300", "but must be"),
            ("octaves.count", "0", "`octaves.count` is 0, but must be 1 to 32"),
            ("octaves.count", "3\nseed = 4", "cannot be"),
            ("tiles", "roled", "`rolled`"),
            ("tiles.roled.size", "3", "`tiles.rolled.size`"),
            ("schema", "2", "`schema` is 2"),
            ("zoom.keyframes", "[{ at = 1, set = { seed = 1 } }]", "`seed` is the same"),
        ] {
            let said = recipe.set(path, value).unwrap_err().to_string();
            assert!(said.contains(wanted), "{path}: {said}");
            assert_eq!(recipe, Recipe::default());
        }
    }
}
