//! The objective's value and gradient tile by tile, for pictures too large for the network at once.

use graph::{Backwards, GraphError, Size, Tensor};
use kernels::Threads;

use super::place::View;
use super::terms::{Evaluation, Objective, Seen};
use super::tiles::{self, Tile};
use crate::Tiles;
use crate::ascent::{Shift, deviation, reciprocal};
use crate::image::black;
use crate::random::Random;

/// Runs the network tile by tile.
pub(crate) struct Tiled<'p> {
    objective: &'p Objective,
    tiles: Tiles,
    threads: &'p Threads,
    size: Size,
    sessions: Vec<TileSession<'p>>,
    /// The tiles of the next step, or of all steps.
    grid: Vec<Tile>,
}

/// What the network runs in on tiles of one size.
struct TileSession<'p> {
    size: Size,
    evaluation: Evaluation<'p>,
    picture: Tensor,
    gradient: Tensor,
    partial: Vec<[f64; 2]>,
}

impl<'p> TileSession<'p> {
    fn new(objective: &'p Objective, size: Size) -> Result<Self, GraphError> {
        let evaluation = objective.evaluation(size, Backwards::One)?;
        let (picture, gradient) = (black(size), black(size));
        Ok(Self { size, evaluation, picture, gradient, partial: Vec::new() })
    }
}

/// The tile sizes that come again at every step on pictures of `size`.
pub(super) fn tile_sizes(tiles: Tiles, size: Size, least: Size) -> Vec<Size> {
    match tiles {
        Tiles::Whole | Tiles::Exact { .. } => vec![size],
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

impl<'p> Tiled<'p> {
    pub(super) fn new(
        objective: &'p Objective,
        tiles: Tiles,
        threads: &'p Threads,
        size: Size,
    ) -> Result<Self, GraphError> {
        let sessions = tile_sizes(tiles, size, objective.least)
            .into_iter()
            .map(|size| TileSession::new(objective, size))
            .collect::<Result<_, _>>()?;
        let grid = match tiles {
            Tiles::Rolled { size: tile } => tiles::rolled(size, tile as usize),
            // Drawn anew at every step.
            Tiles::Scattered { .. } | Tiles::Whole | Tiles::Exact { .. } => Vec::new(),
        };
        Ok(Self { objective, tiles, threads, size, sessions, grid })
    }

    /// The objective, with these `weights`, at a `picture` that is rolled by `shift` already.
    pub(super) fn value_and_gradient(
        &mut self,
        weights: &[f32],
        picture: &Tensor,
        shift: Shift,
        random: &mut Random,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        if let Tiles::Scattered { size } = self.tiles {
            let tile = tiles::scattered_size(self.size, size as usize);
            self.grid = tiles::scattered(self.size, tile, random);
        }
        gradient.data.fill(0.0);
        let mut value = 0.0;
        for index in 0..self.grid.len() {
            value += self.tile(weights, picture, (shift, self.grid[index]), gradient)?;
        }
        Ok(value)
    }

    /// What the network saw of each tile of `picture` when it was last evaluated.
    pub(super) fn shown(&self, picture: &Tensor) -> Vec<Tensor> {
        let cut = |tile: &Tile| copied(picture, tile.seen(self.objective.least, self.size));
        self.grid.iter().map(cut).collect()
    }

    /// One tile's part of the gradient, and the objective there.
    fn tile(
        &mut self,
        weights: &[f32],
        picture: &Tensor,
        (shift, tile): (Shift, Tile),
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let seen = tile.seen(self.objective.least, self.size);
        let mut passing;
        let run = match self.sessions.iter_mut().find(|run| run.size == seen.size()) {
            Some(run) => run,
            None => {
                passing = TileSession::new(self.objective, seen.size())?;
                &mut passing
            }
        };
        copy(picture, seen, &mut run.picture, (0, 0));
        let view = View { picture: self.size, shift, tile, seen, owned: None };
        let objective = run.evaluation.value_and_gradient(
            self.threads,
            weights,
            (&view, &[]),
            (&run.picture, Seen::Never),
            &mut run.gradient,
        )?;
        if matches!(self.tiles, Tiles::Scattered { .. }) {
            let deviation = deviation(self.threads, &run.gradient.data, &mut run.partial);
            let scale = reciprocal(deviation);
            run.gradient.data.iter_mut().for_each(|x| *x *= scale);
        }
        let inside = Tile {
            rows: tile.rows.back_by(seen.rows.start),
            columns: tile.columns.back_by(seen.columns.start),
        };
        copy(&run.gradient, inside, gradient, (tile.rows.start, tile.columns.start));
        Ok(objective)
    }
}

/// A tile of a picture.
pub(super) fn copied(picture: &Tensor, tile: Tile) -> Tensor {
    let mut copied = black(tile.size());
    copy(picture, tile, &mut copied, (0, 0));
    copied
}

/// Copies `tile` of `source` to where `target` has (row, column).
pub(super) fn copy(source: &Tensor, tile: Tile, target: &mut Tensor, (top, left): (usize, usize)) {
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
