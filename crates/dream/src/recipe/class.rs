//! Which class a term is about, as it is written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A class of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a class is a name, such as \"tabby cat\", or a number from 0 up")]
pub enum ClassId {
    /// Its place in the network's list, from 0.
    Number(u32),
    /// Its name, or one of its synonyms, or a part of one, in any case.
    Name(String),
}

impl FromStr for ClassId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("a class's name is missing: write NAME, NUMBER or NAME=WEIGHT".into()),
            text => Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)),
        }
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}
