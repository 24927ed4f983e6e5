//! Settings: texts by name.

use super::Library;
use crate::workshop::Failure;

impl Library {
    /// A setting, if it was ever set.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, Failure> {
        self.one("SELECT value FROM settings WHERE name = ?1", name, |row| row.get(0))
    }

    /// Gives a setting a value.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<(), Failure> {
        let set =
            "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
        self.write(|library| library.execute(set, [name, value]).map(drop))
    }
}
