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

    /// Leads `picture` to these statistics, within 0–255, where it cuts colours off. `strength` 1 goes all the
    /// way, 0 nowhere; a picture without any contrast has only its mean moved.
    ///
    /// What is cut off is made up for by a stretch of all the rest. Frames that are each made from the one before
    /// are stretched again and again, and more and more of them is cut off: [`Self::lead`] is for those.
    pub fn transfer_to(&self, threads: &Threads, picture: &mut Tensor, strength: f64) {
        if strength <= 0.0 {
            return;
        }
        let goal = Self::of(threads, picture).towards(self, strength);
        for _ in 0..ROUNDS {
            let now = Self::of(threads, picture);
            let (turn, offset) = now.way_to(&goal);
            recolor(threads, picture, turn, offset, |value| value.clamp(0.0, 255.0));
        }
    }

    /// Leads `picture` once towards these statistics, as strongly as `strength` says, 0–1. Over the last `shoulder`
    /// values before black and white, more than 0, colours go on ever less, and do not get there: those that are at
    /// an end come back from it, so that frames that are each made from the one before have no more of them in the
    /// end than one has.
    pub(crate) fn lead(
        &self,
        threads: &Threads,
        picture: &mut Tensor,
        strength: f64,
        shoulder: f32,
    ) {
        if strength <= 0.0 {
            return;
        }
        let now = Self::of(threads, picture);
        let (turn, offset) = now.way_to(&now.towards(self, strength));
        recolor(threads, picture, turn, offset, |value| shouldered(value, shoulder));
    }

    /// These statistics, led to others as far as `strength` says.
    fn towards(&self, other: &Self, strength: f64) -> Self {
        Self {
            mean: self.mean.lerp(&other.mean, strength),
            covariance: self.covariance * (1.0 - strength) + other.covariance * strength,
        }
    }

    /// What colours of these statistics are multiplied with to have those of `goal`, and what is added then.
    fn way_to(&self, goal: &Self) -> (Matrix3<f32>, Vector3<f32>) {
        let turn = self.transport(goal);
        (turn.cast(), (goal.mean - turn * self.mean).cast())
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

/// A value within 0–255 for any: itself, but over the last `shoulder` values before the ends, where it comes ever
/// slower to them: x / (1 + x) of the shoulder for x shoulders beyond where that begins.
fn shouldered(value: f32, shoulder: f32) -> f32 {
    const MIDDLE: f32 = 127.5;
    let from_middle = value - MIDDLE;
    let beyond = from_middle.abs() - (MIDDLE - shoulder);
    if beyond <= 0.0 {
        return value;
    }
    let within = MIDDLE - shoulder + beyond / (1.0 + beyond / shoulder);
    MIDDLE + within.copysign(from_middle)
}

/// Gives every pixel the colour `turn · colour + offset`, each value of which `bounded` brings within 0–255.
fn recolor(
    threads: &Threads,
    picture: &mut Tensor,
    turn: Matrix3<f32>,
    offset: Vector3<f32>,
    bounded: impl Fn(f32) -> f32 + Send + Sync,
) {
    let plane = picture.shape.plane();
    let (red, rest) = picture.data.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let chunks = red.chunks_mut(CHUNK).zip(green.chunks_mut(CHUNK)).zip(blue.chunks_mut(CHUNK));
    let mut chunks: Vec<_> = chunks.collect();
    threads.for_each_mut(&mut chunks, |((red, green), blue)| {
        for ((red, green), blue) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
            let color = turn * Vector3::new(*red, *green, *blue) + offset;
            [*red, *green, *blue] = color.map(&bounded).into();
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

    #[test]
    fn a_shoulder_goes_on_ever_slower_and_ends_within_bounds() {
        for value in [20.0, 127.5, 230.0] {
            assert_eq!(shouldered(value, 16.0), value);
        }
        let far = (0..2000).map(|step| shouldered(200.0 + step as f32, 16.0));
        let far: Vec<f32> = far.collect();
        assert!(far.is_sorted_by(|a, b| a < b) && far[1999] < 255.0, "{}", far[1999]);
        assert!(far.windows(3).all(|at| at[2] - at[1] < at[1] - at[0] + 1e-3));
        assert!((shouldered(255.0, 16.0) - 247.0).abs() < 1e-3);
        assert!((shouldered(0.0, 16.0) - 8.0).abs() < 1e-3);
    }

    /// A frame as one could be made from that before: larger, and with more of what it has in some places,
    /// which are others in every frame.
    fn next(frame: &Tensor, number: u64) -> Tensor {
        let mut next = frame.clone();
        let (height, width) = (frame.shape.height, frame.shape.width);
        for (at, value) in next.data.iter_mut().enumerate() {
            let (channel, y, x) = (at / (height * width), at / width % height, at % width);
            let near = |at: usize, side: usize| {
                let middle = (side - 1) as f32 / 2.0;
                let from = middle + (at as f32 - middle) / 1.02;
                (from as usize, from.fract())
            };
            let ((top, down), (left, right)) = (near(y, height), near(x, width));
            let row = |top: usize| {
                let row = &frame.channel(channel)[top.min(height - 1) * width..][..width];
                (1.0 - right) * row[left] + right * row[(left + 1).min(width - 1)]
            };
            *value = (1.0 - down) * row(top) + down * row(top + 1);
            let phase = (channel as f32, number as f32);
            let across = (0.9 * x as f32 + phase.0 + 0.31 * phase.1).sin();
            let grows = (across * (0.7 * y as f32 - phase.0 + 0.17 * phase.1).cos() - 0.5).max(0.0);
            *value += if *value > 127.0 { 18.0 * grows } else { -18.0 * grows };
            *value = value.clamp(0.0, 255.0);
        }
        next
    }

    #[test]
    fn over_hundreds_of_frames_a_shoulder_ends_what_cuts_off_more_and_more() {
        let threads = Threads::new(1).unwrap();
        let mut first = Tensor::zeros(Shape::new(3, 48, 64));
        for (at, value) in first.data.iter_mut().enumerate() {
            let (channel, y, x) = ((at / 3072) as f32, (at / 64 % 48) as f32, (at % 64) as f32);
            let side = if channel < 2.0 { 40.0 } else { -40.0 };
            let wave = 70.0 * (x / 9.0 + channel).sin() + side * (y / 7.0 - channel).cos();
            *value = 127.0 + wave;
        }
        let levels = ColorStats::of(&threads, &first);
        let clipped = |frame: &Tensor| {
            let ends = frame.data.iter().filter(|value| **value < 0.5 || **value >= 254.5);
            ends.count() as f64 / frame.data.len() as f64
        };
        let contrast = |frame: &Tensor| {
            let now = ColorStats::of(&threads, frame).covariance.trace();
            (now / levels.covariance.trace()).sqrt()
        };
        assert_eq!(clipped(&first), 0.0);
        let [mut cut, mut led] = [first.clone(), first];
        let mut most: f64 = 0.0;
        for number in 0..300 {
            (cut, led) = (next(&cut, number), next(&led, number));
            levels.transfer_to(&threads, &mut cut, 1.0);
            levels.lead(&threads, &mut led, 1.0, 16.0);
            most = most.max(clipped(&cut));
            assert_eq!(clipped(&led), 0.0, "frame {number}");
            assert!((0.95..1.01).contains(&contrast(&led)), "frame {number}: {}", contrast(&led));
        }
        assert!(most > 0.03, "{most}");
    }
}
