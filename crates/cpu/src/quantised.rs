//! What normalisations read again in the backward pass, kept in fewer bits: their inputs are among the largest maps
//! of a network, and would be in memory all the time.

use std::ops::Range;

use kernels::quantised::QuantisedMap;
use kernels::{BlockedMap, CpuLevel, Vec16};

use super::memory::Buffer;
use super::plan::Plan;
use super::program::{Kind, Program, ValueId};
use graph::Backwards;

/// Bytes of an input, normalised by itself, that count beside all that a step takes. To keep it in fewer bits takes
/// time of its own.
const LARGE_BYTES: usize = 16 << 20;

/// A map that is kept for the backward pass.
pub(super) struct Quantised {
    pub(super) value: ValueId,
    pub(super) map: QuantisedMap,
    /// Where it lies.
    pub(super) start: usize,
    lifetime: Range<usize>,
}

impl Quantised {
    pub(super) fn buffer(&self) -> Buffer {
        Buffer::new(self.map.vectors(), self.lifetime.clone())
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.start + self.map.vectors()
    }
}

impl Plan {
    /// Whether a layer keeps its input in fewer bits: a normalisation by itself, of a large one. Plain loops, which others
    /// are compared with, keep all bits.
    pub(super) fn keeps_quantised(&self, program: &Program, layer: usize) -> bool {
        let layer = &program.layers[layer];
        let (input, shape) = (layer.inputs[0], self.shapes[layer.inputs[0]]);
        let blocks = program.values[input].blocks();
        matches!(layer.kind, Kind::Lrn(_))
            && self.level != CpuLevel::Scalar
            && BlockedMap::new(blocks, shape.height, shape.width, 0)
                .is_some_and(|map| map.vectors() >= LARGE_BYTES / size_of::<Vec16>())
    }

    /// The maps that are kept for the backward pass, not yet placed.
    pub(super) fn to_be_quantised(
        &self,
        program: &Program,
        activations: &[BlockedMap],
        backwards: Backwards,
    ) -> Vec<Quantised> {
        // The layer that normalises in a step.
        let normalises = |layers: &[usize]| match program.strips(layers.iter().copied()) {
            Some([_, pool]) => {
                matches!(program.layers[pool].kind, Kind::LrnMaxPool(..)).then_some(pool)
            }
            None => layers.iter().copied().find(|&layer| self.keeps_quantised(program, layer)),
        };
        let steps = self.forward.iter().enumerate();
        let steps = steps.filter_map(|(step, layers)| Some((step, normalises(layers)?)));
        let quantised = |(step, layer): (usize, usize)| {
            let value = program.layers[layer].inputs[0];
            let reads = |&(other, _): &(usize, _)| other == layer;
            let read = self.backward.iter().position(|step| step.layers().iter().any(reads));
            let read = match backwards {
                Backwards::One => read.unwrap_or(0),
                Backwards::Many => self.backward.len(),
            };
            let lifetime = step + 1..self.forward.len() + read + 3;
            Quantised { value, map: QuantisedMap::of(&activations[value]), start: 0, lifetime }
        };
        steps.map(quantised).collect()
    }

    /// Where the input of a normalisation is kept for the backward pass, if it is.
    pub(super) fn quantised(&self, value: ValueId) -> Option<&Quantised> {
        self.quantised.iter().find(|kept| kept.value == value)
    }
}
