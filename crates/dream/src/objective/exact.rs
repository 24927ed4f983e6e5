//! The objective's value and gradient part by part, the whole picture's but for rounding: parts overlap by as much as
//! layers see beyond each, every position of a layer counts in one of them, and the gradients add up.

use std::ops::Range;

use graph::{GraphError, Size, Tensor};
use kernels::Threads;

use super::cuts::OwnedTile;
use super::place::View;
use super::terms::{Evaluation, Objective, Seen};
use super::tiles::Tile;
use crate::ascent::Shift;
use crate::image::{black, rows};

/// Runs the network part by part.
pub(crate) struct Exact<'p> {
    threads: &'p Threads,
    evaluation: Evaluation<'p>,
    /// Each part, with what of each layer belongs to it.
    parts: Vec<OwnedTile>,
    /// A part and its gradient.
    picture: Tensor,
    gradient: Tensor,
}

impl<'p> Exact<'p> {
    pub(super) fn new(
        objective: &'p Objective,
        size: Size,
        parts: Vec<OwnedTile>,
        threads: &'p Threads,
    ) -> Result<Self, GraphError> {
        let evaluation = objective.evaluation_of_parts(size)?;
        Ok(Self { threads, evaluation, parts, picture: black(size), gradient: black(size) })
    }

    /// The objective, with these `weights`, at a `picture` that the network sees rolled by `shift`, and its gradient.
    pub(super) fn value_and_gradient(
        &mut self,
        weights: &[f32],
        picture: &Tensor,
        shift: Shift,
        gradient: &mut Tensor,
    ) -> Result<f64, GraphError> {
        let Self { threads, evaluation, parts, picture: shown, gradient: own } = self;
        let view = View::whole(picture.shape.size(), shift);
        if evaluation.begin_survey(weights) {
            for (tile, owned) in &*parts {
                cut(threads, picture, (*tile, shift), shown);
                if evaluation.survey(weights, owned, shown)? {
                    break;
                }
            }
        }
        gradient.data.fill(0.0);
        let mut value = 0.0;
        for (tile, owned) in &*parts {
            cut(threads, picture, (*tile, shift), shown);
            let view = View { seen: *tile, ..view };
            let at = (&*shown, Seen::Never);
            value += evaluation.value_and_gradient(threads, weights, (&view, owned), at, own)?;
            add(threads, own, (*tile, shift), gradient);
        }
        Ok(value)
    }

    /// What the network saw of each part of `picture`, rolled by `shift`.
    pub(super) fn shown(&self, picture: &Tensor, shift: Shift) -> Vec<Tensor> {
        let shown = |(tile, _): &OwnedTile| {
            let mut shown = black(tile.size());
            cut(self.threads, picture, (*tile, shift), &mut shown);
            shown
        };
        self.parts.iter().map(shown).collect()
    }
}

/// Writes a part of a picture that is rolled by a shift to `part`, without rolling all of it.
fn cut(threads: &Threads, picture: &Tensor, (tile, shift): (Tile, Shift), part: &mut Tensor) {
    let back = shift.back(picture.shape.size());
    rows::for_each(threads, part, |c, y, row| {
        let y = (tile.rows.start + y + back.down) % picture.shape.height;
        let from = rows::row(picture, c, y);
        let (head, rest) = wrapped(tile, back, from.len());
        let (before, after) = row.split_at_mut(head.len());
        before.copy_from_slice(&from[head]);
        after.copy_from_slice(&from[rest]);
    });
}

/// Adds the gradient of a part of a picture that was rolled by a shift to where the part lies.
fn add(threads: &Threads, own: &Tensor, (tile, shift): (Tile, Shift), gradient: &mut Tensor) {
    let (height, back) = (gradient.shape.height, shift.back(gradient.shape.size()));
    rows::for_each(threads, gradient, |c, y, row| {
        let y = (y + shift.down) % height;
        if (tile.rows.start..tile.rows.end).contains(&y) {
            let own = rows::row(own, c, y - tile.rows.start);
            let (head, rest) = wrapped(tile, back, row.len());
            let (before, after) = own.split_at(head.len());
            row[head].iter_mut().zip(before).for_each(|(sum, x)| *sum += x);
            row[rest].iter_mut().zip(after).for_each(|(sum, x)| *sum += x);
        }
    });
}

/// Where the columns of a tile lie in rows of so many values that are rolled `back`: those up to the end of a row,
/// and those from its beginning on.
fn wrapped(tile: Tile, back: Shift, width: usize) -> (Range<usize>, Range<usize>) {
    let start = (tile.columns.start + back.right) % width;
    let end = start + tile.columns.len();
    (start..end.min(width), 0..end.saturating_sub(width))
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::super::tiles::Span;
    use super::*;
    use crate::ascent::roll;
    use crate::testing::{pattern, threads};

    #[test]
    fn parts_are_those_of_the_rolled_picture() {
        let (threads, picture) = (threads(), pattern(11, 17));
        let span = |start, end| Span { start, end };
        for (right, down) in [(0, 0), (1, 0), (0, 10), (16, 3), (8, 5)] {
            let shift = Shift { right, down };
            let mut rolled = Tensor::zeros(picture.shape);
            roll(&threads, &picture, shift, &mut rolled);
            let mut sum = Tensor::zeros(picture.shape);
            for (rows, columns) in [(span(0, 11), span(0, 17)), (span(2, 6), span(5, 17))] {
                let tile = Tile { rows, columns };
                let mut part = black(tile.size());
                cut(&threads, &picture, (tile, shift), &mut part);
                for y in 0..rows.len() {
                    let whole = &rows::row(&rolled, 1, rows.start + y)[columns.start..columns.end];
                    assert_eq!(rows::row(&part, 1, y), whole);
                }
                add(&threads, &part, (tile, shift), &mut sum);
            }
            // What both parts have counts twice.
            let mut wanted = Tensor::zeros(Shape::new(3, 11, 17));
            roll(&threads, &rolled, Shift::default(), &mut wanted);
            for c in 0..3 {
                for y in 2..6 {
                    wanted.channel_mut(c)[y * 17 + 5..(y + 1) * 17]
                        .iter_mut()
                        .for_each(|x| *x *= 2.0);
                }
            }
            let mut back = Tensor::zeros(picture.shape);
            roll(&threads, &wanted, shift.back(picture.shape.size()), &mut back);
            assert_eq!(sum, back);
        }
    }
}
