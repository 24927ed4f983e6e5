//! A window placed over a picture: which of its elements lie where.

use std::ops::Range;

use crate::BlockedMap;

/// A window and the padding it starts in: rows first, then columns, in every pair. How many positions
/// it has is the output map's affair; what lies beyond the picture on any side counts as padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Its height and width.
    pub kernel: [usize; 2],
    /// How far it moves.
    pub stride: [usize; 2],
    /// How far apart its elements are.
    pub dilation: [usize; 2],
    /// Rows of padding above and columns of padding on the left.
    pub before: [usize; 2],
}

impl ConvGeometry {
    /// How many elements the window has.
    pub fn elements(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The window over an input `xm`, at the positions of an output `ym`: rows, columns.
    pub(crate) fn axes(&self, xm: &BlockedMap, ym: &BlockedMap) -> [Axis; 2] {
        assert_eq!(xm.blocks, ym.blocks, "the maps differ in channels");
        [self.axis(0, xm.height, ym.height), self.axis(1, xm.width, ym.width)]
    }

    fn axis(&self, axis: usize, input: usize, output: usize) -> Axis {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let (dilation, before) = (self.dilation[axis], self.before[axis]);
        assert!(kernel > 0 && stride > 0 && dilation > 0, "a window that is empty or stands still");
        Axis { kernel, stride, dilation, before, input, output }
    }
}

/// A window along one axis.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) before: usize,
    /// Elements of the picture.
    pub(crate) input: usize,
    /// Positions of the window.
    pub(crate) output: usize,
}

impl Axis {
    /// The window's elements that lie before `extent`, counted from the start of the padding.
    pub(crate) fn within(&self, position: usize, extent: usize) -> usize {
        extent.saturating_sub(position * self.stride).div_ceil(self.dilation).min(self.kernel)
    }

    /// The window's elements that lie on the picture.
    pub(crate) fn on_picture(&self, position: usize) -> Range<usize> {
        self.within(position, self.before)..self.within(position, self.before + self.input)
    }

    /// The positions at which the whole window lies on the picture.
    pub(crate) fn whole(&self) -> Range<usize> {
        let reach = (self.kernel - 1) * self.dilation + 1;
        let end = match (self.before + self.input).checked_sub(reach) {
            Some(free) => (free / self.stride + 1).min(self.output),
            None => 0,
        };
        self.before.div_ceil(self.stride).min(end)..end
    }

    /// The elements that can lie on an input, and at which positions of the window.
    pub(crate) fn taps(&self, input: usize) -> Taps {
        let [stride, dilation] = [self.stride, self.dilation].map(|n| n as isize);
        let ahead = |element: usize| (input + self.before) as isize - element as isize * dilation;
        let common = greatest_common_divisor(self.stride, self.dilation);
        let every = self.stride / common;
        let first = (0..self.kernel.min(every)).find(|&k| ahead(k).rem_euclid(stride) == 0);
        let Some(first) = first else {
            return Taps { first: 0, every, count: 0, position: 0, back: 1 };
        };
        let count = (self.kernel - first).div_ceil(every);
        let position = ahead(first).div_euclid(stride);
        Taps { first, every, count, position, back: (self.dilation / common) as isize }
    }

    /// Where an element lies on the picture; it must.
    #[inline(always)]
    pub(crate) fn input_of(&self, position: usize, element: usize) -> usize {
        position * self.stride + element * self.dilation - self.before
    }
}

/// The elements of a window that lie on one input: numbers `first`, `first + every`, … with the window
/// at `position`, `position − back`, …; some of these positions may not exist.
#[derive(Clone, Copy)]
pub(crate) struct Taps {
    pub(crate) first: usize,
    pub(crate) every: usize,
    pub(crate) count: usize,
    pub(crate) position: isize,
    pub(crate) back: isize,
}

impl Taps {
    /// The taps whose position is one of `output`, for an input that lies `on` positions further.
    #[inline(always)]
    pub(crate) fn existing(&self, on: usize, output: usize) -> Range<usize> {
        let position = self.position + on as isize;
        let beyond = (position - output as isize + 1).max(0) as usize;
        let before = (position + 1).max(0) as usize;
        let back = self.back as usize;
        let end = before.div_ceil(back).min(self.count);
        beyond.div_ceil(back).min(end)..end
    }

    /// A tap's element, and its position for an input that lies `on` positions further.
    #[inline(always)]
    pub(crate) fn at(&self, tap: usize, on: usize) -> (usize, usize) {
        let position = self.position + on as isize - tap as isize * self.back;
        (self.first + tap * self.every, position as usize)
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
