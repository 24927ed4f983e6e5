//! The taps of a convolution: which pixels of its input each pixel of its output sums up.

use crate::ConvGeometry;

/// How the taps of one direct convolution lie, from top left to bottom right. Rows first in every pair.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    /// Each tap's offset in the input, in pixels.
    pub(crate) offsets: Vec<[isize; 2]>,
    /// Each tap's element of the window.
    pub(crate) elements: Vec<usize>,
    /// Pixels of the input between positions.
    pub(crate) in_step: [usize; 2],
    /// Pixels of the output between positions.
    pub(crate) out_step: [usize; 2],
    /// The first position's pixel in the output, less than a step from the corner.
    pub(crate) origin: [usize; 2],
}

impl Taps {
    /// From input to output.
    pub(crate) fn forward(geometry: &ConvGeometry) -> Self {
        let [height, width] = geometry.kernel();
        let offset = |axis: usize, k: usize| {
            (k * geometry.dilation()[axis]) as isize - geometry.padding()[axis] as isize
        };
        let elements = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        Self {
            offsets: elements.map(|(y, x)| [offset(0, y), offset(1, x)]).collect(),
            elements: (0..height * width).collect(),
            in_step: geometry.stride(),
            out_step: [1, 1],
            origin: [0, 0],
        }
    }

    /// From the output's gradient to the input's: a phase for each remainder of the stride that has taps.
    pub(crate) fn backward(geometry: &ConvGeometry) -> impl Iterator<Item = Self> {
        let [rows, columns] = [0, 1].map(|axis| geometry.origins(axis));
        rows.into_iter().flat_map(move |row| {
            let columns = columns.clone().into_iter();
            columns.map(move |column| Self::phase(geometry, [row, column]))
        })
    }

    fn phase(geometry: &ConvGeometry, origin: [usize; 2]) -> Self {
        // Output o reads input i = o·stride + k·dilation − padding, so input `origin + stride·j` is read by
        // o = j + (origin + padding − k·dilation) / stride, where that is whole.
        let along = |axis: usize| -> Vec<(usize, isize)> {
            let first = (origin[axis] + geometry.padding()[axis]) as isize;
            let stride = geometry.stride()[axis] as isize;
            (0..geometry.kernel()[axis])
                .rev()
                .map(|k| (k, first - (k * geometry.dilation()[axis]) as isize))
                .filter(|(_, distance)| distance % stride == 0)
                .map(|(k, distance)| (k, distance / stride))
                .collect()
        };
        let (rows, columns) = (along(0), along(1));
        let pairs = || rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
        let width = geometry.kernel()[1];
        Self {
            offsets: pairs().map(|((_, dy), (_, dx))| [*dy, *dx]).collect(),
            elements: pairs().map(|((ky, _), (kx, _))| ky * width + kx).collect(),
            in_step: [1, 1],
            out_step: geometry.stride(),
            origin,
        }
    }

    /// How many taps there are.
    pub(crate) fn count(&self) -> usize {
        self.offsets.len()
    }

    /// Positions along each axis for an output of `extent`.
    pub(crate) fn positions(&self, extent: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            extent[axis].saturating_sub(self.origin[axis]).div_ceil(self.out_step[axis])
        })
    }

    /// How far outside an input of extent `read` the taps reach for an output of extent `written`.
    pub(crate) fn reach(&self, read: [usize; 2], written: [usize; 2]) -> usize {
        let positions = self.positions(written);
        let axis = |axis: usize| {
            let last = (positions[axis].max(1) - 1) as i128 * self.in_step[axis] as i128;
            let ends = |offset: &[isize; 2]| {
                let offset = offset[axis] as i128;
                let after = last + offset - (read[axis] as i128 - 1);
                usize::try_from(after.max(-offset).max(0)).unwrap_or(usize::MAX)
            };
            self.offsets.iter().map(ends).max().unwrap_or(0)
        };
        axis(0).max(axis(1))
    }
}

impl ConvGeometry {
    /// The remainders of the stride, in rising order, at which the window sees pixels of an input along
    /// an axis.
    fn origins(&self, axis: usize) -> Vec<usize> {
        let [stride, dilation] = [self.stride()[axis], self.dilation()[axis]];
        // After `stride` elements, remainders come again.
        let elements = 0..self.kernel()[axis].min(stride);
        let origin = |k: usize| {
            let distance = (k * dilation) as isize - self.padding()[axis] as isize;
            distance.rem_euclid(stride as isize) as usize
        };
        let mut origins: Vec<usize> = elements.map(origin).collect();
        origins.sort_unstable();
        origins.dedup();
        origins
    }

    /// How many phases the way back from an output's gradient to the input's has.
    pub fn backward_phases(&self) -> usize {
        [0, 1].map(|axis| self.origins(axis).len()).iter().product()
    }

    /// Whether there are pixels of an input that no window sees: their gradient is 0, and the phases of
    /// the way back do not write it.
    pub fn has_gaps(&self) -> bool {
        self.backward_phases() < self.stride()[0] * self.stride()[1]
    }

    /// The halo that an input of extent `x` needs for a direct convolution to an output of extent `y`.
    pub fn forward_halo(&self, x: [usize; 2], y: [usize; 2]) -> usize {
        Taps::forward(self).reach(x, y)
    }

    /// The halo that an output's gradient of extent `y` needs for the direct convolutions to an input's of
    /// extent `x`.
    pub fn backward_halo(&self, y: [usize; 2], x: [usize; 2]) -> usize {
        Taps::backward(self).map(|phase| phase.reach(y, x)).max().unwrap_or(0)
    }
}
