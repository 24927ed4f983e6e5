//! Brightness, contrast and colours held over a movie: a frame made from the frame before, thousands
//! of times, drifts to dark, bright, neon or grey unless it is brought back.

use graph::Tensor;
use kernels::Threads;
use nalgebra::{Matrix3, Vector3};

use crate::parallel;

/// Rounds of adjusting, each of which corrects what clipping took from the one before.
const ROUNDS: usize = 4;

/// Pixels that are handed to a thread at once.
const CHUNK: usize = 4096;

/// The least variance that a direction of colour is taken to have, so that a picture without any
/// contrast or colour is not divided by nothing; far below what 8 bits can show.
const LEAST: f64 = 1e-6;

/// The mean colour of a picture and how its colours spread around it. The spread of each channel is
/// the contrast; how the channels vary together is what makes a picture colourful or grey, and its
/// palette.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorStats {
    /// Mean of red, green and blue, in values of 0–255.
    pub mean: Vector3<f64>,
    /// Covariance of red, green and blue, in squares of values of 0–255.
    pub covariance: Matrix3<f64>,
}

impl ColorStats {
    /// The statistics of a picture of three channels.
    pub fn of(threads: &Threads, picture: &Tensor) -> Self {
        let width = picture.shape.width.max(1);
        let count = picture.shape.plane().max(1) as f64;
        let [red, green, blue] = [0, 1, 2].map(|channel| picture.channel(channel));
        let row_sums = |y: usize| {
            let [red, green, blue] =
                [red, green, blue].map(|channel| &channel[y * width..][..width]);
            let mut sums = (Vector3::zeros(), Matrix3::zeros());
            for ((&red, &green), &blue) in red.iter().zip(green).zip(blue) {
                let color = Vector3::new(red, green, blue).map(f64::from);
                sums.0 += color;
                sums.1 += color * color.transpose();
            }
            sums
        };
        let rows: Vec<(Vector3<f64>, Matrix3<f64>)> =
            threads.install(|| parallel::map(red.len() / width, row_sums));
        let (sum, squares) = rows.iter().fold(
            (Vector3::zeros(), Matrix3::zeros()),
            |(sum, squares), (row_sum, row_squares)| (sum + row_sum, squares + row_squares),
        );
        let mean = sum / count;
        Self { mean, covariance: squares / count - mean * mean.transpose() }
    }

    /// Leads `picture` to these statistics, within 0–255. `strength` 1 goes all the way, 0 nowhere; a
    /// picture without any contrast has only its mean moved.
    pub fn transfer_to(&self, threads: &Threads, picture: &mut Tensor, strength: f64) {
        if strength <= 0.0 {
            return;
        }
        let now = Self::of(threads, picture);
        let goal = Self {
            mean: now.mean.lerp(&self.mean, strength),
            covariance: now.covariance * (1.0 - strength) + self.covariance * strength,
        };
        for _ in 0..ROUNDS {
            let now = Self::of(threads, picture);
            let turn = now.transport(&goal);
            let offset = goal.mean - turn * now.mean;
            recolor(threads, picture, turn.cast(), offset.cast());
        }
    }

    /// The matrix that gives colours of these statistics the covariance of `goal` while it moves them as
    /// little as can be (the linear Monge–Kantorovitch map: Pitié and Kokaram, "The linear
    /// Monge–Kantorovitch linear colour mapping for example-based colour transfer", 2007).
    fn transport(&self, goal: &Self) -> Matrix3<f64> {
        let (root, inverse) = roots(self.covariance);
        inverse * roots(root * goal.covariance * root).0 * inverse
    }
}

/// The square root of a covariance, and the inverse of that; where there is no variance to speak of,
/// the inverse is 0.
fn roots(covariance: Matrix3<f64>) -> (Matrix3<f64>, Matrix3<f64>) {
    let eigen = covariance.symmetric_eigen();
    let with = |values: Vector3<f64>| {
        eigen.eigenvectors * Matrix3::from_diagonal(&values) * eigen.eigenvectors.transpose()
    };
    let root = eigen.eigenvalues.map(|value| value.max(0.0).sqrt());
    (with(root), with(root.map(|root| if root * root > LEAST { 1.0 / root } else { 0.0 })))
}

