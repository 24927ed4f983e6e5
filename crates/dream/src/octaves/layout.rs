//! The sizes a dream goes through, from small to full.

use graph::Size;

use crate::{Octaves, Recipe};

/// The octaves' sizes, from small to full.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) sizes: Vec<Size>,
    /// How many of them are no larger than the anchor.
    pub(crate) anchored: usize,
}

impl Layout {
    /// The octaves of a dream on a picture of size `source`.
    ///
    /// Downwards from the anchor, each size is the next larger one's divided by the recipe's scale and
    /// rounded, as Google's notebook has it; sides never vanish. Upwards, the anchor's longest side is
    /// multiplied with powers of the scale, and the last size is the full one, which is larger than the one
    /// before by the scale's square root or more, unless that is the anchor itself.
    pub(crate) fn new(recipe: &Recipe, source: Size) -> Self {
        let scale = f64::from(recipe.octaves.scale);
        let full = recipe.full_size(source);
        let anchor = recipe.anchor(source);
        let start = if anchor < full.longest() { source.with_longest(anchor) } else { full };
        let shrunk = |side: usize| ((side as f64 / scale).round() as usize).max(1);
        let mut sizes: Vec<Size> = std::iter::successors(Some(start), |size| {
            Some(Size::new(shrunk(size.height), shrunk(size.width)))
        })
        .take(recipe.octaves.count as usize)
        .collect();
        sizes.reverse();
        let anchored = sizes.len();
        if anchor < full.longest() {
            let longest = full.longest() as f64;
            let above =
                std::iter::successors(Some(anchor as f64 * scale), |side| Some(side * scale))
                    .take_while(|side| side * scale.sqrt() <= longest);
            sizes.extend(above.map(|side| source.with_longest(side.round() as usize)));
            sizes.push(full);
        }
        Self { sizes, anchored }
    }

    /// The octaves of those sizes that are `wanted`.
    pub(crate) fn retain(&mut self, wanted: impl Fn(Size) -> bool) {
        self.anchored = self.sizes[..self.anchored].iter().filter(|size| wanted(**size)).count();
        self.sizes.retain(|size| wanted(*size));
    }
}

impl Recipe {
    /// The longest side at which a dream on a picture of `size` lays its figures out: at most its own.
    pub(crate) fn anchor(&self, size: Size) -> usize {
        let full = self.full_size(size).longest();
        match self.octaves.anchor {
            Octaves::FULL => full,
            anchor => full.min(anchor as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(octaves: Octaves, size: Option<u32>, source: Size) -> Layout {
        Layout::new(&Recipe { octaves, size, ..Recipe::default() }, source)
    }

    fn sizes(count: u32, scale: f32, anchor: u32, source: (usize, usize)) -> Vec<(usize, usize)> {
        let octaves = Octaves { count, scale, anchor, ..Octaves::default() };
        let layout = layout(octaves, None, Size::new(source.0, source.1));
        layout.sizes.iter().map(|size| (size.height, size.width)).collect()
    }

    #[test]
    fn each_octave_is_the_next_ones_size_divided_and_rounded() {
        let full = |count, scale, source| sizes(count, scale, Octaves::FULL, source);
        assert_eq!(full(4, 1.4, (575, 1024)), [(210, 373), (294, 522), (411, 731), (575, 1024)]);
        assert_eq!(full(1, 1.4, (10, 20)), [(10, 20)]);
        assert_eq!(full(3, 16.0, (3, 300)), [(1, 1), (1, 19), (3, 300)]);
        assert_eq!(full(1, 1.4, (3, 70_000)), [(3, 70_000)]);
    }

    #[test]
    fn above_the_anchor_each_octave_is_larger_by_the_scale_up_to_the_full_size() {
        assert_eq!(
            sizes(2, 1.5, 400, (600, 1200)),
            [(133, 267), (200, 400), (300, 600), (450, 900), (600, 1200)]
        );
        // 1350 would be hardly smaller than the full size.
        assert_eq!(
            sizes(1, 1.5, 400, (750, 1500)),
            [(200, 400), (300, 600), (450, 900), (750, 1500)]
        );
        assert_eq!(sizes(1, 1.5, 400, (201, 401)), [(200, 400), (201, 401)]);
    }

    #[test]
    fn a_picture_smaller_than_the_anchor_is_its_own() {
        let full = sizes(3, 1.4, Octaves::FULL, (300, 400));
        assert_eq!(sizes(3, 1.4, 640, (300, 400)), full);
        assert_eq!(sizes(3, 1.4, 400, (300, 400)), full);
    }

    #[test]
    fn a_small_dreams_octaves_are_the_first_of_every_larger_one() {
        for source in [(3000, 4000), (3021, 4032), (4032, 3021), (333, 1000), (7, 5000)] {
            let source = Size::new(source.0, source.1);
            for (anchor, scale) in [(640, 1.4), (224, 1.4), (500, 1.0 / 0.7), (640, 2.0)] {
                let octaves = Octaves { count: 5, anchor, scale, ..Octaves::default() };
                let preview = layout(octaves.clone(), Some(anchor), source);
                for size in [anchor + 1, 700, 1000, 1999, 3000, 6000] {
                    let render = layout(octaves.clone(), Some(size), source);
                    assert_eq!((preview.anchored, render.anchored), (5, 5));
                    assert_eq!(render.sizes[..5], preview.sizes, "{source} at {size}");
                    let longest: Vec<usize> = render.sizes.iter().map(|s| s.longest()).collect();
                    assert!(longest.is_sorted_by(|a, b| a < b), "{longest:?}");
                    assert_eq!(longest.last(), Some(&(size as usize)));
                }
            }
        }
    }

    #[test]
    fn what_is_too_small_is_left_out_on_either_side_of_the_anchor() {
        let octaves = Octaves { count: 3, anchor: 100, scale: 2.0, ..Octaves::default() };
        let mut layout = layout(octaves, None, Size::new(800, 800));
        layout.retain(|size| size.height > 25);
        assert_eq!((layout.sizes.len(), layout.anchored), (5, 2));
        layout.retain(|size| size.height > 300);
        assert_eq!((layout.sizes.len(), layout.anchored), (2, 0));
    }
}
