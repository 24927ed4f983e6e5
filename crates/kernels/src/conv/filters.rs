//! From a convolution as model files have it to the taps and weights that run it, in both directions.

use std::sync::Arc;

use crate::conv::taps::Taps;
use crate::conv::weights::{self, Footprint};
use crate::{ConvGeometry, CpuLevel, Vec16};

/// A convolution's weights, and where its channels lie in the maps.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    geometry: ConvGeometry,
    groups: usize,
    weights: &'a [f32],
    bias: &'a [f32],
    in_slots: &'a [usize],
    out_slots: &'a [usize],
}

/// One convolution that runs [`Filters`] in one direction: all of it, or one phase of a stride.
pub struct Phase<'a> {
    pub(crate) taps: Taps,
    filters: Filters<'a>,
    backward: bool,
    /// The channel of each slot of the map that is read, and of the one that is written.
    reads: Arc<[Option<usize>]>,
    writes: Arc<[Option<usize>]>,
}

/// Bytes of a convolution beside its weights and lists, with what the allocator adds.
const CONVOLUTION: u64 = 1024;

impl<'a> Filters<'a> {
    /// `weights` are out channels × in channels / `groups` × kernel height × kernel width, `bias` has one
    /// value for each output channel. `in_slots` and `out_slots` are the slot of each channel of the input
    /// map and of the output map.
    ///
    /// # Panics
    /// If the groups do not divide the channels, a length does not fit, or slots do not ascend.
    pub fn new(
        geometry: ConvGeometry,
        groups: usize,
        weights: &'a [f32],
        bias: &'a [f32],
        in_slots: &'a [usize],
        out_slots: &'a [usize],
    ) -> Self {
        let (ins, outs) = (in_slots.len(), out_slots.len());
        let divides = groups > 0 && ins.is_multiple_of(groups) && outs.is_multiple_of(groups);
        assert!(divides, "the groups do not divide the channels");
        let count =
            (ins / groups).checked_mul(outs).and_then(|n| n.checked_mul(geometry.elements()));
        assert_eq!(count, Some(weights.len()), "the weights are not the convolution's");
        assert_eq!(bias.len(), outs, "one bias for each output channel");
        let ascending = |slots: &[usize]| slots.is_sorted_by(|a, b| a < b);
        assert!(ascending(in_slots) && ascending(out_slots), "slots ascend");
        Self { geometry, groups, weights, bias, in_slots, out_slots }
    }

    /// The convolution itself: from input to output.
    pub fn forward(&self) -> Phase<'a> {
        let (reads, writes) = (channels(self.in_slots), channels(self.out_slots));
        Phase {
            taps: Taps::forward(&self.geometry),
            filters: *self,
            backward: false,
            reads,
            writes,
        }
    }

    /// From the output's gradient to the input's: a phase for each remainder of the stride at which the
    /// window [sees](ConvGeometry::has_gaps) the input.
    pub fn backward(&self) -> Vec<Phase<'a>> {
        self.backward_phases().collect()
    }

    fn backward_phases(&self) -> impl Iterator<Item = Phase<'a>> + '_ {
        let (reads, writes) = (channels(self.out_slots), channels(self.in_slots));
        Taps::backward(&self.geometry).map(move |taps| {
            let (reads, writes) = (reads.clone(), writes.clone());
            Phase { taps, filters: *self, backward: true, reads, writes }
        })
    }

    /// Bytes that the [`Direct`](super::Direct) convolutions of one direction take, packed and placed.
    /// It takes as long as packing one tap and needs no weights, which may be left out of `self`.
    pub fn direct_bytes(&self, backward: bool, level: CpuLevel) -> u64 {
        let (phase, phases) = match backward {
            false => (Some(self.forward()), 1),
            true => (self.backward_phases().next(), self.geometry.backward_phases()),
        };
        let Some(phase) = phase else { return 0 };
        let Footprint { vectors, lists, groups } = weights::footprint(&phase, level);
        let tap = 64 * vectors + 8 * lists + 3 * 8;
        let each = groups + 8 * lists + CONVOLUTION;
        (self.geometry.elements() as u64)
            .saturating_mul(tap)
            .saturating_add((phases as u64).saturating_mul(each))
    }

    /// The same filters without their weights, for those who only ask how many bytes they take.
    pub fn without_weights(
        geometry: ConvGeometry,
        groups: usize,
        in_slots: &'a [usize],
        out_slots: &'a [usize],
    ) -> Self {
        Self { geometry, groups, weights: &[], bias: &[], in_slots, out_slots }
    }
}

