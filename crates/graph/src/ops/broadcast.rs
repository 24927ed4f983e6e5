//! How maps of different extents meet element by element: along each axis an extent of 1 counts for every
//! position of the others, as in NumPy.

use crate::{Real, Shape};

/// The shape of what inputs of these shapes give together.
///
/// # Errors
/// Extents that differ and are not 1.
pub(super) fn shape(inputs: &[Shape]) -> Result<Shape, String> {
    let first = *inputs.first().ok_or("has no inputs")?;
    let axis = |a: usize, b: usize| match (a, b) {
        (1, other) | (other, 1) => Some(other),
        (a, b) => (a == b).then_some(a),
    };
    inputs[1..].iter().try_fold(first, |so_far, other| {
        let joined = || {
            Some(Shape {
                channels: axis(so_far.channels, other.channels)?,
                height: axis(so_far.height, other.height)?,
                width: axis(so_far.width, other.width)?,
            })
        };
        joined().ok_or_else(|| {
            format!(
                "{so_far} and {other} do not fit element by element: extents are to be equal or 1"
            )
        })
    })
}

/// The channels of what inputs of so many give together.
pub(super) fn channels(inputs: &[usize]) -> usize {
    // An extent of 0 stays 0, whatever it meets.
    if inputs.contains(&0) { 0 } else { inputs.iter().copied().max().unwrap_or(0) }
}

/// Where in a map of shape `input` the element number `i` of one of shape `output` finds its partner.
pub(super) fn partner(input: Shape, output: Shape, i: usize) -> usize {
    let (c, row, column) = (i / output.plane(), i / output.width % output.height, i % output.width);
    let at = |extent: usize, index: usize| if extent == 1 { 0 } else { index };
    (at(input.channels, c) * input.height + at(input.height, row)) * input.width
        + at(input.width, column)
}

/// The gradient with respect to an input of shape `input`: for each of its elements the sum of `of` over the
/// elements of the output, of shape `output`, that it met.
pub(super) fn gather<T: Real>(input: Shape, output: Shape, of: impl Fn(usize) -> T) -> Vec<T> {
    let mut sums = vec![T::default(); input.len()];
    (0..output.len()).for_each(|i| sums[partner(input, output, i)] += of(i));
    sums
}
