//! What the network makes of a picture: the objective and its gradient, whole or tile by tile.

use cpu::{Engine, OutputGradient, Workspace};
use graph::{NetError, Tensor};
use kernels::Threads;

use crate::jitter::{self, Shift};
use crate::random::Random;
use crate::tiles::{self, Tile};
use crate::{OctaveSize, Recipe, Tiles, gradient};

/// The network compiled for the layers of a recipe, and how much each counts.
pub(crate) struct Objective {
    engine: Engine,
    output_gradients: Vec<OutputGradient<'static>>,
    pub(crate) weights: Vec<f32>,
    /// The least size of picture that all layers can see.
    least: OctaveSize,
}

impl Objective {
    pub(crate) fn new(engine: Engine, weights: Vec<f32>, least: OctaveSize) -> Self {
        let mut objective =
            Self { engine, output_gradients: Vec::new(), weights: Vec::new(), least };
        objective.set_weights(weights);
        objective
    }

    /// Gives the layers other weights.
    pub(crate) fn set_weights(&mut self, weights: Vec<f32>) {
        self.output_gradients =
            weights.iter().map(|&weight| OutputGradient::Activation { weight }).collect();
        self.weights = weights;
    }

    /// Writes the gradient of `Σ weight · ½ · Σ activation²` at `picture` to `gradient`, and returns
    /// the sum itself.
    fn look(&self, workspace: &mut Workspace<'_>, picture: &Tensor, gradient: &mut Tensor) -> f64 {
        workspace.forward(picture);
        let objective = self
            .weights
            .iter()
            .enumerate()
            .map(|(layer, &weight)| f64::from(weight) * workspace.half_sum_squares(layer))
            .sum();
        workspace.backward(&self.output_gradients, gradient);
        objective
    }
}

/// Runs the network on pictures of one size.
pub(crate) enum Sight<'p> {
    Whole {
        objective: &'p Objective,
        workspace: Box<Workspace<'p>>,
    },
    /// `rolled` are the picture and its gradient as the network sees them.
    Tiled {
        tiled: Tiled<'p>,
        rolled: [Tensor; 2],
    },
}

impl<'p> Sight<'p> {
    pub(crate) fn new(
        objective: &'p Objective,
        recipe: &'p Recipe,
        threads: &'p Threads,
        size: OctaveSize,
    ) -> Self {
        match recipe.tiles {
            Tiles::Whole => {
                let workspace = Box::new(workspace(objective, size));
                Sight::Whole { objective, workspace }
            }
            Tiles::Rolled | Tiles::Scattered => {
                let views = kept_views(recipe, size, objective.least)
                    .into_iter()
                    .map(|size| View::new(objective, size))
                    .collect();
                let grid = tiles::rolled(size, recipe.tile_size as usize);
                let tiled = Tiled { objective, recipe, threads, size, views, grid };
                Sight::Tiled { tiled, rolled: [size.picture(), size.picture()] }
            }
        }
    }

    /// Writes the objective's gradient at `picture`, which the network sees rolled by `shift`, to
    /// `gradient`, and returns the objective.
    pub(crate) fn gradient(
        &mut self,
        picture: &Tensor,
        shift: Shift,
        random: &mut Random,
        gradient: &mut Tensor,
    ) -> f64 {
        match self {
            Sight::Whole { objective, workspace } => {
                workspace.set_shift([shift.down, shift.right]);
                objective.look(workspace, picture, gradient)
            }
            Sight::Tiled { tiled, rolled: [seen, there] } => {
                jitter::roll(tiled.threads, picture, shift, seen);
                let objective = tiled.gradient(seen, random, there);
                let size = (tiled.size.height, tiled.size.width);
                jitter::roll(tiled.threads, there, shift.back(size), gradient);
                objective
            }
        }
    }
}

