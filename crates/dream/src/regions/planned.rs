//! The masks of a plan's regions, and which terms are in which.

use std::collections::BTreeMap;

use graph::{Backwards, Size, Tensor};
use kernels::{Context, Threads};

use super::map;
use crate::image::sample;
use crate::{Assets, Follow, Machine, PlanError, Recipe, Region, Tiles};

/// Where a region counts.
#[derive(Clone, Debug)]
pub(crate) struct Within {
    region: Region,
    /// As [`Region::map`] has it, of any size that has the dream's proportions.
    mask: Tensor,
}

/// Where the regions of a recipe count, by their names; those that count everywhere are left out.
pub(crate) type RegionMasks = BTreeMap<String, Within>;

impl Within {
    /// The map for pictures of `size`. It depends on the mask and this size alone, so that a small dream has
    /// the octaves of a large one.
    pub(crate) fn map(&self, cx: &Context, size: Size) -> Tensor {
        map::of_mask(cx, &self.region, &self.mask, size)
    }
}

/// The masks with `others` in the place of those of the same names. In them, nothing may count.
///
/// # Errors
/// A region that is not there, or a mask of other proportions than dreams of `size`.
pub(crate) fn replaced(
    mut masks: RegionMasks,
    recipe: &Recipe,
    size: Size,
    others: &BTreeMap<String, Tensor>,
) -> Result<RegionMasks, PlanError> {
    for (name, mask) in others {
        let region = region(recipe, name)?;
        fits(name, mask, size)?;
        masks.remove(name);
        if !map::is_whole(mask) {
            masks.insert(name.clone(), Within { region: region.clone(), mask: mask.clone() });
        }
    }
    Ok(masks)
}

fn region<'a>(recipe: &'a Recipe, name: &str) -> Result<&'a Region, PlanError> {
    recipe.regions.get(name).ok_or_else(|| {
        let there = recipe.regions.keys().cloned().collect();
        PlanError::NoRegion { name: name.to_owned(), there }
    })
}

/// Whether a mask has the proportions of dreams of `size`.
fn fits(name: &str, mask: &Tensor, size: Size) -> Result<(), PlanError> {
    let of = mask.shape.size();
    match mask.shape.is_empty() || !map::fits(of, size) {
        true => Err(PlanError::MaskShape { region: name.to_owned(), mask: of, picture: size }),
        false => Ok(()),
    }
}

/// Moves the masks that stay with the picture to where it has moved to: `place` has the column and the row, of a
/// picture of `size`, at which a pixel was at first.
pub(crate) fn moved(
    masks: &RegionMasks,
    threads: &Threads,
    size: Size,
    place: impl Fn([f64; 2]) -> [f64; 2] + Sync,
) -> RegionMasks {
    let moved = |(name, within): (&String, &Within)| {
        let mut within = within.clone();
        if within.region.follow == Follow::Picture {
            let mask = map::fitted(&within.mask, threads, size);
            // Beyond the border there is the border's value.
            let last = [size.width, size.height].map(|side| side as f64 - 1.0);
            let at = |x: usize, y: usize| {
                let [x, y] = place([x as f64, y as f64]);
                [x.clamp(0.0, last[0]), y.clamp(0.0, last[1])]
            };
            within.mask = sample(threads, &mask, at);
            within.mask.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
        }
        (name.clone(), within)
    };
    masks.iter().map(moved).collect()
}

/// Whether a region of the recipe stays with the picture.
pub(crate) fn any_follows(recipe: &Recipe) -> bool {
    recipe.regions.values().any(|region| region.follow == Follow::Picture)
}

/// The regions that the recipe's terms are in, in the order in which they are first named; `None` is
/// everywhere.
pub(crate) fn names(recipe: &Recipe) -> Vec<Option<&str>> {
    let mut names = Vec::new();
    for term in &recipe.objective {
        let name = recipe.region_of(term);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The masks of the regions that the recipe's terms are in, for dreams of `size`.
///
/// # Errors
/// A region that is not there, one without a mask, one of other proportions or in which nothing counts.
pub(crate) fn masks(
    recipe: &Recipe,
    assets: &Assets,
    machine: &Machine,
    size: Size,
) -> Result<RegionMasks, PlanError> {
    let mut masks = BTreeMap::new();
    for name in names(recipe).into_iter().flatten() {
        let region = region(recipe, name)?;
        let Some(mask) = assets.masks.get(name) else {
            return Err(PlanError::NoMask { region: name.to_owned() });
        };
        fits(name, mask, size)?;
        // What is made of it, as large as the dream, need not fit in the memory beside that.
        let bytes = size.pixels().saturating_mul(size_of::<f32>() as u64);
        let mut mask = mask.clone();
        if bytes > machine.memory / 16 {
            mask.data = mask.data.of_storage(&machine.scratch);
        }
        let within = Within { region: region.clone(), mask };
        if map::is_empty(&within.map(&machine.context, size)) {
            let (name, mask) = (name.to_owned(), region.mask.clone());
            return Err(PlanError::EmptyRegion { name, mask, color: region.color.clone() });
        }
        if !map::is_whole(&within.mask) {
            masks.insert(name.to_owned(), within);
        }
    }
    Ok(masks)
}

/// How many backward passes of each step start from one forward pass: one for each region, but where each is
/// shown its own tiles, or the picture wobbling in its own way.
pub(crate) fn backwards(recipe: &Recipe) -> Backwards {
    let together = recipe.tiles == Tiles::Whole && !recipe.ascent.wobble.is_any();
    if together && names(recipe).len() > 1 { Backwards::Many } else { Backwards::One }
}

/// How many pictures of three channels the regions take: each its mask, its map and what its gradient is
/// transformed with, and all of them a gradient and what they cover together.
pub(crate) fn pictures(recipe: &Recipe) -> u64 {
    match &names(recipe)[..] {
        [None] => 0,
        names => 3 + 2 * names.len() as u64,
    }
}
