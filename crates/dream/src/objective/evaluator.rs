//! The objective's value and gradient at a picture, whole or tile by tile.

use graph::{Executable, GraphError, Size, Tensor};
use kernels::Threads;

use super::balance;
use super::place::View;
use super::terms::{Evaluation, Objective};
use super::tiled::{Tiled, tile_sizes};
use crate::ascent::{Shift, roll};
use crate::image::black;
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
}

impl<'p> GradientEvaluator<'p> {
    pub(crate) fn new(
        objective: &'p Objective,
        recipe: &'p Recipe,
        threads: &'p Threads,
        size: Size,
    ) -> Result<Self, GraphError> {
        let passes = match recipe.tiles {
            Tiles::Whole => Passes::Whole(objective.evaluation(size)?),
            tiles => Passes::Tiled {
                tiled: Box::new(Tiled::new(objective, tiles, threads, size)?),
                rolled: [black(size), black(size)],
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
                let size = picture.shape.size();
                let mut evaluator = GradientEvaluator::new(objective, &recipe, threads, size)?;
                balance::balanced(&mut evaluator, shares, threads, picture, gradient)?
            }
            None => balance::balanced(self, shares, threads, picture, gradient)?,
        };
        self.weights = weights;
        Ok(silent)
    }

    /// Writes the objective's gradient at `picture`, which the network sees rolled by `shift`, to
    /// `gradient`, and returns the objective.
    pub(crate) fn value_and_gradient(
        &mut self,
        picture: &Tensor,
        shift: Shift,
        random: &mut Random,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let Self { threads, passes, weights, .. } = self;
        match passes {
            Passes::Whole(evaluation) => {
                evaluation.set_shift([shift.down, shift.right]);
                let view = View::whole(picture.shape.size(), shift);
                evaluation.value_and_gradient(threads, weights, &view, picture, gradient)
            }
            Passes::Tiled { tiled, rolled: [seen, there] } => {
                roll(threads, picture, shift, seen);
                let value = tiled.value_and_gradient(weights, seen, shift, random, there)?;
                roll(threads, there, shift.back(picture.shape.size()), gradient);
                Ok(value)
            }
        }
    }

    /// The pictures that the network saw when it was last evaluated at `picture`, rolled by `shift`.
    pub(crate) fn shown(&self, picture: &Tensor, shift: Shift, threads: &Threads) -> Vec<Tensor> {
        match &self.passes {
            Passes::Whole(_) => {
                let mut seen = black(picture.shape.size());
                roll(threads, picture, shift, &mut seen);
                vec![seen]
            }
            Passes::Tiled { tiled, rolled: [seen, _] } => tiled.shown(seen),
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
        Tiles::Whole | Tiles::Rolled { .. } => None,
    }
}

/// Bytes of the sessions that a [`GradientEvaluator`] of pictures of `size` holds at the most; `beside` is what
/// the terms take beside each.
pub(crate) fn memory(
    executable: &dyn Executable,
    beside: &dyn Fn(Size) -> u64,
    recipe: &Recipe,
    size: Size,
    least: Size,
) -> Result<u64, GraphError> {
    let sizes = sizes_seen(recipe, size, least);
    let bytes = sizes.into_iter().map(|size| {
        let session = executable.memory(size)?;
        Ok(session.saturating_add(beside(size)))
    });
    let bytes = bytes.sum::<Result<u64, GraphError>>()?;
    // Beside a whole scattered tile, there is the one that is cut off.
    Ok(if matches!(recipe.tiles, Tiles::Scattered { .. }) {
        bytes.saturating_mul(2)
    } else {
        bytes
    })
}

/// The sizes of what the network sees again and again of pictures of `size`.
pub(crate) fn sizes_seen(recipe: &Recipe, size: Size, least: Size) -> Vec<Size> {
    match recipe.tiles {
        Tiles::Whole => vec![size],
        tiles => tile_sizes(tiles, size, least),
    }
}
