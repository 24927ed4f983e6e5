//! Guides and masks that the studio was given, so that those can go which nothing names any more: each stroke of a
//! mask is a file of its own.

use std::collections::HashSet;

use rusqlite::OptionalExtension;

use super::{Library, now};
use crate::workshop::Failure;

/// How many digits a hash has.
const DIGITS: usize = 64;

impl Library {
    /// Notes that a file was given.
    pub(crate) fn give_asset(&self, id: &str) -> Result<(), Failure> {
        let give = "INSERT INTO assets (id, given) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET given = ?2";
        self.write(|library| library.execute(give, rusqlite::params![id, now()]).map(drop))
    }

    /// Whether a file was given here.
    pub(crate) fn has_asset(&self, id: &str) -> Result<bool, Failure> {
        let known = self.one("SELECT 1 FROM assets WHERE id = ?1", id, |_| Ok(()))?;
        Ok(known.is_some())
    }

    /// Keeps all files for ever that a recipe names which leaves the library.
    pub(crate) fn keep_assets(&self, recipe: &str) -> Result<(), Failure> {
        let keep = "UPDATE assets SET kept = 1 WHERE id = ?1 AND kept = 0";
        self.write(|library| {
            let mut keep = library.prepare_cached(keep)?;
            named(recipe).try_for_each(|id| keep.execute([&id]).map(drop))
        })
    }

    /// The files that were last given before a time and that no card and no look names.
    pub(crate) fn unnamed_assets(&self, before: i64) -> Result<Vec<String>, Failure> {
        let given = "SELECT id FROM assets WHERE kept = 0 AND given < ?1";
        let recipes = "SELECT recipe FROM nodes UNION ALL SELECT recipe FROM looks";
        self.read(|library| {
            let mut given = library.prepare_cached(given)?;
            let mut open: HashSet<String> =
                given.query_map([before], |row| row.get(0))?.collect::<Result<_, _>>()?;
            if open.is_empty() {
                return Ok(Vec::new());
            }
            let mut recipes = library.prepare_cached(recipes)?;
            let mut rows = recipes.query([])?;
            while let Some(row) = rows.next()? {
                let recipe: String = row.get(0)?;
                for id in named(&recipe) {
                    open.remove(&id);
                }
            }
            Ok(open.into_iter().collect())
        })
    }

    /// Whether a file was last given before a time, and nothing outside the library may name it.
    pub(crate) fn can_forget_asset(&self, id: &str, before: i64) -> Result<bool, Failure> {
        let can = "SELECT given < ?2 AND kept = 0 FROM assets WHERE id = ?1";
        self.read(|library| {
            let can = library.query_row(can, rusqlite::params![id, before], |row| row.get(0));
            Ok(can.optional()?.unwrap_or(false))
        })
    }

    /// Forgets a file.
    pub(crate) fn forget_asset(&self, id: &str) -> Result<(), Failure> {
        self.write(|library| library.execute("DELETE FROM assets WHERE id = ?1", [id]).map(drop))
    }
}

/// What may be hashes in a recipe, in small letters: recipes may have large ones.
pub(crate) fn named(recipe: &str) -> impl Iterator<Item = String> {
    let words = recipe.split(|letter: char| !letter.is_ascii_hexdigit());
    words.filter(|word| word.len() == DIGITS).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{NewNode, now};

    #[test]
    fn files_that_nothing_names_are_those_that_can_go() {
        let folder = tempfile::tempdir().unwrap();
        let (library, _) = Library::open(folder.path()).unwrap();
        let ids = ["a", "b", "c", "d"].map(|digit| digit.repeat(DIGITS));
        for id in &ids {
            library.give_asset(id).unwrap();
        }
        let [card, look, saved, free] = &ids;
        let recipe = |id: &str| format!("[regions.mask]\nsha256 = \"{id}\"\n");
        let (card_recipe, later) = (recipe(&card.to_uppercase()), now() + 1000);
        library
            .add_node(&NewNode {
                picture: "sky",
                parent: None,
                recipe: &card_recipe,
                title: "dream",
                size: (1, 1),
                longest: 1,
                settled: "",
                exact: "",
                pixels: "",
                small: b"",
            })
            .unwrap();
        library.save_look("dogs", &recipe(look)).unwrap();
        library.keep_assets(&recipe(saved)).unwrap();
        assert_eq!(library.unnamed_assets(0).unwrap(), [""; 0]);
        assert_eq!(library.unnamed_assets(later).unwrap(), [free.as_str()]);
        // It may have been given again since.
        assert!(!library.can_forget_asset(free, 0).unwrap());
        assert!(library.can_forget_asset(free, later).unwrap());
        library.forget_asset(free).unwrap();
        assert!(!library.has_asset(free).unwrap());
        assert!(!library.can_forget_asset(free, later).unwrap());
        // What was kept stays so however often it is given.
        library.give_asset(saved).unwrap();
        assert!(!library.can_forget_asset(saved, later).unwrap());
    }
}
