//! A picture looked at between its pixels and beyond its borders.
//!
//! Frames that are moved again and again must neither blur nor darken: the kernel is Catmull and
//! Rom's cubic, which keeps edges sharp, and beyond a border the picture is mirrored.

use graph::Tensor;
use kernels::Threads;

use crate::parallel;

/// The picture whose pixel at column `x`, row `y` is what `picture` has at `place(x, y)`, a column and
/// a row in pixels, whole numbers being the middles of pixels. Values may leave the picture's range
/// a little beside edges.
pub fn sample(
    threads: &Threads,
    picture: &Tensor,
    place: impl Fn(usize, usize) -> [f64; 2] + Sync,
) -> Tensor {
    let shape = picture.shape;
    let mut out = Tensor::zeros(shape);
    if shape.is_empty() {
        return out;
    }
    threads.install(|| {
        parallel::chunks_mut(&mut out.data, shape.width, 1, |index, row| {
            let source = picture.channel(index / shape.height);
            for (x, out) in row.iter_mut().enumerate() {
                let [px, py] = place(x, index % shape.height);
                let (columns, across) = taps(px, shape.width);
                let (rows, down) = taps(py, shape.height);
                *out = 0.0;
                for (row, down) in rows.into_iter().zip(down) {
                    let line = &source[row * shape.width..][..shape.width];
                    let sum: f32 = columns
                        .iter()
                        .zip(across)
                        .map(|(&column, across)| across * line[column])
                        .sum();
                    *out += down * sum;
                }
            }
        });
    });
    out
}

/// The four pixels around `place` along an axis of `size`, and their weights (E. Catmull, R. Rom,
/// "A class of local interpolating splines", 1974).
fn taps(place: f64, size: usize) -> ([usize; 4], [f32; 4]) {
    let first = place.floor();
    let t = (place - first) as f32;
    let first = first as isize;
    let pixels = [-1, 0, 1, 2].map(|step| mirrored(first.saturating_add(step), size));
    let weights = [
        0.5 * t * (-1.0 + t * (2.0 - t)),
        1.0 + 0.5 * t * t * (3.0 * t - 5.0),
        0.5 * t * (1.0 + t * (4.0 - 3.0 * t)),
        0.5 * t * t * (t - 1.0),
    ];
    (pixels, weights)
}

/// The pixel shown at `index` when the picture and its mirror image take turns.
fn mirrored(index: isize, size: usize) -> usize {
    let size = size as isize;
    let index = index.rem_euclid(2 * size);
    index.min(2 * size - 1 - index) as usize
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    fn ramp(width: usize, height: usize) -> Tensor {
        let mut picture = Tensor::zeros(Shape::new(3, height, width));
        for (index, value) in picture.data.iter_mut().enumerate() {
            *value = (index % width) as f32 * 3.0 + (index / width % height) as f32 * 5.0;
        }
        picture
    }

    #[test]
    fn pixels_themselves_come_back_and_lines_stay_straight() {
        let threads = Threads::new(2).unwrap();
        let picture = ramp(9, 7);
        assert_eq!(sample(&threads, &picture, |x, y| [x as f64, y as f64]), picture);
        let moved = sample(&threads, &picture, |x, y| [x as f64 + 0.25, y as f64 - 0.5]);
        for y in 3..5 {
            for x in 2..6 {
                let expected = picture.channel(1)[y * 9 + x] + 0.75 - 2.5;
                assert!((moved.channel(1)[y * 9 + x] - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn beyond_the_border_is_the_mirror_image() {
        let order: Vec<usize> = (-5..8).map(|index| mirrored(index, 3)).collect();
        assert_eq!(order, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
        let threads = Threads::new(1).unwrap();
        let picture = ramp(4, 4);
        let moved = sample(&threads, &picture, |x, y| [x as f64 - 4.0, y as f64]);
        for y in 0..4 {
            for x in 0..4 {
                assert_eq!(moved.channel(0)[y * 4 + x], picture.channel(0)[y * 4 + 3 - x]);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let picture = ramp(31, 17);
        let run = |count| {
            let place = |x: usize, y: usize| [x as f64 * 0.9 + 0.3, y as f64 * 1.1 - 4.7];
            sample(&Threads::new(count).unwrap(), &picture, place)
        };
        assert_eq!(run(1), run(3));
    }
}
