//! What a recipe says of a region: where a part of the objective counts, and how strongly.

use graph::{Shape, Tensor};
use serde::{Deserialize, Serialize};

use super::documented::documented;
use super::validate::range;
use super::{Recipe, RecipeError, Term};

/// How far a colour may be from a region's, in values of 0–255, before a pixel is no part of it.
const COLOR_RADIUS: f32 = 64.0;

documented! {
    /// Where a part of the objective counts, by a mask: a picture that is white where it counts fully and
    /// black where it does not count at all.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Region {
        /// The mask's file, as it was named. Default: empty.
        pub mask: String,
        /// SHA-256 of that file, in hexadecimal: what decides. Default: empty, for any file.
        pub sha256: String,
        /// Only where the mask has about this colour, such as `#ff0000`, so that one picture may hold
        /// several regions. Default: none, which means where it is bright.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub color: Option<String>,
        /// Width of the soft border, as a standard deviation in shares of the longest side. Default: 0.02.
        pub feather: f64,
        /// Whether the region is what the mask leaves out. Default: false.
        pub invert: bool,
        /// What it stays with while a zoom moves. Default: `screen`.
        pub follow: Follow,
    }
}

/// What a region stays with while a zoom moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// Its place in the frame: the picture flows through it.
    #[default]
    Screen,
    /// What it was painted on in the first frame.
    Picture,
}

impl Default for Region {
    fn default() -> Self {
        Self {
            mask: String::new(),
            sha256: String::new(),
            color: None,
            feather: 0.02,
            invert: false,
            follow: Follow::Screen,
        }
    }
}

impl Recipe {
    /// The region that terms without one of their own are in, where a recipe has it.
    pub const USUAL_REGION: &str = "mask";

    /// The name of the region that a term of this recipe's is in; `None` for everywhere.
    pub fn region_of<'a>(&self, term: &'a Term) -> Option<&'a str> {
        let usual = || self.regions.contains_key(Self::USUAL_REGION).then_some(Self::USUAL_REGION);
        term.region.as_deref().or_else(usual)
    }
}

impl Region {
    /// How strongly each pixel of a mask counts before the border is made soft: one channel, 0–1.
    ///
    /// `color` has three channels and `alpha` one, both of 0–255. Without a colour it is
    /// `luma / 255 · alpha / 255`, luma being `0.299 R + 0.587 G + 0.114 B`; with one,
    /// `max(0, 1 − max_c |value_c − color_c| / 64) · alpha / 255`.
    ///
    /// # Errors
    /// A colour that is none.
    pub fn map(&self, color: &Tensor, alpha: Option<&Tensor>) -> Result<Tensor, RecipeError> {
        let wanted = self.color.as_deref().map(rgb).transpose()?;
        let Shape { height, width, .. } = color.shape;
        let [r, g, b] = [0, 1, 2].map(|c| color.channel(c));
        let value = |at: usize| {
            let pixel = [r[at], g[at], b[at]];
            let inside = match wanted {
                None => luma(pixel) / 255.0,
                Some(wanted) => {
                    let apart = |c: usize| (pixel[c] - wanted[c]).abs();
                    1.0 - apart(0).max(apart(1)).max(apart(2)) / COLOR_RADIUS
                }
            };
            let opaque = alpha.map_or(1.0, |alpha| alpha.data[at] / 255.0);
            let inside = inside.clamp(0.0, 1.0) * opaque;
            if self.invert { 1.0 - inside } else { inside }
        };
        let mut map = Tensor::zeros_in(color.storage(), Shape::new(1, height, width));
        map.data.iter_mut().enumerate().for_each(|(at, x)| *x = value(at));
        Ok(map)
    }

    /// Whether the values of the region called `name` make sense by themselves.
    pub(super) fn validate(&self, name: &str) -> Result<(), RecipeError> {
        let path = |field: &str| format!("regions.{name}.{field}");
        range(&path("feather"), self.feather, 0.0..=0.5, "0.02 is usual, 0 is a hard border")?;
        self.color.as_deref().map_or(Ok(()), |color| rgb(color).map(|_| ())).map_err(|error| {
            match error {
                RecipeError::Value { value, problem, .. } => {
                    RecipeError::Value { setting: path("color"), value, problem }
                }
                error => error,
            }
        })
    }
}

/// Brightness, of white exactly that of each of its colours.
fn luma([r, g, b]: [f32; 3]) -> f32 {
    if r == g && g == b { r } else { 0.299 * r + 0.587 * g + 0.114 * b }
}

/// A colour as six hexadecimal digits, with or without `#` before them.
fn rgb(text: &str) -> Result<[f32; 3], RecipeError> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok().map(f32::from);
    let is_hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    match (is_hex, part(0), part(2), part(4)) {
        (true, Some(r), Some(g), Some(b)) => Ok([r, g, b]),
        _ => Err(RecipeError::Value {
            setting: "color".into(),
            value: text.to_owned(),
            problem: "write a colour as #RRGGBB, such as #ff0000 for red".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one row.
    fn row(pixels: &[[f32; 3]]) -> Tensor {
        let data = (0..3).flat_map(|c| pixels.iter().map(move |pixel| pixel[c])).collect();
        Tensor { shape: Shape::new(3, 1, pixels.len()), data }
    }

    #[test]
    fn a_mask_is_its_brightness_and_what_is_clear_is_no_part_of_it() {
        let mask = row(&[[0.0; 3], [255.0; 3], [51.0; 3], [255.0, 0.0, 0.0]]);
        let region = Region::default();
        let map = |alpha: Option<&Tensor>| region.map(&mask, alpha).unwrap().data;
        let expected = [0.0, 1.0, 0.2, 0.299];
        assert!(map(None).iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6));
        let alpha =
            Tensor { shape: Shape::new(1, 1, 4), data: vec![255.0, 51.0, 0.0, 255.0].into() };
        let expected = [0.0, 0.2, 0.0, 0.299];
        assert!(map(Some(&alpha)).iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6));
        let inverted = Region { invert: true, ..region }.map(&mask, None).unwrap().data;
        assert_eq!(inverted[..2], [1.0, 0.0]);
    }

    #[test]
    fn one_picture_holds_a_region_of_each_colour() {
        let mask = row(&[[255.0, 0.0, 0.0], [0.0, 0.0, 255.0], [255.0, 32.0, 0.0], [255.0; 3]]);
        let map = |color: &str| {
            let region = Region { color: Some(color.into()), ..Region::default() };
            region.map(&mask, None).map(|map| map.data)
        };
        assert_eq!(map("#ff0000").unwrap(), [1.0, 0.0, 0.5, 0.0]);
        assert_eq!(map("0000ff").unwrap(), [0.0, 1.0, 0.0, 0.0]);
        for wrong in ["red", "#ff00", "#ff00000", "#gg0000", "", "#é0000"] {
            let said = map(wrong).unwrap_err().to_string();
            assert!(said.contains("#RRGGBB"), "{wrong}: {said}");
        }
    }
}
