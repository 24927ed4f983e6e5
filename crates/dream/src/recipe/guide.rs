//! What a recipe says of a guide: a picture whose forms a dream is to take.

use graph::{Size, Tensor};
use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::documented::documented;
use super::validate::range;
use crate::{Filter, resize};

/// What shows through where a guide is clear, as colours of 0–255.
const GREY: f32 = 117.0;

documented! {
    /// A picture whose forms a dream is to take.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Guide {
        /// Its file, as it was named. Default: empty.
        pub file: String,
        /// SHA-256 of that file, in hexadecimal: what decides. Default: empty, for any file.
        pub sha256: String,
        /// Its longest side, in pixels, when the network sees it, and so the size of its motifs: 96 gives
        /// dots, 320 large blooms. It is never enlarged, and has no say where a term picks the same place.
        /// Default: 224.
        pub size: u32,
    }
}

impl Default for Guide {
    fn default() -> Self {
        Self { file: String::new(), sha256: String::new(), size: 224 }
    }
}

/// Which of a guide's positions is the direction at each of the picture's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// The one that is most like it, by the dot product or, with a cosine, by that: Google's notebook.
    #[default]
    Match,
    /// The mean of all: crowsonkb's deep_dream.
    Average,
    /// The one at the same place of the guide, which is stretched to the picture's size: lucid's caricature.
    /// It takes one more pass forward at every step.
    Place,
}

impl Guide {
    /// A guide as the network is to see it: laid over grey where it is clear, and no larger than its size.
    ///
    /// `color` has three channels and `alpha` one, both of 0–255.
    pub fn picture(&self, color: &Tensor, alpha: Option<&Tensor>) -> Tensor {
        let mut picture = color.clone();
        if let Some(alpha) = alpha {
            for plane in picture.data.chunks_exact_mut(alpha.data.len().max(1)) {
                for (value, alpha) in plane.iter_mut().zip(&alpha.data) {
                    *value = GREY + (*value - GREY) * (alpha / 255.0);
                }
            }
        }
        let size: Size = picture.shape.size();
        if size.longest() <= self.size as usize {
            return picture;
        }
        let mut small = resize(&picture, size.with_longest(self.size as usize), Filter::CatmullRom);
        small.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
        small
    }

    /// Whether the values of the guide called `name` make sense by themselves.
    pub(super) fn validate(&self, name: &str) -> Result<(), RecipeError> {
        range(&format!("guides.{name}.size"), self.size, 32..=4096, "224 is usual")
    }
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    #[test]
    fn guides_lie_on_grey_and_are_made_smaller_only() {
        let mut color = Tensor::zeros(Shape::new(3, 40, 80));
        color.data.fill(200.0);
        let mut alpha = Tensor::zeros(Shape::new(1, 40, 80));
        alpha.data[0] = 255.0;
        let guide = Guide { size: 100, ..Guide::default() };
        assert_eq!(guide.picture(&color, None), color);
        let laid = guide.picture(&color, Some(&alpha));
        assert_eq!((laid.data[0], laid.data[1]), (200.0, GREY));
        let small = Guide { size: 32, ..guide }.picture(&color, None);
        assert_eq!(small.shape.size(), Size::new(16, 32));
    }
}