/// The channel of each slot of a map whose channels lie at `slots`.
fn channels(slots: &[usize]) -> Arc<[Option<usize>]> {
    let count = slots.last().map_or(0, |last| (last / 16 + 1) * 16);
    let mut channels = vec![None; count];
    for (channel, &slot) in slots.iter().enumerate() {
        channels[slot] = Some(channel);
    }
    channels.into()
}

impl Phase<'_> {
    /// The side of the kernel and the first tap's offset, if this is a dense square of stride 1.
    pub(crate) fn square(&self) -> Option<(usize, [isize; 2])> {
        let geometry = &self.filters.geometry;
        let [height, width] = geometry.kernel();
        let dense = geometry.stride() == [1, 1] && geometry.dilation() == [1, 1];
        (dense && height == width).then(|| (height, self.taps.offsets[0]))
    }

    /// Blocks of output channels.
    pub(crate) fn out_blocks(&self) -> usize {
        self.writes.len() / 16
    }

    /// Blocks of input channels.
    pub(crate) fn in_blocks(&self) -> usize {
        self.reads.len() / 16
    }

    /// How many of the input's slots are used if that is fewer than sixteen, else 16.
    pub(crate) fn live(&self) -> usize {
        let used = self.reads.iter().rposition(Option::is_some).map_or(16, |last| last + 1);
        used.min(16)
    }

    /// Writes the weights of all taps from input slot `i` to the sixteen slots of output block `block`, a
    /// vector for each tap; slots that hold nothing stay as they are.
    pub(crate) fn weights(&self, block: usize, i: usize, taps: &mut [Vec16]) {
        let Some(read) = self.reads[i] else { return };
        let Filters { groups, weights, in_slots, out_slots, geometry, .. } = self.filters;
        let (outs, ins) = (out_slots.len() / groups, in_slots.len() / groups);
        let area = geometry.elements();
        for (lane, write) in self.writes[16 * block..16 * (block + 1)].iter().enumerate() {
            let Some(write) = *write else { continue };
            let (to, from) = if self.backward { (read, write) } else { (write, read) };
            if to / outs == from / ins {
                let filter = &weights[(to * ins + from % ins) * area..][..area];
                for (tap, &element) in taps.iter_mut().zip(&self.taps.elements) {
                    tap.0[lane] = filter[element];
                }
            }
        }
    }

    /// The bias of output slot `o`.
    pub(crate) fn bias(&self, o: usize) -> f32 {
        if self.backward { 0.0 } else { self.writes[o].map_or(0.0, |o| self.filters.bias[o]) }
    }

    /// Whether any slot of output block `o` reads any of input block `i`: not so in grouped convolutions.
    pub(crate) fn connected(&self, o: usize, i: usize) -> bool {
        if self.filters.groups == 1 {
            return true;
        }
        let (mut outs, mut ins) = (self.filters.out_slots.len(), self.filters.in_slots.len());
        if self.backward {
            std::mem::swap(&mut outs, &mut ins);
        }
        let groups = |channels: &[Option<usize>], block: usize, count: usize| -> Vec<usize> {
            let slots = channels[16 * block..16 * (block + 1)].iter().flatten();
            slots.map(|channel| channel / (count / self.filters.groups)).collect()
        };
        let read = groups(&self.reads, i, ins);
        groups(&self.writes, o, outs).iter().any(|group| read.contains(group))
    }
}
