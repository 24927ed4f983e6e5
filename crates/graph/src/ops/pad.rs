//! Rows and columns added around an activation.

use super::operation::{Activation, Operation, only};
use super::taps::{self, Taps};
use crate::{Real, Shape};

/// What the rows and columns that are added hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// One value.
    Constant(f32),
    /// The activation mirrored at its first and last positions, which are not repeated.
    Reflect,
    /// The activation mirrored beside its first and last positions, which are repeated.
    Symmetric,
    /// The first and last positions again and again.
    Edge,
    /// The activation from its other side on.
    Wrap,
}

/// Rows and columns added around an activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad {
    /// Rows added above and below.
    pub rows: [usize; 2],
    /// Columns added on the left and on the right.
    pub columns: [usize; 2],
    /// What they hold.
    pub mode: PadMode,
}

impl Pad {
    /// The value where there are no taps.
    pub fn fill(&self) -> f32 {
        match self.mode {
            PadMode::Constant(value) => value,
            _ => 0.0,
        }
    }

    fn axis(&self, [before, _]: [usize; 2], input: usize, output: usize) -> Taps {
        let extent = input as i64;
        let mirrored = |position: i64, repeated: i64| {
            let period = (2 * extent - 2 + 2 * repeated).max(1);
            let position = position.rem_euclid(period);
            if position < extent { position } else { period - repeated - position }
        };
        let source = |position: i64| match self.mode {
            PadMode::Constant(_) => (0..extent).contains(&position).then_some(position),
            PadMode::Reflect => Some(mirrored(position, 0)),
            PadMode::Symmetric => Some(mirrored(position, 1)),
            PadMode::Edge => Some(position.clamp(0, extent - 1)),
            PadMode::Wrap => Some(position.rem_euclid(extent)),
        };
        let tap = |position: usize| source(position as i64 - before as i64);
        Taps::new((0..output).map(|position| tap(position).map(|index| (index as usize, 1.0))))
    }
}

impl Operation for Pad {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        let input = only(inputs)?;
        let padded = |extent: usize, [before, after]: [usize; 2]| {
            extent.checked_add(before)?.checked_add(after)
        };
        let extents = (padded(input.height, self.rows), padded(input.width, self.columns));
        let (Some(height), Some(width)) = extents else {
            return Err("its padding is larger than any memory".into());
        };
        Ok((!input.is_empty()).then_some(Shape { height, width, ..input }))
    }

    fn taps(&self, input: Shape, output: Shape) -> Option<[Taps; 2]> {
        Some([
            self.axis(self.rows, input.height, output.height),
            self.axis(self.columns, input.width, output.width),
        ])
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], output: Shape) -> Vec<T> {
        taps::forward(self, self.fill(), inputs, output)
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

    /// A row of four padded by three before and five after.
    fn padded(mode: PadMode) -> Vec<f32> {
        let pad = Pad { rows: [0, 0], columns: [3, 5], mode };
        let (input, output) = (Shape::new(1, 1, 4), Shape::new(1, 1, 12));
        assert_eq!(pad.output_shape(&[input]), Ok(Some(output)));
        pad.forward(&[Activation { shape: input, data: &[1.0, 2.0, 3.0, 4.0] }], output)
    }

    #[test]
    fn each_mode_continues_a_row_in_its_way() {
        let numbers = |digits: &str| -> Vec<f32> {
            digits.chars().map(|digit| digit.to_digit(10).unwrap() as f32).collect()
        };
        assert_eq!(padded(PadMode::Constant(9.0)), numbers("999123499999"));
        assert_eq!(padded(PadMode::Reflect), numbers("432123432123"));
        assert_eq!(padded(PadMode::Symmetric), numbers("321123443211"));
        assert_eq!(padded(PadMode::Edge), numbers("111123444444"));
        assert_eq!(padded(PadMode::Wrap), numbers("234123412341"));
    }
}
