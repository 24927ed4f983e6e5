//! Where tiles lie: the grids of TensorFlow's and Hvass' notebooks.

use crate::OctaveSize;
use crate::random::Random;

/// A stretch of one axis: from `start` up to `end`, not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }

    /// The same as counted from `origin`.
    pub(crate) fn back_by(self, origin: usize) -> Self {
        Self { start: self.start - origin, end: self.end - origin }
    }

    /// The same, made at least `least` long by reaching back; an axis shorter than that is taken
    /// whole.
    fn reaching_back(self, least: usize) -> Self {
        Self { start: self.start.min(self.end.saturating_sub(least)), ..self }
    }
}

/// A rectangle of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) rows: Span,
    pub(crate) columns: Span,
}

impl Tile {
    pub(crate) fn size(self) -> OctaveSize {
        OctaveSize { height: self.rows.len(), width: self.columns.len() }
    }

    /// The tile the network is shown in place of one too small for it.
    pub(crate) fn seen(self, least: OctaveSize) -> Self {
        Self {
            rows: self.rows.reaching_back(least.height),
            columns: self.columns.reaching_back(least.width),
        }
    }
}

/// TensorFlow's grid for a rolled picture: whole tiles from the left and top, and a smaller one after
/// them only where it is more than half as large. A picture smaller than a tile is one.
pub(crate) fn rolled(size: OctaveSize, tile: usize) -> Vec<Tile> {
    let spans = |side: usize| -> Vec<Span> {
        (0..side.saturating_sub(tile / 2).max(tile))
            .step_by(tile)
            .map(|start| Span { start, end: (start + tile).min(side) })
            .collect()
    };
    let columns = spans(size.width);
    let rows = spans(size.height).into_iter();
    rows.flat_map(|rows| columns.iter().map(move |&columns| Tile { rows, columns })).collect()
}

/// The size of Hvass' tiles: the picture divided evenly into as many as come nearest to `tile`.
pub(crate) fn scattered_size(size: OctaveSize, tile: usize) -> OctaveSize {
    let even = |side: usize| {
        let tiles = (side as f64 / tile as f64).round_ties_even().max(1.0);
        (side as f64 / tiles).ceil() as usize
    };
    OctaveSize { height: even(size.height), width: even(size.width) }
}

/// Hvass' tiles: columns of them, the first starting a quarter to three quarters of a tile outside
/// the picture, and each column's first tile likewise, cut off at the picture's borders.
pub(crate) fn scattered(size: OctaveSize, tile: OctaveSize, random: &mut Random) -> Vec<Tile> {
    let mut spans = |side: usize, tile: usize| -> Vec<Span> {
        let quarter = tile / 4;
        let outside = quarter + random.below(2 * quarter as u32 + 1) as usize;
        (0..side + outside)
            .step_by(tile)
            .map(|start| Span {
                start: start.saturating_sub(outside),
                end: (start + tile - outside).min(side),
            })
            .collect()
    };
    let columns = spans(size.width, tile.width);
    let column = |columns| {
        let rows = spans(size.height, tile.height).into_iter();
        rows.map(move |rows| Tile { rows, columns })
    };
    columns.into_iter().flat_map(column).collect()
}
