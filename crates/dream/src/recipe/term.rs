//! One term of the objective: a layer, and how much it counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A layer and how much it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The layer's name in the model file.
    pub layer: String,
    /// Factor of its part of the objective, `½ · Σ activation²`; below 0, the layer is calmed instead.
    /// Default: 1.
    #[serde(default = "one")]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

impl Term {
    /// A layer that counts once.
    pub fn layer(name: impl Into<String>) -> Self {
        Self { layer: name.into(), weight: 1.0 }
    }

    /// The same with another weight.
    pub fn weighing(self, weight: f32) -> Self {
        Self { weight, ..self }
    }
}

/// `NAME`, or `NAME=WEIGHT`, parted at the last `=`.
impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, weight)) = text.rsplit_once('=') else {
            return match text {
                "" => Err("a layer's name is missing: write NAME or NAME=WEIGHT".into()),
                name => Ok(Self::layer(name)),
            };
        };
        match weight.trim().parse::<f32>() {
            Ok(weight) if weight.is_finite() && !name.is_empty() => {
                Ok(Self::layer(name).weighing(weight))
            }
            _ => Err(format!("`{weight}` is not a weight: write {name}=1.5, for example")),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.layer, self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Term>();
        assert_eq!(read("mixed4c"), Ok(Term::layer("mixed4c")));
        assert_eq!(read("a/b=-0.5"), Ok(Term::layer("a/b").weighing(-0.5)));
        assert_eq!(read("a=b=2"), Ok(Term::layer("a=b").weighing(2.0)));
        assert_eq!(read(&read("x=0.1").unwrap().to_string()), read("x=0.1"));
        for wrong in ["", "a=", "a=b", "a=inf", "=1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
