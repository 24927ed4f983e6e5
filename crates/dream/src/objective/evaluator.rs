//! The objective's value and gradient at a picture, whole or tile by tile.

use graph::{Backwards, Executable, GraphError, Size, Storage, Tensor};
use kernels::Threads;

use super::balance;
use super::cuts::Grid;
use super::exact::Exact;
use super::place::View;
use super::terms::{Evaluation, Objective, Seen};
use super::tiled::{Tiled, tile_sizes};
use crate::ascent::{Shift, roll};
use crate::image::{black_in, like};
use crate::random::Random;
use crate::{Recipe, Tiles};

/// Runs the network on pictures of one size.
pub(crate) struct GradientEvaluator<'p> {
    objective: &'p Objective,
    threads: &'p Threads,
    passes: Passes<'p>,
    /// How much each term counts: what the objective says, or what makes that the shares.
    pub(super) weights: Vec<f32>,
}

/// The passes through the network that one evaluation takes.
enum Passes<'p> {
    Whole(Evaluation<'p>),
    /// `rolled` are the picture and its gradient as the network sees them.
    Tiled {
        tiled: Box<Tiled<'p>>,
        rolled: [Tensor; 2],
    },
    Exact(Box<Exact<'p>>),
}

impl<'p> GradientEvaluator<'p> {
    pub(crate) fn new(
        objective: &'p Objective,
        recipe: &'p Recipe,
        (threads, storage): (&'p Threads, &Storage),
        (size, backwards): (Size, Backwards),
    ) -> Result<Self, GraphError> {
        let passes = match recipe.tiles {
            Tiles::Whole => Passes::Whole(objective.evaluation(size, backwards)?),
            Tiles::Exact { size: most } => match objective.tiles(size, most) {
                None => Passes::Whole(objective.evaluation(size, backwards)?),
                Some((part, parts)) => {
                    Passes::Exact(Box::new(Exact::new(objective, part, parts, threads)?))
                }
            },
            tiles => Passes::Tiled {
                tiled: Box::new(Tiled::new(objective, tiles, threads, size)?),
                rolled: [black_in(storage, size), black_in(storage, size)],
            },
        };
        Ok(Self { objective, threads, passes, weights: objective.weights.clone() })
    }

    /// The factor of each term's value.
    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Gives the terms' values other factors.
    pub(crate) fn set_weights(&mut self, weights: &[f32]) {
        self.weights.clear();
        self.weights.extend_from_slice(weights);
    }

    /// Where the weights are shares, measures at `picture` what makes them that. Returns for each term
    /// whether it has no gradient there, so that it does not count; empty where nothing is measured.
    /// `gradient` is memory to work in.
    pub(crate) fn balance(
        &mut self,
        recipe: &Recipe,
        picture: &Tensor,
        gradient: &mut Tensor,
    ) -> Result<Vec<bool>, GraphError> {
        let (objective, threads) = (self.objective, self.threads);
        if !objective.shares {
            return Ok(Vec::new());
        }
        let shares = &objective.weights;
        let (weights, silent) = match measuring(recipe) {
            // Scattered tiles' gradients come normalised.
            Some(recipe) => {
                let once = (picture.shape.size(), Backwards::One);
                let place = (threads, picture.storage());
                let mut evaluator = GradientEvaluator::new(objective, &recipe, place, once)?;
                balance::balanced(&mut evaluator, shares, threads, picture, gradient)?
            }
            None => balance::balanced(self, shares, threads, picture, gradient)?,
        };
        self.weights = weights;
        Ok(silent)
    }

    /// Writes the objective's gradient at `picture`, which the network sees rolled by `shift` and may have `seen`
    /// so, to `gradient`, and returns the objective.
    pub(crate) fn value_and_gradient(
        &mut self,
        (picture, seen): (&Tensor, Seen),
        shift: Shift,
        random: &mut Random,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let Self { threads, passes, weights, .. } = self;
        match passes {
            Passes::Whole(evaluation) => {
                evaluation.set_shift([shift.down, shift.right]);
                let view = View::whole(picture.shape.size(), shift);
                let at = (picture, seen);
                evaluation.value_and_gradient(threads, weights, (&view, &[]), at, gradient)
            }
            Passes::Tiled { tiled, rolled: [rolled, there] } => {
                roll(threads, picture, shift, rolled);
                let value = tiled.value_and_gradient(weights, rolled, shift, random, there)?;
                roll(threads, there, shift.back(picture.shape.size()), gradient);
                Ok(value)
            }
            Passes::Exact(exact) => exact.value_and_gradient(weights, picture, shift, gradient),
        }
    }

    /// Keeps the first term's layer from now on; returns how many channels it has, and nothing where the network
    /// sees the picture in tiles, each with a layer of its own.
    pub(crate) fn keep_first(&mut self) -> Option<usize> {
        match &mut self.passes {
            Passes::Whole(evaluation) => Some(evaluation.keep_first()),
            Passes::Tiled { .. } | Passes::Exact(_) => None,
        }
    }

    /// The first term's layer at the last evaluation, if it is kept.
    pub(crate) fn first(&self) -> Option<&Tensor> {
        match &self.passes {
            Passes::Whole(evaluation) => evaluation.first(),
            Passes::Tiled { .. } | Passes::Exact(_) => None,
        }
    }

    /// Writes to `gradient` what a gradient at the first term's layer is at `picture`, which the network sees
    /// rolled by `shift`; `seed` makes it of the layer's values there, if they are kept.
    pub(crate) fn gradient_from_first(
        &mut self,
        picture: &Tensor,
        shift: Shift,
        seed: impl FnOnce(&Tensor, &mut Tensor),
        gradient: &mut Tensor,
    ) -> Result<(), GraphError> {
        let Passes::Whole(evaluation) = &mut self.passes else { return Ok(()) };
        evaluation.set_shift([shift.down, shift.right]);
        evaluation.gradient_from_first(picture, seed, gradient)
    }

    /// The pictures that the network saw when it was last evaluated at `picture`, rolled by `shift`.
    pub(crate) fn shown(&self, picture: &Tensor, shift: Shift, threads: &Threads) -> Vec<Tensor> {
        match &self.passes {
            Passes::Whole(_) => {
                let mut seen = like(picture);
                roll(threads, picture, shift, &mut seen);
                vec![seen]
            }
            Passes::Tiled { tiled, rolled: [seen, _] } => tiled.shown(seen),
            Passes::Exact(exact) => exact.shown(picture, shift),
        }
    }
}

/// The recipe by which a gradient's strength is measured, if it is another: scattered tiles' gradients come
/// normalised.
pub(crate) fn measuring(recipe: &Recipe) -> Option<Recipe> {
    match recipe.tiles {
        Tiles::Scattered { size } => {
            Some(Recipe { tiles: Tiles::Rolled { size }, ..recipe.clone() })
        }
        Tiles::Whole | Tiles::Rolled { .. } | Tiles::Exact { .. } => None,
    }
}

/// What decides on the sizes that the network sees.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) recipe: &'a Recipe,
    /// The least size that all layers can see.
    pub(crate) least: Size,
    /// What exact tiles are cut by.
    pub(crate) grid: &'a Grid,
}

impl Sight<'_> {
    /// The sizes of what the network sees again and again of pictures of `size`, and whether these are exact
    /// tiles.
    pub(crate) fn sizes(&self, size: Size) -> (Vec<Size>, bool) {
        match self.recipe.tiles {
            Tiles::Whole => (vec![size], false),
            Tiles::Exact { size: most } => match self.grid.cut(size, most as usize) {
                Ok(cuts) => (vec![cuts.part()], !cuts.is_whole()),
                Err(_) => (vec![size], false),
            },
            tiles => (tile_sizes(tiles, size, self.least), false),
        }
    }

    /// Bytes of the sessions that a [`GradientEvaluator`] of pictures of `size` holds at the most; `beside` is what
    /// the terms take beside each, and whether it is of exact tiles.
    pub(crate) fn memory(
        &self,
        executable: &dyn Executable,
        beside: &dyn Fn(Size, bool) -> u64,
        (size, backwards): (Size, Backwards),
    ) -> Result<u64, GraphError> {
        let (sizes, exact) = self.sizes(size);
        let bytes = sizes.into_iter().map(|size| {
            let session = executable.memory_for(size, backwards)?;
            // An exact tile and its gradient.
            let pictures = if exact { 2 * 3 * size_of::<f32>() as u64 } else { 0 };
            let pictures = pictures.saturating_mul(size.pixels());
            Ok(session.saturating_add(beside(size, exact)).saturating_add(pictures))
        });
        let bytes = bytes.sum::<Result<u64, GraphError>>()?;
        // Beside a whole scattered tile, there is the one that is cut off.
        Ok(if matches!(self.recipe.tiles, Tiles::Scattered { .. }) {
            bytes.saturating_mul(2)
        } else {
            bytes
        })
    }
}
