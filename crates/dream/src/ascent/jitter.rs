//! Jitter: the picture is shifted around its own borders before the network sees it and the gradient
//! is shifted back, so that the network's grid leaves no trace in the dream.

use graph::{Size, Tensor};
use kernels::Threads;

use crate::image::rows;
use crate::random::Random;
use crate::{Recipe, Tiles};

/// How far a picture is rolled, each below its side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) right: usize,
    pub(crate) down: usize,
}

impl Shift {
    /// The next step's shift: even over [−jitter, jitter], or over [0, tile) for rolled tiles.
    pub(crate) fn draw(recipe: &Recipe, random: &mut Random, size: Size) -> Self {
        let (low, count) = match recipe.tiles {
            Tiles::Rolled { size } => (0, size),
            _ if recipe.ascent.jitter == 0 => return Self::default(),
            _ => (-i64::from(recipe.ascent.jitter), 2 * recipe.ascent.jitter + 1),
        };
        let mut along = |side: usize| {
            let shift = low + i64::from(random.below(count));
            shift.rem_euclid(side as i64) as usize
        };
        Self { right: along(size.width), down: along(size.height) }
    }

    /// The shift that takes this one back.
    pub(crate) fn back(self, Size { height, width }: Size) -> Self {
        Self { right: (width - self.right) % width, down: (height - self.down) % height }
    }
}

/// Writes `source`, rolled by `shift`, to `target` of the same shape.
pub(crate) fn roll(threads: &Threads, source: &Tensor, shift: Shift, target: &mut Tensor) {
    let Size { height, width } = source.shape.size();
    rows::for_each(threads, target, |c, y, row| {
        let from = rows::row(source, c, (y + height - shift.down) % height);
        let (wrapped, rest) = row.split_at_mut(shift.right);
        wrapped.copy_from_slice(&from[width - shift.right..]);
        rest.copy_from_slice(&from[..width - shift.right]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ascent;
    use crate::testing::{pattern, threads};

    #[test]
    fn rolling_back_gives_the_picture_back() {
        let picture = pattern(11, 17);
        let mut rolled = Tensor::zeros(picture.shape);
        let mut back = Tensor::zeros(picture.shape);
        for (right, down) in [(0, 0), (1, 0), (0, 10), (16, 3), (8, 5)] {
            let shift = Shift { right, down };
            roll(&threads(), &picture, shift, &mut rolled);
            assert_eq!(rows::row(&rolled, 2, down)[right], rows::row(&picture, 2, 0)[0]);
            roll(&threads(), &rolled, shift.back(Size::new(11, 17)), &mut back);
            assert_eq!(back, picture);
        }
    }

    #[test]
    fn shifts_reach_as_far_as_the_jitter_and_no_further() {
        let ascent = Ascent { jitter: 3, ..Ascent::default() };
        let mut recipe = Recipe { ascent, ..Recipe::default() };
        let mut random = Random::new(1);
        let mut seen = [[false; 7]; 7];
        for _ in 0..2000 {
            let shift = Shift::draw(&recipe, &mut random, Size::new(100, 50));
            seen[(shift.right + 3) % 50][(shift.down + 3) % 100] = true;
        }
        assert!(seen.iter().flatten().all(|seen| *seen));
        recipe.ascent.jitter = 4096;
        let narrow = Shift::draw(&recipe, &mut random, Size::new(2, 1));
        assert!(narrow.down < 2 && narrow.right == 0);
    }
}
