//! Octaves: the sizes a dream goes through, the picture at each, and what one hands to the next.

mod layout;

use graph::{Size, Tensor};
use kernels::{Context, Threads};

use crate::image::{black_in, gaussian, like, resize_into, resized, rows, scaled};
use crate::{Detail, Recipe};
pub(crate) use layout::Layout;

/// The picture `source`, of any size, in every size of the layout, small to large.
///
/// From the anchor up each is made of `source` itself, and from there down of the next larger one: the first
/// octaves are the same whatever the full size.
pub(crate) fn bases(recipe: &Recipe, layout: &Layout, source: Tensor, cx: &Context) -> Vec<Tensor> {
    let threads = cx.threads();
    let (below, above) = layout.sizes.split_at(layout.anchored);
    let Some((full, between)) = above.split_last() else {
        return downwards(recipe, below, source, cx);
    };
    let mut bases = match below.last() {
        Some(anchor) => downwards(recipe, below, scaled(threads, &source, *anchor), cx),
        None => Vec::new(),
    };
    bases.extend(between.iter().map(|size| scaled(threads, &source, *size)));
    bases.push(resized(threads, source, *full));
    bases
}

/// The picture `largest`, brought to the last size, in every size.
fn downwards(recipe: &Recipe, sizes: &[Size], largest: Tensor, cx: &Context) -> Vec<Tensor> {
    let threads = cx.threads();
    let last = *sizes.last().expect("a plan has at least one octave");
    let mut bases = vec![resized(threads, largest, last)];
    for size in sizes.iter().rev().skip(1) {
        let larger = bases.last().expect("there is the picture");
        let mut base = black_in(larger.storage(), *size);
        if recipe.octaves.blur > 0.0 {
            let mut blurred = like(larger);
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

/// What the octave of `base` starts from, after the dream `before` it on the picture `below`; that is lost.
pub(crate) fn start(
    recipe: &Recipe,
    (before, below): (&mut Tensor, &Tensor),
    base: &Tensor,
    threads: &Threads,
) -> Tensor {
    if recipe.octaves.detail == Detail::Reinject {
        rows::for_each(threads, before, |c, y, row| {
            for (x, below) in row.iter_mut().zip(rows::row(below, c, y)) {
                *x -= below;
            }
        });
    }
    let mut picture = like(base);
    threads.install(|| resize_into(before, &mut picture, recipe.octaves.filter));
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
