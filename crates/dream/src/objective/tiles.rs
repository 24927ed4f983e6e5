//! Where tiles lie: the grids of TensorFlow's and Hvass' notebooks.

use graph::Size;

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

    /// The same, made at least `least` long by reaching back or, from the start of an axis of `side`,
    /// forward; an axis shorter than that is taken whole.
    fn widened(self, least: usize, side: usize) -> Self {
        let start = self.start.min(self.end.saturating_sub(least));
        Self { start, end: self.end.max((start + least).min(side)) }
    }
}

/// A rectangle of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) rows: Span,
    pub(crate) columns: Span,
}

impl Tile {
    pub(crate) fn size(self) -> Size {
        Size::new(self.rows.len(), self.columns.len())
    }

    /// The tile of a picture of `size` that the network is shown in place of one below `least`.
    pub(crate) fn seen(self, least: Size, size: Size) -> Self {
        Self {
            rows: self.rows.widened(least.height, size.height),
            columns: self.columns.widened(least.width, size.width),
        }
    }
}

/// TensorFlow's grid for a rolled picture: whole tiles from the left and top, and a smaller one after
/// them only where it is more than half as large. A picture smaller than a tile is one.
pub(crate) fn rolled(size: Size, tile: usize) -> Vec<Tile> {
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
pub(crate) fn scattered_size(size: Size, tile: usize) -> Size {
    let even = |side: usize| {
        let tiles = (side as f64 / tile as f64).round_ties_even().max(1.0);
        (side as f64 / tiles).ceil() as usize
    };
    Size::new(even(size.height), even(size.width))
}

/// Hvass' tiles: columns of them, the first starting a quarter to three quarters of a tile outside
/// the picture, and each column's first tile likewise, cut off at the picture's borders.
pub(crate) fn scattered(size: Size, tile: Size, random: &mut Random) -> Vec<Tile> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(side: usize, tile: usize) -> Vec<(usize, usize)> {
        let size = Size::new(1, side);
        rolled(size, tile).iter().map(|tile| (tile.columns.start, tile.columns.end)).collect()
    }

    #[test]
    fn rolled_tiles_leave_out_a_strip_of_half_a_tile() {
        assert_eq!(spans(300, 512), [(0, 300)]);
        assert_eq!(spans(640, 512), [(0, 512)]);
        assert_eq!(spans(768, 512), [(0, 512)]);
        assert_eq!(spans(769, 512), [(0, 512), (512, 769)]);
        assert_eq!(spans(1024, 512), [(0, 512), (512, 1024)]);
        assert_eq!(spans(1280, 512), [(0, 512), (512, 1024)]);
    }

    #[test]
    fn scattered_tiles_divide_a_picture_evenly() {
        let size = |height, width| {
            let size = scattered_size(Size { height, width }, 400);
            (size.height, size.width)
        };
        assert_eq!(size(100, 399), (100, 399));
        assert_eq!(size(1000, 600), (500, 300));
        assert_eq!(size(1080, 1921), (360, 385));
    }

    #[test]
    fn scattered_tiles_cover_every_pixel_once() {
        let mut random = Random::new(5);
        for (height, width) in [(40, 40), (97, 130), (1, 1), (3, 200), (131, 64)] {
            let size = Size::new(height, width);
            let tile = scattered_size(size, 32);
            for _ in 0..20 {
                let mut covered = vec![0; height * width];
                for tile in scattered(size, tile, &mut random) {
                    for y in tile.rows.start..tile.rows.end {
                        for x in tile.columns.start..tile.columns.end {
                            covered[y * width + x] += 1;
                        }
                    }
                }
                assert!(covered.iter().all(|times| *times == 1), "{height}×{width}");
            }
        }
    }

    #[test]
    fn a_thin_tile_is_seen_with_its_neighbour() {
        let seen = |start, end| {
            let span = Span { start, end };
            let (least, size) = (31, Size::new(97, 20));
            let least = Size::new(least, least);
            let seen = Tile { rows: span, columns: Span { start: 0, end: 9 } }.seen(least, size);
            assert_eq!(seen.columns, Span { start: 0, end: 20 });
            (seen.rows.start, seen.rows.end)
        };
        assert_eq!(seen(90, 97), (66, 97));
        assert_eq!(seen(0, 5), (0, 31));
        assert_eq!(seen(10, 15), (0, 31));
        assert_eq!(seen(20, 60), (20, 60));
    }
}
