//! Octaves: the sizes a dream goes through, the picture at each, and what one hands to the next.

use graph::{Size, Tensor};
use kernels::{Context, Threads};

use crate::image::{black, gaussian, resize_into, rows};
use crate::{Detail, Recipe};

/// The sizes from small to `full`: each is the next larger one's divided by the recipe's scale and
/// rounded, as Google's notebook has it. Sides never vanish.
pub(crate) fn sizes(recipe: &Recipe, full: Size) -> Vec<Size> {
    let shrunk =
        |side: usize| ((side as f64 / f64::from(recipe.octaves.scale)).round() as usize).max(1);
    let mut sizes: Vec<Size> = std::iter::successors(Some(full), |size| {
        Some(Size::new(shrunk(size.height), shrunk(size.width)))
    })
    .take(recipe.octaves.count as usize)
    .collect();
    sizes.reverse();
    sizes
}

/// The picture `full`, of the last size, in every size, small to large.
pub(crate) fn bases(recipe: &Recipe, sizes: &[Size], full: Tensor, cx: &Context) -> Vec<Tensor> {
    let threads = cx.threads();
    let mut bases = vec![full];
    for size in sizes.iter().rev().skip(1) {
        let larger = bases.last().expect("there is the picture");
        let mut base = black(*size);
        if recipe.octaves.blur > 0.0 {
            let mut blurred = Tensor::zeros(larger.shape);
            gaussian::blur(cx, larger, recipe.octaves.blur, &mut blurred);
            threads.install(|| resize_into(&blurred, &mut base, recipe.octaves.filter));
        } else {
            threads.install(|| resize_into(larger, &mut base, recipe.octaves.filter));
        }
        bases.push(base);
    }
    bases.reverse();
    bases
}

/// What the octave of `base` starts from, after the dream `before` it on the picture `below`.
pub(crate) fn start(
    recipe: &Recipe,
    (mut before, below): (Tensor, &Tensor),
    base: &Tensor,
    threads: &Threads,
) -> Tensor {
    if recipe.octaves.detail == Detail::Reinject {
        rows::for_each(threads, &mut before, |c, y, row| {
            for (x, below) in row.iter_mut().zip(rows::row(below, c, y)) {
                *x -= below;
            }
        });
    }
    let mut picture = Tensor::zeros(base.shape);
    threads.install(|| resize_into(&before, &mut picture, recipe.octaves.filter));
    let (share, kept) = match recipe.octaves.detail {
        Detail::Reinject => (1.0, 1.0),
        Detail::Blend { share } => (share as f32, 1.0 - share as f32),
        Detail::Replace => return picture,
    };
    rows::for_each(threads, &mut picture, |c, y, row| {
        for (x, base) in row.iter_mut().zip(rows::row(base, c, y)) {
            *x = share * base + kept * *x;
        }
    });
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Octaves;

    #[test]
    fn each_octave_is_the_next_ones_size_divided_and_rounded() {
        let sizes = |count, scale, height, width| -> Vec<(usize, usize)> {
            let octaves = Octaves { count, scale, ..Octaves::default() };
            let recipe = Recipe { octaves, ..Recipe::default() };
            super::sizes(&recipe, Size::new(height, width))
                .iter()
                .map(|size| (size.height, size.width))
                .collect()
        };
        assert_eq!(sizes(4, 1.4, 575, 1024), [(210, 373), (294, 522), (411, 731), (575, 1024)]);
        assert_eq!(sizes(1, 1.4, 10, 20), [(10, 20)]);
        assert_eq!(sizes(3, 16.0, 3, 300), [(1, 1), (1, 19), (3, 300)]);
    }
}
