//! Grey pictures: what flow is measured on.

use graph::Tensor;

use crate::parallel;

/// One channel of values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width · height` values.
    pub data: Vec<f32>,
}

impl Plane {
    /// A plane whose value at column `x`, row `y` is `value(x, y)`.
    pub fn from_fn(
        width: usize,
        height: usize,
        value: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let mut data = vec![0.0; width * height];
        parallel::chunks_mut(&mut data, width.max(1), 1, |y, row| {
            for (x, out) in row.iter_mut().enumerate() {
                *out = value(x, y);
            }
        });
        Self { width, height, data }
    }

    /// The luma (ITU-R BT.709 weights, of the gamma-encoded values) of an RGB picture.
    pub fn luma(picture: &Tensor) -> Self {
        let [red, green, blue] = [0, 1, 2].map(|channel| picture.channel(channel));
        let width = picture.shape.width;
        Self::from_fn(width, picture.shape.height, |x, y| {
            let i = y * width + x;
            0.2126 * red[i] + 0.7152 * green[i] + 0.0722 * blue[i]
        })
    }

    /// One row.
    pub fn row(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..][..self.width]
    }

    /// The value at the place in the plane that is nearest to column `x`, row `y`.
    pub fn clamped(&self, x: isize, y: isize) -> f32 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.data[y * self.width + x]
    }

    /// The value between pixels, bilinear; beyond the border its value is repeated.
    pub fn bilinear(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let (above, below) = (self.row(top), self.row(bottom));
        let upper = above[left] + fx * (above[right] - above[left]);
        let lower = below[left] + fx * (below[right] - below[left]);
        upper + fy * (lower - upper)
    }

    /// The plane with its borders carried on by `left` and `top` pixels and up to `width` × `height`.
    pub(super) fn padded(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        Self::from_fn(width, height, |x, y| {
            self.clamped(x as isize - left as isize, y as isize - top as isize)
        })
    }

    /// Half the size, each value the mean of four. Both sizes must be even.
    pub(super) fn halved(&self) -> Self {
        Self::from_fn(self.width / 2, self.height / 2, |x, y| {
            let (above, below) = (self.row(2 * y), self.row(2 * y + 1));
            0.25 * (above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1])
        })
    }

    /// The derivative along x (`axis` 0) or y (`axis` 1), by the five-point central difference.
    pub(super) fn derivative(&self, axis: usize) -> Self {
        let (dx, dy) = if axis == 0 { (1, 0) } else { (0, 1) };
        Self::from_fn(self.width, self.height, |x, y| {
            let at = |step: isize| self.clamped(x as isize + step * dx, y as isize + step * dy);
            (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / 12.0
        })
    }
}
