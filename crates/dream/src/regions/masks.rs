//! The regions' maps in one octave's size.

use graph::{Shape, Size, Storage, Tensor};

use super::{map, planned};
use crate::image::rows;
use crate::{Filter, Optimiser, Parametrisation, Plan, Recipe, resize};

/// How strongly each pixel counts: one channel, 0–1, not all of it 0.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) map: Tensor,
    /// The sum over all pixels.
    pub(crate) sum: f64,
}

impl Mask {
    pub(crate) fn new(map: Tensor) -> Self {
        let sum = map.data.iter().map(|x| f64::from(*x)).sum();
        Self { map, sum }
    }
}

/// Where one region counts at an octave.
pub(super) enum Reach {
    Everywhere,
    Nowhere,
    Within(Mask),
}

/// The regions' maps in one size, and what they cover together.
pub(crate) struct Masks<'p> {
    plan: &'p Plan,
    /// The regions that terms are in, by name, each with where it counts.
    pub(super) regions: Vec<(Option<&'p str>, Reach)>,
    /// `min(1, Σ map)`; `None` for 1 everywhere.
    reach: Option<Mask>,
}

impl<'p> Masks<'p> {
    /// Those of pictures of `size`.
    pub(crate) fn new(plan: &'p Plan, size: Size) -> Self {
        let reach = |name: Option<&str>| {
            let Some(within) = name.and_then(|name| plan.masks().get(name)) else {
                return Reach::Everywhere;
            };
            let map = within.map(plan.context(), size);
            match () {
                () if map::is_empty(&map) => Reach::Nowhere,
                () if map::is_whole(&map) => Reach::Everywhere,
                () => Reach::Within(Mask::new(map)),
            }
        };
        let names = planned::names(plan.recipe()).into_iter();
        let regions: Vec<(Option<&str>, Reach)> = names.map(|name| (name, reach(name))).collect();
        let everywhere = regions.iter().any(|(_, reach)| matches!(reach, Reach::Everywhere));
        let reach = (!everywhere).then(|| Mask::new(together(&regions, (plan.storage(), size))));
        Self { plan, regions, reach }
    }

    /// How much of what is done to the picture counts at each pixel, 0–1; `None` for all of it.
    pub(crate) fn reach(&self) -> Option<&Tensor> {
        self.mask().map(|mask| &mask.map)
    }

    /// The same, with its sum.
    pub(super) fn mask(&self) -> Option<&Mask> {
        self.reach.as_ref()
    }

    /// How many times as far steps go at each pixel, of which `step_map` has how far they are to go
    /// everywhere. A plain step's direction has the regions' maps already.
    pub(crate) fn limit(&self, step_map: Option<&Tensor>) -> Option<Tensor> {
        let Some(reach) = self.reach() else { return step_map.cloned() };
        let ascent = self.plan.ascent();
        if ascent.optimiser == Optimiser::Plain && ascent.parametrisation == Parametrisation::Pixels
        {
            return step_map.cloned();
        }
        let mut limit = reach.clone();
        if let Some(map) = step_map {
            let map = resize(map, reach.shape.size(), Filter::Triangle);
            limit.data.iter_mut().zip(&map.data).for_each(|(limit, map)| *limit *= map);
        }
        Some(limit)
    }

    /// Whether a step changes pixels that no region reaches: what a spectrum makes it makes anew, and penalties
    /// even out what is beside them.
    pub(crate) fn spills(&self) -> bool {
        let Recipe { penalty, ascent, .. } = self.plan.recipe();
        ascent.parametrisation == Parametrisation::Spectrum || penalty.is_any()
    }

    /// Gives every pixel that no region reaches back to `picture` as it is in `base`.
    pub(crate) fn restore(&self, picture: &mut Tensor, base: &Tensor) {
        let Some(reach) = self.reach() else { return };
        rows::for_each(self.plan.threads(), picture, |c, y, row| {
            let places = rows::row(base, c, y).iter().zip(rows::row(reach, 0, y));
            for (x, (base, reach)) in row.iter_mut().zip(places) {
                if *reach == 0.0 {
                    *x = *base;
                }
            }
        });
    }
}

/// What regions, none of which is everywhere, cover together.
fn together(regions: &[(Option<&str>, Reach)], (storage, size): (&Storage, Size)) -> Tensor {
    let mut reach = Tensor::zeros_in(storage, Shape::new(1, size.height, size.width));
    for (_, region) in regions {
        let Reach::Within(Mask { map, .. }) = region else { continue };
        for (sum, x) in reach.data.iter_mut().zip(&map.data) {
            *sum = (*sum + x).min(1.0);
        }
    }
    reach
}
