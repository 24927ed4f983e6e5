//! From a convolution as model files have it to the taps and weights that run it, in both directions.

use crate::conv::{Taps, Weights};
use crate::{ConvGeometry, Vec16};

/// A convolution's weights, and where its channels lie in the maps.
#[derive(Clone, Copy)]
pub struct Kernel<'a> {
    /// The window.
    pub geometry: ConvGeometry,
    /// Into how many independent convolutions the channels are divided.
    pub groups: usize,
    /// `out channels × in channels / groups × kernel height × kernel width`.
    pub weights: &'a [f32],
    /// One for each output channel.
    pub bias: &'a [f32],
    /// The slot of each channel of the input map, ascending.
    pub in_slots: &'a [usize],
    /// The slot of each channel of the output map, ascending.
    pub out_slots: &'a [usize],
}

/// One convolution that runs a [`Kernel`] in one direction: all of it, or one phase of a stride.
pub struct Phase<'a> {
    /// Its taps, from top left to bottom right.
    pub taps: Taps,
    kernel: Kernel<'a>,
    backward: bool,
    /// The kernel's element of each tap.
    elements: Vec<usize>,
    /// The channel of each slot of the map that is read, and of the one that is written.
    reads: Vec<Option<usize>>,
    writes: Vec<Option<usize>>,
}

impl<'a> Kernel<'a> {
    /// The convolution itself: from input to output.
    pub fn forward(&self) -> Phase<'a> {
        let ConvGeometry { kernel: [height, width], stride, dilation, before } = self.geometry;
        let offset = |axis: usize, k: usize| (k * dilation[axis]) as isize - before[axis] as isize;
        let offsets = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let taps = Taps {
            offsets: offsets.map(|(y, x)| [offset(0, y), offset(1, x)]).collect(),
            in_step: stride,
            out_step: [1, 1],
            origin: [0, 0],
        };
        Phase {
            taps,
            kernel: *self,
            backward: false,
            elements: (0..height * width).collect(),
            reads: channels(self.in_slots),
            writes: channels(self.out_slots),
        }
    }

    /// From the output's gradient to the input's: a phase for each remainder of the stride.
    pub fn backward(&self) -> Vec<Phase<'a>> {
        let [down, across] = self.geometry.stride;
        (0..down * across).map(|phase| self.phase([phase / across, phase % across])).collect()
    }

    fn phase(&self, origin: [usize; 2]) -> Phase<'a> {
        // Output o reads input i = o·stride + k·dilation − before, so input `origin + stride·j` is read
        // by o = j + (origin + before − k·dilation) / stride, where that is whole.
        let along = |axis: usize| -> Vec<(usize, isize)> {
            let ConvGeometry { kernel, stride, dilation, before } = self.geometry;
            let first = (origin[axis] + before[axis]) as isize;
            (0..kernel[axis])
                .rev()
                .map(|k| (k, first - (k * dilation[axis]) as isize))
                .filter(|(_, distance)| distance % stride[axis] as isize == 0)
                .map(|(k, distance)| (k, distance / stride[axis] as isize))
                .collect()
        };
        let (rows, columns) = (along(0), along(1));
        let pairs = || rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
        let width = self.geometry.kernel[1];
        Phase {
            elements: pairs().map(|((ky, _), (kx, _))| ky * width + kx).collect(),
            taps: Taps {
                offsets: pairs().map(|((_, dy), (_, dx))| [*dy, *dx]).collect(),
                in_step: [1, 1],
                out_step: self.geometry.stride,
                origin,
            },
            kernel: *self,
            backward: true,
            reads: channels(self.out_slots),
            writes: channels(self.in_slots),
        }
    }
}

/// The channel of each slot of a map whose channels lie at `slots`.
fn channels(slots: &[usize]) -> Vec<Option<usize>> {
    let count = slots.last().map_or(0, |last| (last / 16 + 1) * 16);
    let mut channels = vec![None; count];
    for (channel, &slot) in slots.iter().enumerate() {
        channels[slot] = Some(channel);
    }
    channels
}

impl Phase<'_> {
    /// The side of the kernel and the first tap's offset, if this is a dense square of stride 1.
    pub fn square(&self) -> Option<(usize, [isize; 2])> {
        let ConvGeometry { kernel, stride, dilation, .. } = self.kernel.geometry;
        (kernel[0] == kernel[1] && stride == [1, 1] && dilation == [1, 1])
            .then(|| (kernel[0], self.taps.offsets[0]))
    }

    /// Positions along each axis for a map of `extent` that is written.
    pub fn positions(&self, extent: [usize; 2]) -> [usize; 2] {
        let Taps { out_step, origin, .. } = &self.taps;
        let count =
            |axis: usize| extent[axis].saturating_sub(origin[axis]).div_ceil(out_step[axis]);
        [count(0), count(1)]
    }
}

impl Weights for Phase<'_> {
    fn out_blocks(&self) -> usize {
        self.writes.len() / 16
    }

    fn in_blocks(&self) -> usize {
        self.reads.len() / 16
    }

    fn live(&self) -> usize {
        let used = self.reads.iter().rposition(Option::is_some).map_or(16, |last| last + 1);
        used.min(16)
    }

    fn taps(&self, block: usize, i: usize, taps: &mut [Vec16]) {
        let Some(read) = self.reads[i] else { return };
        let Kernel { groups, weights, in_slots, out_slots, geometry, .. } = self.kernel;
        let (outs, ins) = (out_slots.len() / groups, in_slots.len() / groups);
        let area = geometry.kernel[0] * geometry.kernel[1];
        for (lane, write) in self.writes[16 * block..16 * (block + 1)].iter().enumerate() {
            let Some(write) = *write else { continue };
            let (to, from) = if self.backward { (read, write) } else { (write, read) };
            if to / outs == from / ins {
                let filter = &weights[(to * ins + from % ins) * area..][..area];
                for (tap, &element) in taps.iter_mut().zip(&self.elements) {
                    tap.0[lane] = filter[element];
                }
            }
        }
    }

    fn bias(&self, o: usize) -> f32 {
        if self.backward { 0.0 } else { self.writes[o].map_or(0.0, |o| self.kernel.bias[o]) }
    }

    fn connected(&self, o: usize, i: usize) -> bool {
        if self.kernel.groups == 1 {
            return true;
        }
        let (mut outs, mut ins) = (self.kernel.out_slots.len(), self.kernel.in_slots.len());
        if self.backward {
            std::mem::swap(&mut outs, &mut ins);
        }
        let groups = |channels: &[Option<usize>], block: usize, count: usize| -> Vec<usize> {
            let slots = channels[16 * block..16 * (block + 1)].iter().flatten();
            slots.map(|channel| channel / (count / self.kernel.groups)).collect()
        };
        let read = groups(&self.reads, i, ins);
        groups(&self.writes, o, outs).iter().any(|group| read.contains(group))
    }
}
