//! A motion for each pixel.

use super::plane::Plane;

/// For each pixel of one picture, how far away it is found in another: the pixel at column x, row y
/// is at (x + dx, y + dy) there.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowField {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Motion to the right in pixels, row by row.
    pub dx: Vec<f32>,
    /// Motion downwards in pixels, row by row.
    pub dy: Vec<f32>,
}

impl FlowField {
    /// No motion anywhere.
    pub fn zeros(width: usize, height: usize) -> Self {
        Self { width, height, dx: vec![0.0; width * height], dy: vec![0.0; width * height] }
    }

    /// The motion of the pixel at column `x`, row `y`.
    pub fn at(&self, x: usize, y: usize) -> [f32; 2] {
        let index = y * self.width + x;
        [self.dx[index], self.dy[index]]
    }

    /// The mean length of the difference to another field of the same size (the endpoint error).
    pub fn mean_difference(&self, other: &Self) -> f64 {
        let x = self.dx.iter().zip(&other.dx).map(|(a, b)| a - b);
        let y = self.dy.iter().zip(&other.dy).map(|(a, b)| a - b);
        let sum: f64 = x.zip(y).map(|(x, y)| f64::from(x.hypot(y))).sum();
        sum / self.dx.len().max(1) as f64
    }

    /// The field of a picture `scale` times as large, cut to `width` × `height`; bilinear.
    pub(super) fn enlarged(&self, scale: usize, width: usize, height: usize) -> Self {
        let scale = scale as f32;
        let [dx, dy] = [&self.dx, &self.dy].map(|data| {
            let plane = Plane { width: self.width, height: self.height, data: data.clone() };
            let place = |at: usize| (at as f32 + 0.5) / scale - 0.5;
            Plane::from_fn(width, height, |x, y| scale * plane.bilinear(place(x), place(y))).data
        });
        Self { width, height, dx, dy }
    }
}
