//! How the library is laid out, and how older ones become that: forward only, one step a version.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

/// What makes each version of the one before; the first makes it of nothing. None is ever changed.
const STEPS: [&str; 5] = [
    include_str!("1.sql"),
    include_str!("2.sql"),
    include_str!("3.sql"),
    include_str!("4.sql"),
    include_str!("5.sql"),
];

/// Why a library cannot be used.
pub(super) enum Unusable {
    /// It is damaged, or no library at all.
    Broken,
    /// It is of a later version.
    Newer(i64, PathBuf),
    /// Whatever else.
    Other(rusqlite::Error, PathBuf),
}

impl From<Unusable> for Error {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Broken => Error::new(ErrorKind::InvalidData, "the library is broken"),
            Unusable::Newer(version, file) => Error::new(
                ErrorKind::InvalidData,
                format!(
                    "the library {} was written by a newer version of this program: it has layout {version}, this \
                     version reads up to {}. Use the newer program, or move the file away to begin another library",
                    file.display(),
                    STEPS.len()
                ),
            ),
            Unusable::Other(error, file) => {
                Error::other(format!("could not open the library {}: {error}", file.display()))
            }
        }
    }
}

/// Opens the database, checks it if its last user came to no proper end, and brings it up to date.
pub(super) fn open(file: &Path) -> Result<Connection, Unusable> {
    // Closing it properly removes the log.
    let ended = !with_ending(file, "-wal").exists();
    let other = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Unusable::Broken,
        _ => Unusable::Other(error, file.to_owned()),
    };
    private(file).map_err(|error| {
        Unusable::Other(rusqlite::Error::ToSqlConversionFailure(error.into()), file.to_owned())
    })?;
    let mut connection = Connection::open(file).map_err(other)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(other)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(other)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(other)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(other)?;
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(other)?;
    let known = STEPS.len() as i64;
    if version > known {
        return Err(Unusable::Newer(version, file.to_owned()));
    }
    if !ended {
        let found: String =
            connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(other)?;
        if found != "ok" {
            return Err(Unusable::Broken);
        }
    }
    for (step, number) in STEPS.iter().zip(1..).skip(version.max(0) as usize) {
        let transaction = connection.transaction().map_err(other)?;
        transaction.execute_batch(step).map_err(other)?;
        transaction.pragma_update(None, "user_version", number).map_err(other)?;
        transaction.commit().map_err(other)?;
    }
    Ok(connection)
}

/// Makes the file, if there is none, so that only its owner can read it; SQLite gives the log the same rights.
fn private(file: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

/// Gives a broken library another name, with the log that may belong to it; returns the name.
pub(super) fn set_aside(file: &Path) -> std::io::Result<PathBuf> {
    let named = |number: u32| file.with_file_name(format!("library.broken-{number}.sqlite"));
    let aside = (1..).map(named).find(|aside| !aside.exists()).expect("there are many numbers");
    fs::rename(file, &aside)?;
    for ending in ["-wal", "-shm"] {
        match fs::rename(with_ending(file, ending), with_ending(&aside, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{FILE, Library, NodeChange, Origin};

    /// A library as a program of this layout has left it: a photo, two cards, a look and a job.
    fn left_by(layout: usize, file: &Path) {
        let library = Connection::open(file).unwrap();
        for step in &STEPS[..layout] {
            library.execute_batch(step).unwrap();
        }
        library.pragma_update(None, "user_version", layout as i64).unwrap();
        library
            .execute_batch(
                "INSERT INTO pictures (id, name, extension, width, height, bytes, added, used) \
                 VALUES ('sky', 'sky.jpg', 'jpg', 640, 480, 1000, 1, 2); \
                 INSERT INTO nodes (id, picture, parent, title, width, height, longest, made, recipe, small) \
                 VALUES ('one', 'sky', NULL, 'mixed4c', 640, 480, 640, 3, 'recipe one', x'01'), \
                        ('two', 'sky', 'one', 'mixed4d', 640, 480, 640, 4, 'recipe two', x'02'); \
                 INSERT INTO looks VALUES ('look', 'dogs', 5, 'recipe of dogs'); \
                 INSERT INTO jobs (id, key, place, state, made, wanted, recipe) \
                 VALUES ('job', 'key', 7, 'waiting', 6, '{}', 'recipe of the job'); \
                 INSERT INTO settings VALUES ('queue.paused', 'true');",
            )
            .unwrap();
        if layout >= 2 {
            library.execute("UPDATE nodes SET exact = 'png of ' || id", []).unwrap();
        }
        if layout >= 4 {
            library.execute("UPDATE nodes SET pixels = 'pixels of ' || id", []).unwrap();
        }
    }

    #[test]
    fn a_library_of_every_older_layout_is_brought_up_to_date_and_loses_nothing() {
        for layout in 1..=STEPS.len() {
            let folder = tempfile::tempdir().unwrap();
            left_by(layout, &folder.path().join(FILE));
            let (library, aside) = Library::open(folder.path()).unwrap();
            assert_eq!(aside, None, "layout {layout}");
            let known = |since: usize, text: &str| match layout >= since {
                true => text.to_owned(),
                false => String::new(),
            };
            let photo = library.picture("sky").unwrap().unwrap();
            assert_eq!((&*photo.name, photo.used, photo.moves), ("sky.jpg", 2, None));
            let nodes = library.nodes("sky").unwrap();
            let nodes: Vec<_> = nodes.iter().map(|one| (&*one.id, one.parent.as_deref())).collect();
            assert_eq!(nodes, [("one", None), ("two", Some("one"))], "layout {layout}");
            let wanted = Origin {
                picture: "sky".into(),
                recipe: "recipe two".into(),
                settled: None,
                longest: 640,
                exact: known(2, "png of two"),
                pixels: known(4, "pixels of two"),
            };
            assert_eq!(library.origin("two").unwrap(), Some(wanted), "layout {layout}");
            assert_eq!(library.small_of_node("two").unwrap().unwrap(), [2]);
            assert_eq!(library.looks().unwrap()[0].recipe, "recipe of dogs");
            let jobs = library.jobs(10).unwrap();
            assert_eq!((&*jobs[0].id, &*jobs[0].recipe), ("job", "recipe of the job"));
            assert_eq!(library.job_of_key("key").unwrap().as_deref(), Some("job"));
            assert_eq!(library.setting("queue.paused").unwrap().as_deref(), Some("true"));
            // What the newest layout has can be written.
            library.settle_node("one", "pixels", "settled").unwrap();
            library.give_asset("mask").unwrap();
            let star = NodeChange { star: Some(true), ..NodeChange::default() };
            assert!(library.change_node("one", &star).unwrap());
            drop(library);
            // It is brought up to date once.
            let (library, aside) = Library::open(folder.path()).unwrap();
            assert_eq!(aside, None);
            assert_eq!(library.origin("one").unwrap().unwrap().settled.unwrap(), "settled");
            assert!(library.has_asset("mask").unwrap());
        }
    }
}
