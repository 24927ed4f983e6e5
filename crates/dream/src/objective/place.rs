//! Where on a layer a place of the picture is, as a pass through the network sees it.

use graph::{Shape, Size};

use super::tiles::{Span, Tile};
use crate::ascent::Shift;

/// The positions of a layer that count in a part of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owned {
    /// Of the positions that the part has.
    pub(crate) rows: Span,
    pub(crate) columns: Span,
    /// Which row and column of the whole picture's positions the part's first ones are.
    pub(crate) first: [usize; 2],
    /// How many positions the whole picture has.
    pub(crate) whole: Size,
}

impl Owned {
    /// Makes what does not count of a layer's values 0.
    pub(super) fn keep(&self, values: &mut [f32], width: usize) {
        for (y, row) in values.chunks_exact_mut(width).enumerate() {
            match (self.rows.start..self.rows.end).contains(&y) {
                true => {
                    row[..self.columns.start.min(width)].fill(0.0);
                    row[self.columns.end.min(width)..].fill(0.0);
                }
                false => row.fill(0.0),
            }
        }
    }

    /// The part's position that is this row and column of the whole picture's, if it counts here.
    fn position(&self, [row, column]: [usize; 2], shape: Shape) -> Option<usize> {
        let inside = |at: usize, first: usize, span: Span| {
            at.checked_sub(first).filter(|at| (span.start..span.end).contains(at))
        };
        let row = inside(row, self.first[0], self.rows)?;
        Some(row * shape.width + inside(column, self.first[1], self.columns)?)
    }
}

/// The part of a picture that one pass sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The picture's size.
    pub(crate) picture: Size,
    /// How far the network sees it rolled.
    pub(crate) shift: Shift,
    /// The pixels that the pass is for, of the picture rolled.
    pub(crate) tile: Tile,
    /// The pixels that the network is shown for it.
    pub(crate) seen: Tile,
    /// What of a layer counts; `None` for all of it.
    pub(crate) owned: Option<Owned>,
}

impl View {
    /// All of a picture.
    pub(crate) fn whole(picture: Size, shift: Shift) -> Self {
        let span = |end| Span { start: 0, end };
        let tile = Tile { rows: span(picture.height), columns: span(picture.width) };
        Self { picture, shift, tile, seen: tile, owned: None }
    }

    /// The position, of a layer of `shape`, that has the place `at`, given right and down in shares of the
    /// picture; `None` if it is in another tile.
    pub(crate) fn position(&self, at: [f64; 2], shape: Shape) -> Option<usize> {
        let Self { picture, shift, tile, seen, owned } = self;
        if let Some(owned) = owned {
            let Size { height, width } = owned.whole;
            let [rows, columns] = [picture.height, picture.width].map(|end| Span { start: 0, end });
            let row = cell(at[1], (picture.height, shift.down), rows, rows, height)?;
            let column = cell(at[0], (picture.width, shift.right), columns, columns, width)?;
            return owned.position([row, column], shape);
        }
        let row = cell(at[1], (picture.height, shift.down), tile.rows, seen.rows, shape.height)?;
        let column =
            cell(at[0], (picture.width, shift.right), tile.columns, seen.columns, shape.width)?;
        Some(row * shape.width + column)
    }
}

/// The cell of `cells` over what is seen of an axis.
fn cell(
    share: f64,
    (side, shift): (usize, usize),
    tile: Span,
    seen: Span,
    cells: usize,
) -> Option<usize> {
    let pixel = (share * side as f64 + shift as f64) % side as f64;
    let inside = (tile.start as f64..tile.end as f64).contains(&pixel);
    let cell = ((pixel - seen.start as f64) * cells as f64 / seen.len() as f64) as usize;
    inside.then_some(cell.min(cells.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_moves_with_the_picture() {
        let (size, shape) = (Size::new(97, 130), Shape::new(512, 6, 8));
        let view = |right, down| View::whole(size, Shift { right, down });
        let middle = |view: View| view.position([0.5, 0.5], shape);
        assert_eq!(middle(view(0, 0)), Some(3 * 8 + 4));
        assert_eq!(middle(view(65, 0)), Some(3 * 8));
        assert_eq!(middle(view(64, 49)), Some(7));
        assert_eq!(view(0, 0).position([0.999, 0.0], shape), Some(7));
    }

    #[test]
    fn a_place_is_in_one_tile() {
        let size = Size::new(100, 100);
        let spans = [(0, 40), (40, 80), (80, 100)].map(|(start, end)| Span { start, end });
        let place = |columns: Span, at: f64| {
            let tile = Tile { rows: Span { start: 0, end: 100 }, columns };
            let seen = tile.seen(Size::new(30, 30), size);
            let view = View { picture: size, shift: Shift::default(), tile, seen, owned: None };
            view.position([at, 0.0], Shape::new(1, 1, 10))
        };
        let places = |at: f64| spans.map(|span| place(span, at));
        assert_eq!(places(0.2), [Some(5), None, None]);
        assert_eq!(places(0.4), [None, Some(0), None]);
        // The last tile is seen with ten pixels before it.
        assert_eq!(places(0.85), [None, None, Some(5)]);
    }
}