/// Gives every pixel the colour `turn · colour + offset`, within 0–255.
fn recolor(threads: &Threads, picture: &mut Tensor, turn: Matrix3<f32>, offset: Vector3<f32>) {
    let plane = picture.shape.plane();
    let (red, rest) = picture.data.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let chunks = red.chunks_mut(CHUNK).zip(green.chunks_mut(CHUNK)).zip(blue.chunks_mut(CHUNK));
    let mut chunks: Vec<_> = chunks.collect();
    threads.for_each_mut(&mut chunks, |((red, green), blue)| {
        for ((red, green), blue) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
            let color = turn * Vector3::new(*red, *green, *blue) + offset;
            [*red, *green, *blue] = color.map(|value| value.clamp(0.0, 255.0)).into();
        }
    });
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    fn picture(bright: f32, contrast: f32) -> Tensor {
        let mut picture = Tensor::zeros(Shape::new(3, 60, 80));
        let mut state = 1u32;
        for (index, value) in picture.data.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1u32 << 24) as f32 - 0.5;
            let channel = (index / 4800) as f32;
            *value = (bright + 12.0 * channel + contrast * noise).clamp(0.0, 255.0);
        }
        picture
    }

    /// Mean and standard deviation of each channel.
    fn spreads(levels: &ColorStats) -> [Vector3<f64>; 2] {
        [levels.mean, levels.covariance.diagonal().map(f64::sqrt)]
    }

    fn close(a: &ColorStats, b: &ColorStats, tolerance: f64) -> bool {
        let (a, b) = (spreads(a), spreads(b));
        a.iter().zip(&b).all(|(a, b)| (a - b).amax() < tolerance)
    }

    /// How far colours are from grey: the root mean square of each channel's distance from the middle
    /// of the three, around that of the mean colour.
    fn colourfulness(levels: &ColorStats) -> f64 {
        let grey = Vector3::repeat(1.0 / 3.0f64.sqrt());
        (levels.covariance.trace() - (grey.transpose() * levels.covariance * grey)[0]).sqrt()
    }

    #[test]
    fn neon_and_grey_frames_get_the_first_ones_colours_back() {
        let threads = Threads::new(2).unwrap();
        let natural = picture(120.0, 90.0);
        let wanted = ColorStats::of(&threads, &natural);
        for (grey, color) in [(1.0, 0.2), (0.4, 2.0)] {
            let mut drifted = natural.clone();
            for pixel in 0..4800 {
                let at = [pixel, pixel + 4800, pixel + 9600];
                let middle = at.map(|at| natural.data[at]).iter().sum::<f32>() / 3.0;
                for at in at {
                    let from_grey = natural.data[at] - middle;
                    drifted.data[at] = 120.0 + grey * (middle - 120.0) + color * from_grey;
                }
            }
            let before = colourfulness(&ColorStats::of(&threads, &drifted));
            wanted.transfer_to(&threads, &mut drifted, 1.0);
            let held = ColorStats::of(&threads, &drifted);
            assert!((before / colourfulness(&wanted) - f64::from(color)).abs() < 0.1);
            assert!((colourfulness(&held) / colourfulness(&wanted) - 1.0).abs() < 0.01);
            assert!((held.covariance - wanted.covariance).amax() < 0.01 * wanted.covariance.amax());
        }
    }

    #[test]
    fn dark_bright_flat_and_coloured_frames_come_back() {
        let threads = Threads::new(2).unwrap();
        let wanted = ColorStats::of(&threads, &picture(120.0, 160.0));
        for (bright, contrast) in [(40.0, 60.0), (200.0, 300.0), (128.0, 20.0), (90.0, 500.0)] {
            let mut drifted = picture(bright, contrast);
            wanted.transfer_to(&threads, &mut drifted, 1.0);
            let held = ColorStats::of(&threads, &drifted);
            assert!(close(&held, &wanted, 0.5), "{held:?} from {bright}, {contrast}");
        }
    }

    #[test]
    fn strength_says_how_far() {
        let threads = Threads::new(1).unwrap();
        let wanted = ColorStats::of(&threads, &picture(120.0, 100.0));
        let start = picture(80.0, 50.0);
        let mut none = start.clone();
        wanted.transfer_to(&threads, &mut none, 0.0);
        assert_eq!(none, start);
        let mut half = start.clone();
        wanted.transfer_to(&threads, &mut half, 0.5);
        assert!((ColorStats::of(&threads, &half).mean[0] - 100.0).abs() < 1.0);
    }

    #[test]
    fn a_frame_without_contrast_stays_finite() {
        let threads = Threads::new(1).unwrap();
        let wanted = ColorStats::of(&threads, &picture(120.0, 100.0));
        let mut flat = Tensor::zeros(Shape::new(3, 4, 4));
        wanted.transfer_to(&threads, &mut flat, 1.0);
        assert!((flat.data[0] - wanted.mean[0] as f32).abs() < 1e-3);
    }
}
