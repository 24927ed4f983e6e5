//! Which class a term is about, as it is written.

use std::fmt;
use std::str::FromStr;

use graph::Size;
use serde::{Deserialize, Serialize};

use super::Recipe;

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

/// The shorter side of the smallest octave, in pixels: on smaller ones a class fills the picture.
const LEAST_SIDE: f64 = 90.0;

impl Recipe {
    /// Takes the steps that a dream of nothing but classes needs on a picture: a whole thing takes longer to form
    /// than a layer's pattern, and what it adds is kept from becoming grain.
    pub fn start_with_classes(&mut self) {
        self.ascent.iterations = 40;
        self.penalty.tv = 0.2;
    }

    /// Leaves out the octaves of a picture of `size` on which a class would fill it: the smallest octave decides
    /// how large things are.
    pub fn keep_class_octaves(&mut self, size: Size) {
        let laid_out = size.with_longest(self.anchor(size));
        let shorter = laid_out.height.min(laid_out.width) as f64;
        let below = (shorter / LEAST_SIDE).ln() / f64::from(self.octaves.scale).ln();
        let most = below.max(0.0) as u32 + 1;
        self.octaves.count = self.octaves.count.min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preset;

    #[test]
    fn the_smallest_octave_of_a_class_is_not_too_small() {
        for (size, count) in [
            (Size::new(180, 320), 3),
            (Size::new(360, 640), 5),
            (Size::new(3000, 4000), 5),
            (Size::new(60, 60), 1),
        ] {
            let mut recipe = Recipe::default().following(Preset::Default);
            recipe.keep_class_octaves(size);
            assert_eq!(recipe.octaves.count, count, "{size}");
        }
    }
}
