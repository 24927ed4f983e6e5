//! What pads, crops and resizings have in common: rows and columns that are weighted sums of others.

use super::operation::{Activation, Operation};
use crate::{Real, Shape};

/// What each position along one axis of an output is the sum of: positions of the input with their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    starts: Vec<usize>,
    taps: Vec<(usize, f32)>,
}

impl Taps {
    /// The taps of each position, in order.
    pub(super) fn new<I: IntoIterator<Item = (usize, f32)>>(
        positions: impl Iterator<Item = I>,
    ) -> Self {
        let (mut starts, mut taps) = (vec![0], Vec::new());
        for position in positions {
            taps.extend(position);
            starts.push(taps.len());
        }
        Self { starts, taps }
    }

    /// Where the taps of each position start in [`Self::all`], and where the last ones end.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The taps of all positions.
    pub fn all(&self) -> &[(usize, f32)] {
        &self.taps
    }

    /// The taps of one position.
    pub fn at(&self, position: usize) -> &[(usize, f32)] {
        &self.taps[self.starts[position]..self.starts[position + 1]]
    }

    pub(crate) fn positions(&self) -> usize {
        self.starts.len() - 1
    }

    /// The same taps seen from the `extent` positions of the input.
    pub fn transposed(&self, extent: usize) -> Self {
        let mut back = vec![Vec::new(); extent];
        for position in 0..self.positions() {
            for &(index, weight) in self.at(position) {
                back[index].push((position, weight));
            }
        }
        Self::new(back.into_iter())
    }
}

/// What an operation that has taps gives, with `fill` where a row or column has none.
pub(super) fn forward<T: Real>(
    operation: &impl Operation,
    fill: f32,
    inputs: &[Activation<'_, T>],
    output: Shape,
) -> Vec<T> {
    let taps = operation.taps(inputs[0].shape, output).expect("it has taps");
    resample(inputs[0], output, &taps, T::of(fill))
}

/// The gradient of [`forward`] with respect to each input; only the size of a second one counts.
pub(super) fn backward<T: Real>(
    operation: &impl Operation,
    inputs: &[Activation<'_, T>],
    output: Activation<'_, T>,
    dy: &[T],
) -> Vec<Vec<T>> {
    let (input, output) = (inputs[0].shape, output.shape);
    let [rows, columns] = operation.taps(input, output).expect("it has taps");
    let back = [rows.transposed(input.height), columns.transposed(input.width)];
    let dy = Activation { shape: output, data: dy };
    let dx = resample(dy, input, &back, T::default());
    let nothing = inputs[1..].iter().map(|second| vec![T::default(); second.data.len()]);
    std::iter::once(dx).chain(nothing).collect()
}

/// The values whose rows and columns have taps, and `fill` where one of them has none.
fn resample<T: Real>(
    Activation { shape, data: x }: Activation<'_, T>,
    output: Shape,
    [rows, columns]: &[Taps; 2],
    fill: T,
) -> Vec<T> {
    let mut y = Vec::with_capacity(output.len());
    for plane in x.chunks(shape.plane()) {
        for row in 0..output.height {
            for column in 0..output.width {
                let (rows, columns) = (rows.at(row), columns.at(column));
                let product = |&(row, by_row): &(usize, f32),
                               &(column, by_column): &(usize, f32)| {
                    plane[row * shape.width + column] * T::of(by_row) * T::of(by_column)
                };
                let sum = rows.iter().map(|row| columns.iter().map(|at| product(row, at)).sum());
                let none = rows.is_empty() || columns.is_empty();
                y.push(if none { fill } else { sum.sum() });
            }
        }
    }
    y
}
