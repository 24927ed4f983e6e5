//! What the network makes of a picture: the objective and its gradient, whole or tile by tile.

use std::sync::Arc;

use graph::{Executable, GraphError, OutputGradient, Session, Size, Tensor};
use kernels::Threads;

use crate::jitter::{self, Shift};
use crate::random::Random;
use crate::tiles::{self, Tile};
use crate::{Recipe, Tiles, octave, transform};

/// The network compiled for the layers of a recipe, and how much each counts.
pub(crate) struct Objective {
    executable: Arc<dyn Executable>,
    outputs: Vec<OutputGradient<'static>>,
    pub(crate) weights: Vec<f32>,
    /// The least size of picture that all layers can see.
    least: Size,
}

impl Objective {
    pub(crate) fn new(executable: Arc<dyn Executable>, weights: Vec<f32>, least: Size) -> Self {
        let mut objective = Self { executable, outputs: Vec::new(), weights: Vec::new(), least };
        objective.set_weights(weights);
        objective
    }

    /// Gives the layers other weights.
    pub(crate) fn set_weights(&mut self, weights: Vec<f32>) {
        self.outputs =
            weights.iter().map(|&weight| OutputGradient::Activation { weight }).collect();
        self.weights = weights;
    }

    /// Writes the gradient of `Σ weight · ½ · Σ activation²` at `picture` to `gradient`, and returns
    /// the sum itself.
    fn value_and_gradient(
        &self,
        session: &mut dyn Session,
        picture: &Tensor,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        session.forward(picture)?;
        let mut objective = 0.0;
        for (target, &weight) in self.weights.iter().enumerate() {
            objective += f64::from(weight) * session.half_sum_squares(target)?;
        }
        session.backward(&self.outputs, gradient)?;
        Ok(objective)
    }

    fn session(&self, size: Size) -> Result<Box<dyn Session>, GraphError> {
        Arc::clone(&self.executable).session(size)
    }
}

/// Runs the network on pictures of one size.
pub(crate) enum GradientEvaluator<'p> {
    Whole {
        objective: &'p Objective,
        session: Box<dyn Session>,
    },
    /// `rolled` are the picture and its gradient as the network sees them.
    Tiled {
        tiled: Tiled<'p>,
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
        Ok(match recipe.tiles {
            Tiles::Whole => {
                GradientEvaluator::Whole { objective, session: objective.session(size)? }
            }
            Tiles::Rolled { size: tile } | Tiles::Scattered { size: tile } => {
                let views = kept_views(recipe, size, objective.least)
                    .into_iter()
                    .map(|size| View::new(objective, size))
                    .collect::<Result<_, _>>()?;
                let grid = tiles::rolled(size, tile as usize);
                let tiled = Tiled { objective, recipe, threads, size, views, grid };
                GradientEvaluator::Tiled {
                    tiled,
                    rolled: [octave::picture(size), octave::picture(size)],
                }
            }
        })
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
            GradientEvaluator::Whole { objective, session } => {
                session.set_shift([shift.down, shift.right]);
                objective.value_and_gradient(session.as_mut(), picture, gradient)
            }
            GradientEvaluator::Tiled { tiled, rolled: [seen, there] } => {
                jitter::roll(tiled.threads, picture, shift, seen);
                let objective = tiled.value_and_gradient(seen, random, there)?;
                jitter::roll(tiled.threads, there, shift.back(tiled.size), gradient);
                Ok(objective)
            }
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
    let bytes = |size: Size| executable.memory(size);
    match recipe.tiles {
        Tiles::Whole => bytes(size),
        Tiles::Rolled { .. } => kept_views(recipe, size, least).into_iter().map(bytes).sum(),
        // Beside the whole tile, the one that is cut off.
        Tiles::Scattered { .. } => Ok(2 * kept_views(recipe, size, least)
            .into_iter()
            .map(bytes)
            .sum::<Result<u64, _>>()?),
    }
}

/// The tile sizes that come again at every step.
fn kept_views(recipe: &Recipe, size: Size, least: Size) -> Vec<Size> {
    match recipe.tiles {
        Tiles::Whole => vec![size],
        Tiles::Rolled { size: tile } => {
            let mut sizes: Vec<Size> = tiles::rolled(size, tile as usize)
                .into_iter()
                .map(|tile| tile.seen(least, size).size())
                .collect();
            sizes.sort();
            sizes.dedup();
            sizes
        }
        Tiles::Scattered { size: tile } => vec![tiles::scattered_size(size, tile as usize)],
    }
}

/// Runs the network tile by tile.
pub(crate) struct Tiled<'p> {
    objective: &'p Objective,
    recipe: &'p Recipe,
    threads: &'p Threads,
    size: Size,
    views: Vec<View>,
    /// The tiles of the next step, or of all steps.
    grid: Vec<Tile>,
}

/// The memory for tiles of one size.
struct View {
    size: Size,
    session: Box<dyn Session>,
    picture: Tensor,
    gradient: Tensor,
    partial: Vec<[f64; 2]>,
}

impl View {
    fn new(objective: &Objective, size: Size) -> Result<Self, GraphError> {
        let session = objective.session(size)?;
        let (picture, gradient) = (octave::picture(size), octave::picture(size));
        Ok(Self { size, session, picture, gradient, partial: Vec::new() })
    }
}

impl Tiled<'_> {
    fn value_and_gradient(
        &mut self,
        picture: &Tensor,
        random: &mut Random,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        if let Tiles::Scattered { size } = self.recipe.tiles {
            let tile = tiles::scattered_size(self.size, size as usize);
            self.grid = tiles::scattered(self.size, tile, random);
        }
        gradient.data.fill(0.0);
        (0..self.grid.len()).map(|index| self.tile(picture, self.grid[index], gradient)).sum()
    }

    /// One tile's part of the gradient, and the objective there.
    fn tile(
        &mut self,
        picture: &Tensor,
        tile: Tile,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let seen = tile.seen(self.objective.least, self.size);
        let mut passing;
        let view = match self.views.iter_mut().find(|view| view.size == seen.size()) {
            Some(view) => view,
            None => {
                passing = View::new(self.objective, seen.size())?;
                &mut passing
            }
        };
        copy(picture, seen, &mut view.picture, (0, 0));
        let objective = self.objective.value_and_gradient(
            view.session.as_mut(),
            &view.picture,
            &mut view.gradient,
        )?;
        if matches!(self.recipe.tiles, Tiles::Scattered { .. }) {
            let deviation =
                transform::deviation(self.threads, &view.gradient.data, &mut view.partial);
            let scale = transform::reciprocal(deviation);
            view.gradient.data.iter_mut().for_each(|x| *x *= scale);
        }
        let inside = Tile {
            rows: tile.rows.back_by(seen.rows.start),
            columns: tile.columns.back_by(seen.columns.start),
        };
        copy(&view.gradient, inside, gradient, (tile.rows.start, tile.columns.start));
        Ok(objective)
    }
}

/// Copies `tile` of `source` to where `target` has (row, column).
fn copy(source: &Tensor, tile: Tile, target: &mut Tensor, (top, left): (usize, usize)) {
    let (from, to) = (source.shape.width, target.shape.width);
    let (size, columns) = (tile.size(), tile.columns);
    for c in 0..source.shape.channels {
        let (source, target) = (source.channel(c), target.channel_mut(c));
        for row in 0..size.height {
            target[(top + row) * to + left..][..size.width].copy_from_slice(
                &source[(tile.rows.start + row) * from..][columns.start..columns.end],
            );
        }
    }
}
