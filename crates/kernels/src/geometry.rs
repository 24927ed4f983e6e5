//! A window placed over a picture: which of its elements lie where.

use std::ops::Range;

use crate::BlockedMap;

/// A window and the padding it starts in: rows first, then columns, in every pair. How many positions
/// it has is the output map's affair; what lies beyond the picture on any side counts as padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
}

/// No distance within a window, between windows, or from the padding to the last window is larger, so
/// that sums of a few of them are addresses still.
const FARTHEST: usize = isize::MAX as usize / 8;

impl ConvGeometry {
    /// A window of `kernel` elements, which lie `dilation` apart, moved by `stride`, with `padding` above
    /// and on the left. `None` if the window is empty or stands still, or if an extent is larger than the
    /// address space.
    pub fn new(
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: [usize; 2],
    ) -> Option<Self> {
        for axis in [0, 1] {
            let reach = kernel[axis].checked_sub(1)?.checked_mul(dilation[axis])?;
            let farthest = reach.max(stride[axis]).max(dilation[axis]).max(padding[axis]);
            if stride[axis] == 0 || dilation[axis] == 0 || farthest >= FARTHEST {
                return None;
            }
        }
        let areas = [kernel[0].checked_mul(kernel[1])?, stride[0].checked_mul(stride[1])?];
        areas.iter().all(|&area| area < FARTHEST).then_some(Self {
            kernel,
            stride,
            dilation,
            padding,
        })
    }

    /// The window's height and width.
    pub fn kernel(&self) -> [usize; 2] {
        self.kernel
    }

    /// How far the window moves.
    pub fn stride(&self) -> [usize; 2] {
        self.stride
    }

    /// How far apart the window's elements are.
    pub fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// Rows of padding above and columns of padding on the left.
    pub fn padding(&self) -> [usize; 2] {
        self.padding
    }

    /// How many elements the window has.
    pub fn elements(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// How many rows of windows, of `output`, lie with all that they have on the picture in its first `rows` rows, of
    /// `height`.
    pub fn rows_within(&self, rows: usize, height: usize, output: usize) -> usize {
        let reach = (self.kernel[0] - 1) * self.dilation[0] + 1;
        match (rows + self.padding[0]).checked_sub(reach) {
            _ if rows >= height => output,
            Some(free) => (free / self.stride[0] + 1).min(output),
            None => 0,
        }
    }

    /// The window over an input of extent `x`, at the positions of an output of extent `y`: rows, columns.
    pub(crate) fn axes(&self, x: &BlockedMap, y: &BlockedMap) -> [Axis; 2] {
        assert_eq!(x.blocks(), y.blocks(), "the maps differ in channels");
        [self.axis(0, x.height(), y.height()), self.axis(1, x.width(), y.width())]
    }

    fn axis(&self, axis: usize, input: usize, output: usize) -> Axis {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let (dilation, padding) = (self.dilation[axis], self.padding[axis]);
        let last = output.saturating_sub(1).checked_mul(stride);
        assert!(last.is_some_and(|last| last < FARTHEST), "the last window lies too far away");
        Axis { kernel, stride, dilation, padding, input, output }
    }
}

/// A window along one axis.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) padding: usize,
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
        self.within(position, self.padding)..self.within(position, self.padding + self.input)
    }

    /// The positions at which the whole window lies on the picture.
    pub(crate) fn whole(&self) -> Range<usize> {
        let reach = (self.kernel - 1) * self.dilation + 1;
        let end = match (self.padding + self.input).checked_sub(reach) {
            Some(free) => (free / self.stride + 1).min(self.output),
            None => 0,
        };
        self.padding.div_ceil(self.stride).min(end)..end
    }

    /// The elements that can lie on an input, and at which positions of the window.
    pub(crate) fn taps(&self, input: usize) -> Taps {
        let [stride, dilation] = [self.stride, self.dilation].map(|n| n as isize);
        let ahead = |element: usize| (input + self.padding) as isize - element as isize * dilation;
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
        position * self.stride + element * self.dilation - self.padding
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
