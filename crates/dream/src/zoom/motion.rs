//! How the frames of a zoom move: zoom, turn, shift and tint in one resampling.

use graph::{Size, Tensor};
use kernels::Threads;

use crate::Motion;
use crate::image::sample;

impl Motion {
    /// The picture as `seconds` of motion at full speed leave it: one resampling for zoom, turn and
    /// shift, and within 0–255.
    pub fn apply(&self, threads: &Threads, picture: &Tensor, seconds: f64) -> Tensor {
        let size = [picture.shape.width as f64, picture.shape.height as f64];
        let centre = [0, 1].map(|axis| self.centre[axis] * size[axis] - 0.5);
        let shift = [0, 1].map(|axis| self.shift[axis] * size[axis] * seconds);
        let shrink = self.zoom.powf(-seconds);
        let (sin, cos) = (self.rotate * seconds).to_radians().sin_cos();
        let mut moved = sample(threads, picture, |x, y| {
            let dx = x as f64 - centre[0] - shift[0];
            let dy = y as f64 - centre[1] - shift[1];
            [centre[0] + shrink * (cos * dx + sin * dy), centre[1] + shrink * (cos * dy - sin * dx)]
        });
        for (channel, tint) in self.tint.iter().enumerate() {
            let tint = (tint * seconds) as f32;
            for value in moved.channel_mut(channel) {
                *value = (*value + tint).clamp(0.0, 255.0);
            }
        }
        moved
    }
}

/// Where pixels were before a motion: `[column, row]` of each, as a matrix and a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placement {
    matrix: [[f64; 2]; 2],
    shift: [f64; 2],
}

impl Placement {
    /// Where they are.
    pub(crate) const STILL: Self = Self { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0; 2] };

    /// Where a pixel was.
    pub(crate) fn of(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let row = |i: usize| self.matrix[i][0] * x + self.matrix[i][1] * y + self.shift[i];
        [row(0), row(1)]
    }

    /// Where pixels were before this motion and, after that, another.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let column = |j: usize| [0, 1].map(|i| next.matrix[i][j]);
        let [a, b] = [column(0), column(1)]
            .map(|[x, y]| [0, 1].map(|i| self.matrix[i][0] * x + self.matrix[i][1] * y));
        Self { matrix: [[a[0], b[0]], [a[1], b[1]]], shift: self.of(next.shift) }
    }
}

impl Motion {
    /// Where the pixels of a picture of `size` were before `seconds` of motion at full speed, as
    /// [`Self::apply`] moves them.
    pub(crate) fn placement(&self, size: Size, seconds: f64) -> Placement {
        let size = [size.width as f64, size.height as f64];
        let centre = [0, 1].map(|axis| self.centre[axis] * size[axis] - 0.5);
        let shift = [0, 1].map(|axis| self.shift[axis] * size[axis] * seconds);
        let shrink = self.zoom.powf(-seconds);
        let (sin, cos) = (self.rotate * seconds).to_radians().sin_cos();
        let matrix = [[shrink * cos, shrink * sin], [-shrink * sin, shrink * cos]];
        let origin = [0, 1].map(|axis| -centre[axis] - shift[axis]);
        let turned = Placement { matrix, shift: centre };
        Placement { matrix, shift: turned.of(origin) }
    }
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;
    use crate::MotionPreset;

    /// A smooth picture whose every pixel differs from its neighbours.
    fn picture(width: usize, height: usize) -> Tensor {
        let mut picture = Tensor::zeros(Shape::new(3, height, width));
        for (index, value) in picture.data.iter_mut().enumerate() {
            let (x, y) = ((index % width) as f32, (index / width % height) as f32);
            let phase = (index / (width * height)) as f32;
            *value = 128.0 + 50.0 * (x / 7.0 + phase).sin() + 50.0 * (y / 9.0).cos();
        }
        picture
    }

