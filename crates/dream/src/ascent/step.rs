//! The optimiser's step: the picture climbs along the gradient.

use graph::{Size, Tensor};
use kernels::Threads;

use crate::image::rows;
use crate::{Filter, Recipe, resize};

/// Takes the steps on pictures of one size.
pub(crate) struct Stepper<'p> {
    threads: &'p Threads,
    /// What values are kept within.
    bounds: (f32, f32),
    /// How many times as far a step goes at each pixel; `None` for once everywhere.
    step_map: Option<Tensor>,
}

impl<'p> Stepper<'p> {
    /// `step_map`, of any size, has one channel.
    pub(crate) fn new(
        recipe: &Recipe,
        threads: &'p Threads,
        size: Size,
        step_map: Option<&Tensor>,
    ) -> Self {
        let bounds = if recipe.ascent.clamp { (0.0, 255.0) } else { (f32::MIN, f32::MAX) };
        let step_map = step_map.map(|map| resize(map, size, Filter::Triangle));
        Self { threads, bounds, step_map }
    }

    /// Adds `scale` times the gradient to `picture`, which stays within 0–255 if the recipe says so.
    pub(crate) fn step(&self, picture: &mut Tensor, gradient: &Tensor, scale: f32) {
        let Self { threads, bounds: (least, most), ref step_map } = *self;
        rows::for_each(threads, picture, |c, y, row| {
            let gradient = rows::row(gradient, c, y);
            match step_map {
                None => {
                    for (x, g) in row.iter_mut().zip(gradient) {
                        *x = (*x + scale * g).max(least).min(most);
                    }
                }
                Some(map) => {
                    let longer = rows::row(map, 0, y);
                    for ((x, g), longer) in row.iter_mut().zip(gradient).zip(longer) {
                        *x = (*x + scale * (g * longer)).max(least).min(most);
                    }
                }
            }
        });
    }
}
