//! The pictures and videos that came in, by the hashes of their files.

use rusqlite::{Params, Row, params};
use serde::Serialize;

use super::{Library, now};
use crate::workshop::Failure;

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Stored {
    /// SHA-256 of its file, in hexadecimal.
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) extension: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bytes: u64,
    /// How many seconds a video has, and frames in each of them.
    pub(crate) moves: Option<(f64, f64)>,
    /// When it last was on the desk, in milliseconds since 1970.
    pub(crate) used: i64,
    /// When it went to the trash, if it is there.
    #[serde(skip)]
    pub(crate) trashed: Option<i64>,
}

/// A picture that comes in.
pub(crate) struct NewPicture<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) extension: &'a str,
    pub(crate) size: (u32, u32),
    pub(crate) bytes: u64,
    pub(crate) moves: Option<(f64, f64)>,
}

const COLUMNS: &str =
    "SELECT id, name, extension, width, height, bytes, used, trashed, seconds, rate FROM pictures";

fn stored(row: &Row) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        name: row.get(1)?,
        extension: row.get(2)?,
        width: row.get(3)?,
        height: row.get(4)?,
        bytes: row.get(5)?,
        used: row.get(6)?,
        trashed: row.get(7)?,
        moves: row.get::<_, Option<f64>>(8)?.zip(row.get(9)?),
    })
}

impl Library {
    /// Takes a picture in. One that is there already keeps its name, and comes back from the trash.
    pub(crate) fn add_picture(&self, new: &NewPicture) -> Result<(), Failure> {
        let add = "INSERT INTO pictures \
                   (id, name, extension, width, height, bytes, added, used, seconds, rate) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9) \
                   ON CONFLICT (id) DO UPDATE SET used = ?7, trashed = NULL";
        let NewPicture { id, name, extension, size: (width, height), bytes, moves } = new;
        let (seconds, rate) = moves.unzip();
        self.write(|library| {
            library
                .execute(
                    add,
                    params![id, name, extension, width, height, bytes, now(), seconds, rate],
                )
                .map(drop)
        })
    }

    /// The picture of this hash, in the trash or not.
    pub(crate) fn picture(&self, id: &str) -> Result<Option<Stored>, Failure> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), id, stored)
    }

    /// All pictures and videos that are not in the trash, the one used last first.
    pub(crate) fn pictures(&self) -> Result<Vec<Stored>, Failure> {
        self.listed(&format!("{COLUMNS} WHERE trashed IS NULL ORDER BY used DESC"), [])
    }

    /// The pictures that went to the trash before a time.
    pub(crate) fn trashed_before(&self, time: i64) -> Result<Vec<Stored>, Failure> {
        self.listed(&format!("{COLUMNS} WHERE trashed < ?1"), [time])
    }

    fn listed(&self, question: &str, values: impl Params) -> Result<Vec<Stored>, Failure> {
        self.read(|library| library.prepare(question)?.query_map(values, stored)?.collect())
    }

    /// The small JPEG of a picture.
    pub(crate) fn small_of_picture(&self, id: &str) -> Result<Option<Vec<u8>>, Failure> {
        let small = self.one("SELECT small FROM pictures WHERE id = ?1", id, |row| row.get(0))?;
        Ok(small.flatten())
    }

    /// Keeps a small JPEG of a picture.
    pub(crate) fn keep_small_of_picture(&self, id: &str, small: &[u8]) -> Result<(), Failure> {
        let keep = "UPDATE pictures SET small = ?2 WHERE id = ?1";
        self.write(|library| library.execute(keep, params![id, small]).map(drop))
    }

    /// The picture is on the desk.
    pub(crate) fn use_picture(&self, id: &str) -> Result<(), Failure> {
        let used = "UPDATE pictures SET used = ?2 WHERE id = ?1";
        self.write(|library| library.execute(used, params![id, now()]).map(drop))
    }

    /// Gives a picture another name; returns whether it is there.
    pub(crate) fn rename_picture(&self, id: &str, name: &str) -> Result<bool, Failure> {
        let rename = "UPDATE pictures SET name = ?2 WHERE id = ?1";
        self.write(|library| Ok(library.execute(rename, [id, name])? == 1))
    }

    /// Puts a picture into the trash, or takes it out; returns whether it is there.
    pub(crate) fn trash_picture(&self, id: &str, trash: bool) -> Result<bool, Failure> {
        let put = "UPDATE pictures SET trashed = ?2 WHERE id = ?1";
        let when = trash.then(now);
        self.write(|library| Ok(library.execute(put, params![id, when])? == 1))
    }

    /// Forgets a picture for good, and what was dreamt on it.
    pub(crate) fn forget_picture(&self, id: &str) -> Result<(), Failure> {
        // What came from them on other pictures begins there.
        let orphaned = "UPDATE nodes SET parent = NULL \
                        WHERE parent IN (SELECT id FROM nodes WHERE picture = ?1)";
        self.write(|library| {
            library.execute(orphaned, [id])?;
            library.execute("DELETE FROM nodes WHERE picture = ?1", [id])?;
            library.execute("DELETE FROM pictures WHERE id = ?1", [id]).map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_named_used_trashed_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let (library, _) = Library::open(folder.path()).unwrap();
        let add = |id, name| {
            let new =
                NewPicture { id, name, extension: "png", size: (64, 48), bytes: 7, moves: None };
            library.add_picture(&new).unwrap();
        };
        let names = || -> Vec<String> {
            library.pictures().unwrap().into_iter().map(|picture| picture.name).collect()
        };
        let moment = || std::thread::sleep(std::time::Duration::from_millis(2));
        add("a", "sky");
        moment();
        add("b", "cup");
        assert_eq!(names(), ["cup", "sky"]);
        moment();
        library.use_picture("a").unwrap();
        assert!(library.rename_picture("a", "heaven").unwrap());
        assert!(!library.rename_picture("c", "heaven").unwrap());
        // The same bytes again are the same picture.
        add("a", "sky");
        assert_eq!(names(), ["heaven", "cup"]);
        assert!(library.trash_picture("a", true).unwrap());
        assert_eq!(names(), ["cup"]);
        assert_eq!(library.trashed_before(i64::MAX).unwrap()[0].id, "a");
        assert_eq!(library.trashed_before(now() - 1000).unwrap(), []);
        assert!(library.trash_picture("a", false).unwrap());
        assert_eq!(names().len(), 2);
        assert_eq!(library.small_of_picture("a").unwrap(), None);
        library.keep_small_of_picture("a", b"jpeg").unwrap();
        assert_eq!(library.small_of_picture("a").unwrap().unwrap(), b"jpeg");
        library.forget_picture("a").unwrap();
        assert_eq!(library.picture("a").unwrap(), None);
    }
}
