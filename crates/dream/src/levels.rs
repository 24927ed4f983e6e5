//! Brightness, contrast and colour balance held over a movie: a frame made from the frame before,
//! thousands of times, drifts to dark, bright or one colour unless it is led back.

use kernels::Threads;
use net::Tensor;
use rayon::prelude::*;

/// Rounds of adjusting, each of which corrects what clipping took from the one before.
const ROUNDS: usize = 4;

/// The mean and the standard deviation of each channel of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// Means, in values of 0–255.
    pub mean: Vec<f64>,
    /// Standard deviations, in values of 0–255.
    pub spread: Vec<f64>,
}

impl Levels {
    /// A picture's levels.
    pub fn of(threads: &Threads, picture: &Tensor) -> Self {
        let width = picture.shape.width.max(1);
        let count = picture.shape.plane().max(1) as f64;
        let channels = (0..picture.shape.channels).map(|channel| {
            let rows: Vec<[f64; 2]> = threads.install(|| {
                let row_sums = |row: &[f32]| {
                    row.iter()
                        .map(|&value| f64::from(value))
                        .fold([0.0; 2], |[sum, squares], value| {
                            [sum + value, squares + value * value]
                        })
                };
                picture.channel(channel).par_chunks(width).map(row_sums).collect()
            });
            let [sum, squares] =
                rows.iter().fold([0.0; 2], |total, row| [total[0] + row[0], total[1] + row[1]]);
            let mean = sum / count;
            (mean, (squares / count - mean * mean).max(0.0).sqrt())
        });
        let (mean, spread) = channels.unzip();
        Self { mean, spread }
    }

    /// Leads `picture` back to these levels, within 0–255. `strength` 1 goes all the way, 0 nowhere;
    /// a channel without any contrast has only its mean moved.
    pub fn hold(&self, threads: &Threads, picture: &mut Tensor, strength: f64) {
        if strength <= 0.0 {
            return;
        }
        let now = Self::of(threads, picture);
        let toward = |from: &[f64], to: &[f64]| -> Vec<f64> {
            from.iter().zip(to).map(|(from, to)| from + strength * (to - from)).collect()
        };
        let goal =
            Self { mean: toward(&now.mean, &self.mean), spread: toward(&now.spread, &self.spread) };
        for _ in 0..ROUNDS {
            let now = Self::of(threads, picture);
            for channel in 0..picture.shape.channels {
                let spread = now.spread[channel];
                let scale = if spread > 1e-3 { goal.spread[channel] / spread } else { 1.0 };
                let offset = goal.mean[channel] - now.mean[channel] * scale;
                let (scale, offset) = (scale as f32, offset as f32);
                threads.install(|| {
                    picture
                        .channel_mut(channel)
                        .par_iter_mut()
                        .with_min_len(4096)
                        .for_each(|value| *value = (*value * scale + offset).clamp(0.0, 255.0));
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use net::Shape;

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

    fn close(a: &Levels, b: &Levels, tolerance: f64) -> bool {
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance);
        near(&a.mean, &b.mean) && near(&a.spread, &b.spread)
    }

    #[test]
    fn dark_bright_flat_and_coloured_frames_come_back() {
        let threads = Threads::new(2).unwrap();
        let wanted = Levels::of(&threads, &picture(120.0, 160.0));
        for (bright, contrast) in [(40.0, 60.0), (200.0, 300.0), (128.0, 20.0), (90.0, 500.0)] {
            let mut drifted = picture(bright, contrast);
            wanted.hold(&threads, &mut drifted, 1.0);
            let held = Levels::of(&threads, &drifted);
            assert!(close(&held, &wanted, 0.5), "{held:?} from {bright}, {contrast}");
        }
    }

    #[test]
    fn strength_says_how_far() {
        let threads = Threads::new(1).unwrap();
        let wanted = Levels::of(&threads, &picture(120.0, 100.0));
        let start = picture(80.0, 50.0);
        let mut none = start.clone();
        wanted.hold(&threads, &mut none, 0.0);
        assert_eq!(none, start);
        let mut half = start.clone();
        wanted.hold(&threads, &mut half, 0.5);
        assert!((Levels::of(&threads, &half).mean[0] - 100.0).abs() < 1.0);
    }

    #[test]
    fn a_frame_without_contrast_stays_finite() {
        let threads = Threads::new(1).unwrap();
        let wanted = Levels::of(&threads, &picture(120.0, 100.0));
        let mut flat = Tensor::zeros(Shape::new(3, 4, 4));
        wanted.hold(&threads, &mut flat, 1.0);
        assert!((flat.data[0] - wanted.mean[0] as f32).abs() < 1e-3);
    }
}
