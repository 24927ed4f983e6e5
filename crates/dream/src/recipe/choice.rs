//! How a choice is read: as a word, `"rolled"`, or with its settings, `{ rolled = { size = 300 } }`.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use toml::{Table, Value};

/// Reads a choice; a word stands for one with its usual settings.
pub(crate) fn read<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    T::deserialize(value.clone()).or_else(|error| {
        let Value::String(word) = value else { return Err(D::Error::custom(error.message())) };
        let with_settings = Value::Table(Table::from_iter([(word, Value::Table(Table::new()))]));
        T::deserialize(with_settings).map_err(|_| D::Error::custom(error.message()))
    })
}

/// As [`read`], of what may be missing.
pub(crate) fn read_option<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    read(deserializer).map(Some)
}
