//! Activations enlarged and reduced, in the conventions of ONNX, PyTorch and TensorFlow.

use super::operation::{Activation, Operation};
use super::taps::{self, Taps};
use crate::{Real, Shape};

/// The rows or columns that a resizing makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// So many times those of the input, rounded down.
    Scale(f32),
    /// So many, whatever the input's.
    Fixed(usize),
    /// As many as those of the second input.
    OfSecond,
}

impl Extent {
    /// The extent made of `input`, where the second input has `second`.
    fn of(self, input: usize, second: usize) -> usize {
        match self {
            // In single precision, as the programs do whose files say it.
            Extent::Scale(scale) => (input as f32 * scale).floor() as usize,
            Extent::Fixed(extent) => extent,
            Extent::OfSecond => second,
        }
    }

    /// By how much `output` is larger than the `input` that it was made of.
    fn scale(self, input: usize, output: usize) -> f64 {
        match self {
            Extent::Scale(scale) => scale.into(),
            Extent::Fixed(_) | Extent::OfSecond => output as f64 / input as f64,
        }
    }
}

/// Where an output position lies among the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// Pixels are areas; the first and last edges of both are the same.
    HalfPixel,
    /// As [`Self::HalfPixel`], but about the centre of the input, where the scale is not exact.
    HalfPixelSymmetric,
    /// As [`Self::HalfPixel`], but an output of one position is the input's first.
    PytorchHalfPixel,
    /// Pixels are points; the first and last of both are the same.
    AlignCorners,
    /// Pixels are points; the first of both are the same, and the distances as the scale says.
    Asymmetric,
    /// As [`Self::HalfPixel`], but half a pixel further: TensorFlow's older nearest neighbours.
    HalfPixelForNearest,
}

impl Coordinates {
    /// Where output position `at` of `output` lies among `input`, for an output `scale` times as large.
    fn source(self, at: f64, input: usize, output: usize, scale: f64) -> f64 {
        let (inputs, outputs) = (input as f64, output as f64);
        match self {
            Coordinates::HalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::HalfPixelSymmetric => {
                let adjusted = outputs / (scale * inputs);
                inputs / 2.0 * (1.0 - adjusted) + (at + 0.5) / scale - 0.5
            }
            Coordinates::PytorchHalfPixel if output <= 1 => 0.0,
            Coordinates::PytorchHalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::AlignCorners if output <= 1 => 0.0,
            Coordinates::AlignCorners => at * (inputs - 1.0) / (outputs - 1.0),
            Coordinates::Asymmetric => at / scale,
            Coordinates::HalfPixelForNearest => (at + 0.5) / scale,
        }
    }
}

/// What the value between positions is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interpolation {
    /// That of the nearest position.
    Nearest(Nearest),
    /// On the straight line between two.
    Linear,
    /// On the cubic through four (Keys 1981).
    Cubic {
        /// The slope of its kernel at 1: −0.5 or −0.75.
        slope: f32,
        /// Whether positions beyond the ends are left out, instead of being those at the ends.
        exclude_outside: bool,
    },
}

/// Which position is nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// The nearer one, the lower in the middle.
    RoundDown,
    /// The nearer one, the upper in the middle.
    RoundUp,
    /// The lower one.
    Floor,
    /// The upper one.
    Ceil,
}

/// An activation enlarged or reduced; to the size of another, if it has a second input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// The rows and columns it makes.
    pub size: [Extent; 2],
    /// Where they lie.
    pub coordinates: Coordinates,
    /// What they hold.
    pub interpolation: Interpolation,
}

impl Resize {
    fn axis(&self, axis: usize, input: usize, output: usize) -> Taps {
        let scale = self.size[axis].scale(input, output);
        let last = input as f64 - 1.0;
        let inside = |index: f64| index.clamp(0.0, last) as usize;
        let taps = |at: usize| -> Vec<(usize, f32)> {
            let source = self.coordinates.source(at as f64, input, output, scale);
            let (low, rest) = (source.floor(), source - source.floor());
            match self.interpolation {
                Interpolation::Nearest(nearest) => {
                    let index = match nearest {
                        Nearest::RoundDown => (source - 0.5).ceil(),
                        Nearest::RoundUp => (source + 0.5).floor(),
                        Nearest::Floor => low,
                        Nearest::Ceil => source.ceil(),
                    };
                    vec![(inside(index), 1.0)]
                }
                Interpolation::Linear => {
                    merged([(inside(low), 1.0 - rest), (inside(low + 1.0), rest)])
                }
                Interpolation::Cubic { slope, exclude_outside } => {
                    let mut taps = cubic(slope.into(), rest).map(|(k, by)| (low + k, by));
                    if exclude_outside {
                        let within = |index: f64| (0.0..=last).contains(&index);
                        taps.iter_mut().filter(|tap| !within(tap.0)).for_each(|tap| tap.1 = 0.0);
                        let sum: f64 = taps.iter().map(|tap| tap.1).sum();
                        taps.iter_mut().for_each(|tap| tap.1 /= sum);
                    }
                    merged(taps.map(|(index, by)| (inside(index), by)))
                }
            }
        };
        Taps::new((0..output).map(taps))
    }
}

