//! What a recipe says of a guide: a picture whose forms a dream is to take.

use graph::{Shape, Size, Tensor};
use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::documented::documented;
use super::validate::range;
use crate::{Filter, resize};

/// What shows through where a guide is clear, as colours of 0–255.
const GREY: f32 = 117.0;

/// How far a part may reach beyond a guide, in shares: what is lost when two shares are added.
const ROUNDING: f64 = 1e-9;

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
        /// The part of it that is looked at, `[left, top, width, height]` in shares of its sides. Default: none,
        /// which means all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub part: Option<[f64; 4]>,
    }
}

impl Default for Guide {
    fn default() -> Self {
        Self { file: String::new(), sha256: String::new(), size: 224, part: None }
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
    /// A guide as the network is to see it: its part, laid over grey where it is clear, and no larger than its
    /// size.
    ///
    /// `color` has three channels and `alpha` one, both of 0–255.
    pub fn picture(&self, color: &Tensor, alpha: Option<&Tensor>) -> Tensor {
        let mut picture = self.cut(color);
        if let Some(alpha) = alpha.map(|alpha| self.cut(alpha)) {
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

    /// The part of some planes that is looked at, to the nearest pixel: one at the least.
    fn cut(&self, planes: &Tensor) -> Tensor {
        let Some([left, top, width, height]) = self.part else { return planes.clone() };
        let Shape { channels, height: rows, width: columns } = planes.shape;
        let along = |from: f64, share: f64, length: usize| {
            let pixel = |at: f64| ((at * length as f64).round() as usize).min(length);
            let first = pixel(from).min(length - 1);
            first..pixel(from + share).max(first + 1)
        };
        let (across, down) = (along(left, width, columns), along(top, height, rows));
        let shape = Shape::new(channels, down.len(), across.len());
        let mut cut = Tensor::zeros_in(planes.storage(), shape);
        for (channel, part) in cut.data.chunks_exact_mut(down.len() * across.len()).enumerate() {
            let plane = planes.channel(channel);
            for (row, y) in part.chunks_exact_mut(across.len()).zip(down.clone()) {
                row.copy_from_slice(&plane[y * columns..][across.clone()]);
            }
        }
        cut
    }

    /// Whether the values of the guide called `name` make sense by themselves.
    pub(super) fn validate(&self, name: &str) -> Result<(), RecipeError> {
        range(&format!("guides.{name}.size"), self.size, 32..=4096, "224 is usual")?;
        let Some(part) = self.part else { return Ok(()) };
        let within = |from: f64, share: f64| {
            (0.0..1.0).contains(&from) && share > 0.0 && from + share <= 1.0 + ROUNDING
        };
        let [left, top, width, height] = part;
        match within(left, width) && within(top, height) {
            true => Ok(()),
            false => Err(RecipeError::Value {
                setting: format!("guides.{name}.part"),
                value: format!("{part:?}"),
                problem:
                    "write [left, top, width, height] of a part within the guide, in shares of \
                          its sides, such as [0.25, 0.25, 0.5, 0.5]"
                        .into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_part_of_a_guide_is_looked_at() {
        let shape = Shape::new(3, 40, 80);
        let data = (0..shape.len()).map(|at| (at % 80) as f32).collect();
        let color = Tensor { shape, data };
        let part = |part| Guide { part: Some(part), ..Guide::default() };
        let right = part([0.5, 0.25, 0.5, 0.5]).picture(&color, None);
        assert_eq!(right.shape, Shape::new(3, 20, 40));
        assert_eq!(right.data[..2], [40.0, 41.0]);
        assert_eq!(part([0.99, 0.99, 0.001, 0.001]).picture(&color, None).shape.plane(), 1);
        for whole in [[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.9, 0.8]] {
            part(whole).validate("a").unwrap();
        }
        for wrong in [[0.5, 0.0, 0.6, 1.0], [-0.1, 0.0, 0.5, 0.5], [0.0, 0.0, 0.0, 1.0]] {
            let said = part(wrong).validate("a").unwrap_err().to_string();
            assert!(said.contains("guides.a.part") && said.contains("[left, top"), "{said}");
        }
    }
}
