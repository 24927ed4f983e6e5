//! Looks that people have saved: recipes without photo, mask, size and seed, by their names.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{Library, new_id, now};
use crate::workshop::Failure;

/// How many there may be.
const MOST: usize = 1000;

/// A look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SavedLook {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) recipe: String,
}

fn look(row: &Row) -> rusqlite::Result<SavedLook> {
    Ok(SavedLook { id: row.get(0)?, name: row.get(1)?, recipe: row.get(2)? })
}

impl Library {
    /// Saves a look; returns its id.
    ///
    /// # Errors
    /// As many as there may be, or a name that another look has.
    pub(crate) fn save_look(&self, name: &str, recipe: &str) -> Result<String, Failure> {
        let before = self.looks()?;
        if before.len() >= MOST {
            let what = format!("There are {MOST} looks, and room for no more.");
            return Err(Failure::new("full", what).way_out("Remove one first."));
        }
        check_free(&before, name, None)?;
        let id = new_id()?;
        let save = "INSERT INTO looks VALUES (?1, ?2, ?3, ?4)";
        self.write(|library| library.execute(save, params![id, name, now(), recipe]))?;
        Ok(id)
    }

    /// All looks, the oldest first.
    pub(crate) fn looks(&self) -> Result<Vec<SavedLook>, Failure> {
        self.read(|library| {
            let mut all =
                library.prepare_cached("SELECT id, name, recipe FROM looks ORDER BY made")?;
            all.query_map([], look)?.collect()
        })
    }

    /// The look of this id.
    pub(crate) fn look(&self, id: &str) -> Result<Option<SavedLook>, Failure> {
        self.one("SELECT id, name, recipe FROM looks WHERE id = ?1", id, look)
    }

    /// Gives a look another name; returns whether it is there.
    ///
    /// # Errors
    /// A name that another look has.
    pub(crate) fn rename_look(&self, id: &str, name: &str) -> Result<bool, Failure> {
        check_free(&self.looks()?, name, Some(id))?;
        let rename = "UPDATE looks SET name = ?2 WHERE id = ?1";
        self.write(|library| Ok(library.execute(rename, [id, name])? == 1))
    }

    /// Removes a look; returns it, so that it can be saved again.
    pub(crate) fn remove_look(&self, id: &str) -> Result<Option<SavedLook>, Failure> {
        let remove = "DELETE FROM looks WHERE id = ?1 RETURNING id, name, recipe";
        self.write(|library| library.query_row(remove, [id], look).optional())
    }
}

/// Refuses a name that a look other than `id` has.
fn check_free(looks: &[SavedLook], name: &str, id: Option<&str>) -> Result<(), Failure> {
    match looks.iter().any(|look| look.name == name && Some(&*look.id) != id) {
        true => {
            let what = format!("Another look is called {name}.");
            Err(Failure::new("usage", what).way_out("Choose another name."))
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_saved_renamed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (library, _) = Library::open(folder.path()).unwrap();
        let dogs = library.save_look("dogs", "a").unwrap();
        assert!(library.save_look("dogs", "b").unwrap_err().detail.contains("dogs"));
        let eyes = library.save_look("eyes", "c").unwrap();
        assert!(library.rename_look(&eyes, "dogs").unwrap_err().detail.contains("dogs"));
        assert!(library.rename_look(&eyes, "all eyes").unwrap());
        let seen: Vec<_> =
            library.looks().unwrap().into_iter().map(|look| (look.name, look.recipe)).collect();
        assert!(seen.contains(&("dogs".into(), "a".into())));
        assert!(seen.contains(&("all eyes".into(), "c".into())));
        assert_eq!(library.look(&dogs).unwrap().unwrap().recipe, "a");
        assert_eq!(library.remove_look(&dogs).unwrap().unwrap().recipe, "a");
        assert_eq!(library.look(&dogs).unwrap(), None);
        assert_eq!(library.remove_look(&dogs).unwrap(), None);
        assert_eq!(library.looks().unwrap().len(), 1);
    }
}
