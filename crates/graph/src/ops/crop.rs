//! Slices of rows and columns.

use super::operation::{Activation, Operation, only};
use super::taps::{self, Taps};
use crate::{Real, Shape};

/// Positions along one axis, as Python's `start:end:step` says them: negative ones count from the end, and what
/// lies beyond the ends is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first position.
    pub start: i64,
    /// The position before which it ends.
    pub end: i64,
    /// How far one is from the next; backwards if negative. Not 0.
    pub step: i64,
}

impl Cut {
    /// Every position.
    pub const ALL: Cut = Cut { start: 0, end: i64::MAX, step: 1 };

    /// The first of the positions among `extent`, and how many there are.
    pub fn positions(&self, extent: usize) -> (usize, usize) {
        let extent = i64::try_from(extent).unwrap_or(i64::MAX);
        let (low, high) = if self.step < 0 { (-1, extent - 1) } else { (0, extent) };
        let place = |position: i64| {
            let position = if position < 0 { position.saturating_add(extent) } else { position };
            position.clamp(low, high)
        };
        let (start, end) = (place(self.start), place(self.end));
        let length = if self.step < 0 { start - end } else { end - start };
        let count = length.max(0).unsigned_abs().div_ceil(self.step.unsigned_abs().max(1));
        (start.max(0) as usize, count as usize)
    }

    fn taps(&self, extent: usize) -> Taps {
        let (start, count) = self.positions(extent);
        let at = |index: usize| (start as i64 + index as i64 * self.step) as usize;
        Taps::new((0..count).map(|index| [(at(index), 1.0)]))
    }
}

/// Some of the rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Which rows.
    pub rows: Cut,
    /// Which columns.
    pub columns: Cut,
}

impl Operation for Crop {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = only(inputs)?;
        if self.rows.step == 0 || self.columns.step == 0 {
            return Err("a slice cannot have a step of 0".into());
        }
        let (height, width) =
            (self.rows.positions(input.height).1, self.columns.positions(input.width).1);
        Ok((height > 0 && width > 0).then_some(Shape { height, width, ..input }))
    }

    fn step(&self) -> f64 {
        self.columns.step.unsigned_abs() as f64
    }

    fn taps(&self, input: Shape, _: Shape) -> Option<[Taps; 2]> {
        Some([self.rows.taps(input.height), self.columns.taps(input.width)])
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        taps::forward(self, 0.0, inputs, output)
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        output: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        taps::backward(self, inputs, output, dy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_python_s() {
        let of = |start, end, step| Cut { start, end, step }.positions(5);
        assert_eq!(Cut::ALL.positions(5), (0, 5));
        assert_eq!(of(1, 4, 1), (1, 3));
        assert_eq!(of(0, i64::MAX, 2), (0, 3));
        assert_eq!(of(-2, 99, 1), (3, 2));
        assert_eq!(of(-99, -1, 1), (0, 4));
        assert_eq!(of(-1, i64::MIN, -1), (4, 5));
        assert_eq!(of(99, 1, -2), (4, 2));
        assert_eq!(of(3, 2, 1).1, 0);
        assert_eq!(of(i64::MAX, i64::MAX, 1).1, 0);
        assert_eq!(of(0, i64::MAX, i64::MIN).1, 0);
    }
}