/// Bytes of the workspaces that a [`Sight`] of pictures of `size` holds at the most.
pub(crate) fn memory(
    engine: &Engine,
    recipe: &Recipe,
    size: OctaveSize,
    least: OctaveSize,
) -> Result<u64, NetError> {
    let bytes = |size: OctaveSize| engine.memory(size.height, size.width).map(|bytes| bytes as u64);
    match recipe.tiles {
        Tiles::Whole => bytes(size),
        Tiles::Rolled => kept_views(recipe, size, least).into_iter().map(bytes).sum(),
        // Beside the whole tile, the one that is cut off.
        Tiles::Scattered => Ok(2 * kept_views(recipe, size, least)
            .into_iter()
            .map(bytes)
            .sum::<Result<u64, _>>()?),
    }
}

/// The tile sizes that come again at every step.
fn kept_views(recipe: &Recipe, size: OctaveSize, least: OctaveSize) -> Vec<OctaveSize> {
    let tile = recipe.tile_size as usize;
    match recipe.tiles {
        Tiles::Whole => vec![size],
        Tiles::Rolled => {
            let mut sizes: Vec<OctaveSize> = tiles::rolled(size, tile)
                .into_iter()
                .map(|tile| tile.seen(least, size).size())
                .collect();
            sizes.sort();
            sizes.dedup();
            sizes
        }
        Tiles::Scattered => vec![tiles::scattered_size(size, tile)],
    }
}

fn workspace(objective: &Objective, size: OctaveSize) -> Workspace<'_> {
    let OctaveSize { height, width } = size;
    objective
        .engine
        .workspace(height, width)
        .expect("the plan has no size too small for the network")
}

/// Runs the network tile by tile.
pub(crate) struct Tiled<'p> {
    objective: &'p Objective,
    recipe: &'p Recipe,
    threads: &'p Threads,
    size: OctaveSize,
    views: Vec<View<'p>>,
    /// The tiles of the next step, or of all steps.
    grid: Vec<Tile>,
}

/// The memory for tiles of one size.
struct View<'p> {
    size: OctaveSize,
    workspace: Workspace<'p>,
    picture: Tensor,
    gradient: Tensor,
    partial: Vec<[f64; 2]>,
}

impl<'p> View<'p> {
    fn new(objective: &'p Objective, size: OctaveSize) -> Self {
        let workspace = workspace(objective, size);
        let (picture, gradient) = (size.picture(), size.picture());
        Self { size, workspace, picture, gradient, partial: Vec::new() }
    }
}

impl Tiled<'_> {
    fn gradient(&mut self, picture: &Tensor, random: &mut Random, gradient: &mut Tensor) -> f64 {
        if self.recipe.tiles == Tiles::Scattered {
            let tile = tiles::scattered_size(self.size, self.recipe.tile_size as usize);
            self.grid = tiles::scattered(self.size, tile, random);
        }
        gradient.data.fill(0.0);
        (0..self.grid.len()).map(|index| self.tile(picture, self.grid[index], gradient)).sum()
    }

    /// One tile's part of the gradient, and the objective there.
    fn tile(&mut self, picture: &Tensor, tile: Tile, gradient: &mut Tensor) -> f64 {
        let seen = tile.seen(self.objective.least, self.size);
        let mut passing;
        let view = match self.views.iter_mut().find(|view| view.size == seen.size()) {
            Some(view) => view,
            None => {
                passing = View::new(self.objective, seen.size());
                &mut passing
            }
        };
        copy(picture, seen, &mut view.picture, (0, 0));
        let objective = self.objective.look(&mut view.workspace, &view.picture, &mut view.gradient);
        if self.recipe.tiles == Tiles::Scattered {
            let deviation =
                gradient::deviation(self.threads, &view.gradient.data, &mut view.partial);
            let scale = gradient::reciprocal(deviation);
            view.gradient.data.iter_mut().for_each(|x| *x *= scale);
        }
        let inside = Tile {
            rows: tile.rows.back_by(seen.rows.start),
            columns: tile.columns.back_by(seen.columns.start),
        };
        copy(&view.gradient, inside, gradient, (tile.rows.start, tile.columns.start));
        objective
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
