//! The objective's value and gradient at a picture, whole or tile by tile.

use graph::{Executable, GraphError, Session, Size, Tensor};
use kernels::Threads;

use super::layers::Objective;
use super::tiled::{Tiled, tile_sizes};
use crate::ascent::{Shift, roll};
use crate::image::black;
use crate::random::Random;
use crate::{Recipe, Tiles};

/// Runs the network on pictures of one size.
pub(crate) enum GradientEvaluator<'p> {
    Whole {
        objective: &'p Objective,
        session: Box<dyn Session>,
    },
    /// `rolled` are the picture and its gradient as the network sees them.
    Tiled {
        tiled: Box<Tiled<'p>>,
        threads: &'p Threads,
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
        if recipe.tiles == Tiles::Whole {
            return Ok(Self::Whole { objective, session: objective.session(size)? });
        }
        let tiled = Box::new(Tiled::new(objective, recipe.tiles, threads, size)?);
        Ok(Self::Tiled { tiled, threads, rolled: [black(size), black(size)] })
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
        match self {
            Self::Whole { objective, session } => {
                session.set_shift([shift.down, shift.right]);
                objective.value_and_gradient(session.as_mut(), picture, gradient)
            }
            Self::Tiled { tiled, threads, rolled: [seen, there] } => {
                roll(threads, picture, shift, seen);
                let value = tiled.value_and_gradient(seen, random, there)?;
                roll(threads, there, shift.back(picture.shape.size()), gradient);
                Ok(value)
            }
        }
    }

    /// The pictures that the network saw when it was last evaluated at `picture`, rolled by `shift`.
    pub(crate) fn shown(&self, picture: &Tensor, shift: Shift, threads: &Threads) -> Vec<Tensor> {
        match self {
            Self::Whole { .. } => {
                let mut seen = black(picture.shape.size());
                roll(threads, picture, shift, &mut seen);
                vec![seen]
            }
            Self::Tiled { tiled, rolled: [seen, _], .. } => tiled.shown(seen),
        }
    }
}

/// Bytes of the sessions that a [`GradientEvaluator`] of pictures of `size` holds at the most.
pub(crate) fn memory(
    executable: &dyn Executable,
    recipe: &Recipe,
    size: Size,
    least: Size,
) -> Result<u64, GraphError> {
    let sizes = sizes_seen(recipe, size, least);
    let bytes = sizes.into_iter().map(|size| executable.memory(size));
    let bytes = bytes.sum::<Result<u64, _>>()?;
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
