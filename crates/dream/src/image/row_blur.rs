//! The Gaussian blur of one row of a plane, of the rows around it: for passes that have them in the cache, and
//! need the blurred row for a moment only.

use kernels::blur::mirrored;
use kernels::{Context, leveled};

/// Values that are summed up at once, in registers.
const BLOCK: usize = 64;

/// How far rows of `width` values lie apart, so that they come in whole blocks.
pub(crate) fn stride(width: usize) -> usize {
    width.next_multiple_of(BLOCK)
}

/// Writes to `row` the middle one of `rows`, blurred along rows and columns. `weights` are those from the middle to
/// the radius, and the same to the other side; there are twice the radius and one of `rows`, a [`stride`] apart. To
/// the left and to the right the row is mirrored. `scratch` is memory to work in, a stride and twice the radius.
pub(crate) fn blur(
    cx: &Context,
    weights: &[f32],
    rows: &[f32],
    scratch: &mut [f32],
    row: &mut [f32],
) {
    let (radius, width) = (weights.len() - 1, row.len());
    down(cx, weights, rows, &mut scratch[radius..][..stride(width)]);
    for beyond in 1..=radius {
        scratch[radius - beyond] = scratch[radius + mirrored(-(beyond as isize), width)];
        let right = width - 1 + beyond;
        scratch[radius + right] = scratch[radius + mirrored(right as isize, width)];
    }
    across(cx, weights, scratch, row);
}

leveled! {
    /// Sums up columns, each weighed by how far it is from the middle row.
    fn down<'a>(weights: &'a [f32], rows: &'a [f32], row: &'a mut [f32]) {
        let (radius, stride) = (weights.len() - 1, row.len());
        for (index, row) in row.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let block = |y: usize| -> &[f32; BLOCK] {
                rows[y * stride + index * BLOCK..].first_chunk().expect("rows are whole blocks")
            };
            let mut sums = block(radius).map(|x| weights[0] * x);
            for (k, weight) in weights.iter().enumerate().skip(1) {
                let (above, below) = (block(radius - k), block(radius + k));
                for i in 0..BLOCK {
                    sums[i] += weight * (above[i] + below[i]);
                }
            }
            *row = sums;
        }
    }
}

leveled! {
    /// Sums up what is around each value of a row, which has a radius more to both sides in `around`.
    fn across<'a>(weights: &'a [f32], around: &'a [f32], row: &'a mut [f32]) {
        let radius = weights.len() - 1;
        for (index, row) in row.chunks_mut(BLOCK).enumerate() {
            let middle = index * BLOCK + radius;
            let block = |x: usize| -> &[f32; BLOCK] {
                around[x..].first_chunk().expect("the memory goes on to a whole block")
            };
            let mut sums = block(middle).map(|x| weights[0] * x);
            for (k, weight) in weights.iter().enumerate().skip(1) {
                let (left, right) = (block(middle - k), block(middle + k));
                for i in 0..BLOCK {
                    sums[i] += weight * (left[i] + right[i]);
                }
            }
            row.copy_from_slice(&sums[..row.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use graph::{Shape, Tensor};

    use super::*;
    use crate::image::{gaussian, rows};
    use crate::testing::{context, pattern};

    #[test]
    fn a_row_is_blurred_as_in_the_whole_picture() {
        let (height, width) = (23, 70);
        let picture = pattern(height, width);
        let cx = context();
        for sigma in [0.3, 1.0, 2.2, 20.0] {
            let mut whole = Tensor::zeros(Shape::new(3, height, width));
            gaussian::blur(&cx, &picture, sigma, &mut whole);
            let mut weights = Vec::new();
            gaussian::kernel(sigma, &mut weights);
            let (radius, stride) = (weights.len() - 1, stride(width));
            for y in [0, 1, 11, height - 1] {
                let mut around = vec![f32::NAN; (2 * radius + 1) * stride];
                for (index, row) in around.chunks_mut(stride).enumerate() {
                    let y = mirrored((y + index) as isize - radius as isize, height);
                    row[..width].copy_from_slice(rows::row(&picture, 1, y));
                }
                let mut scratch = vec![f32::NAN; stride + 2 * radius];
                let mut row = vec![0.0; width];
                blur(&cx, &weights, &around, &mut scratch, &mut row);
                for (found, wanted) in row.iter().zip(rows::row(&whole, 1, y)) {
                    assert!((found - wanted).abs() < 1e-3, "{sigma}, {y}: {found} for {wanted}");
                }
            }
        }
    }
}
