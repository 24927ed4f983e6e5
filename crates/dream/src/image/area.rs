//! Averaging down: each pixel of a smaller picture is the mean of the area that it covers, parts of pixels
//! counted as such, so that nothing is skipped and a sum over the picture stays what it was.

use graph::{Shape, Size, Tensor};

/// `picture`, of any number of channels, averaged down to `size`, whose sides are not longer.
pub(crate) fn averaged(picture: &Tensor, size: Size) -> Tensor {
    let from = picture.shape;
    if from.size() == size {
        return picture.clone();
    }
    let storage = picture.storage();
    let mut narrow = Tensor::zeros_in(storage, Shape::new(from.channels, from.height, size.width));
    let columns = spans(from.width, size.width);
    for (row, to) in
        picture.data.chunks_exact(from.width).zip(narrow.data.chunks_exact_mut(size.width))
    {
        for (to, (first, weights)) in to.iter_mut().zip(&columns) {
            let pairs = weights.iter().zip(&row[*first..]);
            *to = pairs.map(|(weight, x)| weight * f64::from(*x)).sum::<f64>() as f32;
        }
    }
    let mut small = Tensor::zeros_in(storage, Shape::new(from.channels, size.height, size.width));
    let rows = spans(from.height, size.height);
    let mut sums = vec![0.0; size.width];
    for channel in 0..from.channels {
        let (source, target) = (narrow.channel(channel), small.channel_mut(channel));
        for (to, (first, weights)) in target.chunks_exact_mut(size.width).zip(&rows) {
            sums.fill(0.0);
            let source = source[first * size.width..].chunks_exact(size.width);
            for (weight, row) in weights.iter().zip(source) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * f64::from(*x));
            }
            to.iter_mut().zip(&sums).for_each(|(to, sum)| *to = *sum as f32);
        }
    }
    small
}

/// For each of `to` pixels along an axis the first of `from` pixels that it covers a part of, and the shares
/// that this one and those after it have of what is covered.
fn spans(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    (0..to).map(|at| span(at, from, to)).collect()
}

fn span(at: usize, from: usize, to: usize) -> (usize, Vec<f64>) {
    // In units of 1 / `to` of a pixel, so that whole pixels are whole.
    let (start, end) = (at * from, (at + 1) * from);
    let (first, last) = (start / to, (end - 1) / to);
    let share = move |pixel: usize| {
        let (low, high) = ((pixel * to).max(start), ((pixel + 1) * to).min(end));
        (high - low) as f64 / from as f64
    };
    (first, (first..=last).map(share).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_averages_of_four() {
        let data = (0..24).map(|x| x as f32).collect();
        let picture = Tensor { shape: Shape::new(1, 4, 6), data };
        let half = averaged(&picture, Size::new(2, 3));
        assert_eq!(half.data, [3.5, 5.5, 7.5, 15.5, 17.5, 19.5]);
    }

    #[test]
    fn the_mean_stays_and_ones_stay_ones_at_any_size() {
        let data = (0..7 * 11).map(|x| ((x * 37) % 23) as f32).collect();
        let picture = Tensor { shape: Shape::new(1, 7, 11), data };
        let mean = |t: &Tensor| t.data.iter().sum::<f32>() / t.data.len() as f32;
        let ones = Tensor { shape: picture.shape, data: vec![1.0; 77].into() };
        for size in [Size::new(7, 11), Size::new(5, 8), Size::new(3, 4), Size::new(1, 1)] {
            let small = averaged(&picture, size);
            assert!((mean(&small) - mean(&picture)).abs() < 1e-4, "{size}");
            assert!(averaged(&ones, size).data.iter().all(|x| *x == 1.0), "{size}");
        }
    }
}