    fn apart(a: &Tensor, b: &Tensor, margin: usize) -> f32 {
        let (width, height) = (a.shape.width, a.shape.height);
        let mut most = 0.0f32;
        for y in margin..height - margin {
            for x in margin..width - margin {
                let at = y * width + x;
                most = most.max((a.data[at] - b.data[at]).abs());
            }
        }
        most
    }

    #[test]
    fn a_second_is_a_second_at_any_frame_rate() {
        let threads = Threads::new(2).unwrap();
        let motion = Motion { zoom: 1.4, rotate: 8.0, centre: [0.4, 0.6], ..Motion::default() };
        let start = picture(96, 80);
        let at_once = motion.apply(&threads, &start, 1.0);
        for frames in [4, 10] {
            let mut frame = start.clone();
            for _ in 0..frames {
                frame = motion.apply(&threads, &frame, 1.0 / f64::from(frames));
            }
            let apart = apart(&frame, &at_once, 20);
            assert!(apart < 2.0, "{frames} frames: {apart}");
        }
    }

    #[test]
    fn googles_zoom_is_a_twentieth_a_frame_at_any_rate() {
        for fps in [12.0, 30.0, 60.0] {
            let motion = Motion::preset(MotionPreset::Google, fps);
            assert!((motion.zoom.powf(1.0 / fps) - 1.0 / 0.95).abs() < 1e-12);
        }
    }

    #[test]
    fn zoom_leaves_the_centre_and_shift_moves_to_the_right() {
        let threads = Threads::new(1).unwrap();
        let start = picture(101, 81);
        let zoomed = Motion { zoom: 2.0, ..Motion::default() }.apply(&threads, &start, 1.0);
        let middle = 40 * 101 + 50;
        assert!((zoomed.data[middle] - start.data[middle]).abs() < 1e-3);
        let shift = Motion { zoom: 1.0, shift: [10.0 / 101.0, 0.0], ..Motion::default() };
        let shifted = shift.apply(&threads, &start, 1.0);
        assert!((shifted.data[middle + 10] - start.data[middle]).abs() < 1e-3);
        let turn = Motion { zoom: 1.0, rotate: 90.0, ..Motion::default() };
        let turned = turn.apply(&threads, &start, 1.0);
        assert!((turned.data[middle + 20 * 101] - start.data[middle + 20]).abs() < 1e-2);
    }

    #[test]
    fn placements_are_where_pixels_were_and_follow_each_other() {
        let (size, threads) = (Size::new(40, 60), Threads::new(1).unwrap());
        let motion = Motion {
            zoom: 1.3,
            rotate: 20.0,
            shift: [0.05, -0.1],
            centre: [0.4, 0.7],
            ..Motion::default()
        };
        let start = picture(60, 40);
        let whole = motion.placement(size, 0.7);
        let by_placement = sample(&threads, &start, |x, y| whole.of([x as f64, y as f64]));
        assert!(apart(&by_placement, &motion.apply(&threads, &start, 0.7), 0) < 1e-2);
        let other = Motion { zoom: 0.8, shift: [0.2, 0.0], ..Motion::default() };
        let both = whole.then(&other.placement(size, 0.5));
        for place in [[0.0, 0.0], [31.0, 7.0], [59.0, 39.0]] {
            let [one, two] = [both.of(place), whole.of(other.placement(size, 0.5).of(place))];
            assert!((one[0] - two[0]).abs() + (one[1] - two[1]).abs() < 1e-9, "{one:?}, {two:?}");
        }
    }

    #[test]
    fn borders_never_turn_black() {
        let threads = Threads::new(1).unwrap();
        let mut white = Tensor::zeros(Shape::new(3, 30, 40));
        white.data.fill(200.0);
        let motion = Motion { zoom: 0.2, rotate: 33.0, shift: [0.7, -0.9], ..Motion::default() };
        let moved = motion.apply(&threads, &white, 1.0);
        assert!(moved.data.iter().all(|value| (value - 200.0).abs() < 1e-3));
    }
}