/// The cubic kernel's weights of the positions from −1 to 2, for a point `rest` after position 0.
fn cubic(slope: f64, rest: f64) -> [(f64, f64); 4] {
    let near = |t: f64| ((slope + 2.0) * t - (slope + 3.0)) * t * t + 1.0;
    let far = |t: f64| ((slope * t - 5.0 * slope) * t + 8.0 * slope) * t - 4.0 * slope;
    [(-1.0, far(1.0 + rest)), (0.0, near(rest)), (1.0, near(1.0 - rest)), (2.0, far(2.0 - rest))]
}

/// Taps without those of weight 0, each position once.
fn merged<const N: usize>(taps: [(usize, f64); N]) -> Vec<(usize, f32)> {
    let mut merged: Vec<(usize, f64)> = Vec::with_capacity(N);
    for (index, weight) in taps.into_iter().filter(|tap| tap.1 != 0.0) {
        match merged.iter_mut().find(|tap| tap.0 == index) {
            Some(tap) => tap.1 += weight,
            None => merged.push((index, weight)),
        }
    }
    merged.into_iter().map(|(index, weight)| (index, weight as f32)).collect()
}

impl Operation for Resize {
    fn takes(&self, inputs: usize) -> bool {
        inputs == 1 + usize::from(self.sized_by_last())
    }

    fn sized_by_last(&self) -> bool {
        self.size.contains(&Extent::OfSecond)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        if !self.takes(inputs.len()) {
            return Err(format!("has {} inputs, which are too many or too few", inputs.len()));
        }
        let (input, last) = (inputs[0], inputs[inputs.len() - 1]);
        if input.is_empty() {
            return Ok(None);
        }
        let [height, width] = self.size;
        let height = height.of(input.height, last.height);
        let width = width.of(input.width, last.width);
        Ok((height > 0 && width > 0).then_some(Shape { height, width, ..input }))
    }

    fn reach(&self) -> usize {
        match self.interpolation {
            Interpolation::Nearest(_) => 0,
            Interpolation::Linear => 1,
            Interpolation::Cubic { .. } => 3,
        }
    }

    fn step(&self) -> f64 {
        match self.size[1] {
            Extent::Scale(scale) => 1.0 / f64::from(scale),
            Extent::Fixed(_) | Extent::OfSecond => 1.0,
        }
    }

    fn taps(&self, input: Shape, output: Shape) -> Option<[Taps; 2]> {
        let rows = self.axis(0, input.height, output.height);
        Some([rows, self.axis(1, input.width, output.width)])
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

    /// A row resized.
    fn resized(
        x: &[f64],
        columns: Extent,
        coordinates: Coordinates,
        interpolation: Interpolation,
    ) -> Vec<f64> {
        let resize = Resize { size: [Extent::Fixed(1), columns], coordinates, interpolation };
        let shape = Shape::new(1, 1, x.len());
        let output = resize.output_shape(&[shape]).unwrap().unwrap();
        resize.forward(&[Activation { shape, data: x }], output)
    }

    #[test]
    fn lines_lie_where_each_convention_says() {
        let linear = |extent, coordinates| {
            resized(&[0.0, 4.0, 8.0], extent, coordinates, Interpolation::Linear)
        };
        let twice = Extent::Scale(2.0);
        assert_eq!(linear(twice, Coordinates::HalfPixel), [0.0, 1.0, 3.0, 5.0, 7.0, 8.0]);
        assert_eq!(linear(twice, Coordinates::Asymmetric), [0.0, 2.0, 4.0, 6.0, 8.0, 8.0]);
        let five = Extent::Fixed(5);
        assert_eq!(linear(five, Coordinates::AlignCorners), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(linear(Extent::Fixed(1), Coordinates::PytorchHalfPixel), [0.0]);
        assert_eq!(linear(Extent::Fixed(1), Coordinates::HalfPixel), [4.0]);
    }

    #[test]
    fn nearest_positions_are_rounded_as_asked() {
        let nearest = |nearest, coordinates| {
            let interpolation = Interpolation::Nearest(nearest);
            resized(&[1.0, 2.0], Extent::Fixed(4), coordinates, interpolation)
        };
        assert_eq!(nearest(Nearest::Floor, Coordinates::Asymmetric), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(nearest(Nearest::Ceil, Coordinates::Asymmetric), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(nearest(Nearest::RoundDown, Coordinates::Asymmetric), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(nearest(Nearest::RoundUp, Coordinates::Asymmetric), [1.0, 2.0, 2.0, 2.0]);
        let half = Coordinates::HalfPixelForNearest;
        assert_eq!(nearest(Nearest::Floor, half), [1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn cubics_keep_lines_and_what_is_outside_can_be_left_out() {
        let line: Vec<f64> = (0..8).map(f64::from).collect();
        let cubic = |exclude_outside| {
            let interpolation = Interpolation::Cubic { slope: -0.5, exclude_outside };
            resized(&line, Extent::Scale(2.0), Coordinates::HalfPixel, interpolation)
        };
        let (kept, left_out) = (cubic(false), cubic(true));
        for (at, y) in kept.iter().enumerate().take(12).skip(4) {
            let wanted = (at as f64 + 0.5) / 2.0 - 0.5;
            assert!((y - wanted).abs() < 1e-6, "{at}: {y}");
            assert_eq!(left_out[at], *y);
        }
        assert!(kept[0] != left_out[0]);
    }
}
