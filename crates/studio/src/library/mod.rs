//! What outlives the program: pictures, the history of what was dreamt on them, saved looks, jobs, settings.
//!
//! An SQLite database that one caller at a time works with. It is an index: pictures are files of their own,
//! and a dream's recipe makes it again. A write is on the disk when its call returns.

mod assets;
mod jobs;
mod looks;
mod nodes;
mod pictures;
mod schema;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction};

use crate::secret::Secret;
use crate::workshop::Failure;

pub(crate) use assets::named;
pub(crate) use jobs::JobRow;
pub(crate) use nodes::{NewNode, NodeChange, Origin};
pub(crate) use pictures::{NewPicture, Stored};

/// The file that it is in.
const FILE: &str = "library.sqlite";

/// The library.
pub(crate) struct Library {
    connection: Mutex<Connection>,
}

impl Library {
    /// Opens the library in a folder, or begins one. A broken one is set aside, and the second value says where.
    ///
    /// # Errors
    /// A library of a newer version of this program, or what the operating system says.
    pub(crate) fn open(folder: &Path) -> std::io::Result<(Self, Option<PathBuf>)> {
        let file = folder.join(FILE);
        let (connection, aside) = match schema::open(&file) {
            Ok(connection) => (connection, None),
            Err(schema::Unusable::Broken) => {
                let aside = schema::set_aside(&file)?;
                let connection = schema::open(&file).map_err(std::io::Error::from)?;
                (connection, Some(aside))
            }
            Err(unusable) => return Err(unusable.into()),
        };
        Ok((Self { connection: Mutex::new(connection) }, aside))
    }

    /// Reads.
    fn read<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Failure> {
        act(&self.connection.lock().unwrap_or_else(PoisonError::into_inner)).map_err(failed)
    }

    /// Writes all that `act` does, or nothing of it.
    fn write<T>(
        &self,
        act: impl FnOnce(&Transaction) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            let transaction = connection.transaction()?;
            let result = act(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        work().map_err(failed)
    }

    /// The one row that a question has, if it has one.
    fn one<T>(
        &self,
        question: &str,
        of: &str,
        read: impl FnOnce(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Failure> {
        self.read(|library| library.query_row(question, [of], read).optional())
    }
}

/// A name that nobody guesses and nothing else has.
pub(crate) fn new_id() -> Result<String, Failure> {
    Ok(Secret::new().map_err(|error| Failure::new("internal", error))?.text().to_owned())
}

/// The time, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Why the library did not do it, in words.
fn failed(error: rusqlite::Error) -> Failure {
    let code = error.sqlite_error_code();
    let what = format!("The library could not be used: {error}.");
    match code {
        Some(ErrorCode::DiskFull) => {
            Failure::new("disk", "The disk is full: the library could not be written.")
                .way_out("Make room on the disk.")
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            Failure::new("disk", what)
        }
        _ => Failure::new("internal", what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(folder: &Path) -> Library {
        Library::open(folder).unwrap().0
    }

    #[test]
    fn what_is_written_is_there_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let set = |value: &str| library(folder.path()).set("surround", value).unwrap();
        set("grey");
        set("white");
        let library = library(folder.path());
        assert_eq!(library.setting("surround").unwrap().as_deref(), Some("white"));
        assert_eq!(library.setting("other").unwrap(), None);
    }

    #[test]
    fn a_library_of_a_newer_version_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        drop(library(folder.path()));
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
        drop(connection);
        let error = Library::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("newer version of this program"), "{error}");
        // It is as it was.
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 1000);
    }

    #[test]
    fn a_broken_library_is_set_aside_and_never_deleted() {
        let folder = tempfile::tempdir().unwrap();
        for (number, bytes) in
            [b"this is no database".repeat(100), vec![0; 8192]].iter().enumerate()
        {
            std::fs::write(folder.path().join(FILE), bytes).unwrap();
            let (library, aside) = Library::open(folder.path()).unwrap();
            library.set("a", "b").unwrap();
            let aside = aside.unwrap();
            assert_eq!(
                aside.file_name().unwrap(),
                &*format!("library.broken-{}.sqlite", number + 1)
            );
            assert_eq!(&std::fs::read(aside).unwrap(), bytes);
        }
    }

    #[test]
    fn damage_is_found_after_an_end_that_was_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        {
            let library = library(folder.path());
            for number in 0..500 {
                library.set(&format!("name {number}"), &"x".repeat(200)).unwrap();
            }
        }
        // A page in the middle is overwritten, and a log stands beside it as after a kill.
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 4096 / 2 * 4096;
        bytes[middle..middle + 4096].fill(0x5a);
        std::fs::write(&file, &bytes).unwrap();
        std::fs::write(folder.path().join("library.sqlite-wal"), [0; 64]).unwrap();
        let (_, aside) = Library::open(folder.path()).unwrap();
        assert_eq!(std::fs::read(aside.unwrap()).unwrap(), bytes);
    }

    #[cfg(unix)]
    #[test]
    fn its_files_are_only_for_their_owner() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let library = library(folder.path());
        library.set("a", "b").unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert!(files.len() > 1);
        for file in files {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.file_name());
        }
    }
}
