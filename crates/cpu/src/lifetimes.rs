//! From which step to which each part of memory is in use. A concatenation's blocks are those of its inputs, each of which
//! is written at its own time: until then, and once it is read, something else may lie there.

use std::ops::Range;

use kernels::BlockedMap;

use super::memory::{Buffer, Part};
use super::plan::{Backward, Plan, blocks};
use super::program::{Kind, Program, ValueId};
use graph::{Backwards, Binary};

/// The most parts of a value that are told apart.
const MOST_PARTS: usize = 64;

/// The lifetime of what is never touched, before anything touched it.
#[allow(clippy::reversed_empty_ranges, reason = "any step begins it earlier and ends it later")]
const NEVER: Range<usize> = usize::MAX..0;

/// When each block of each root is in use.
#[derive(Clone)]
pub(super) struct InUse(Vec<Vec<Range<usize>>>);

impl InUse {
    fn touch(&mut self, program: &Program, value: ValueId, step: usize) {
        let own = &program.values[value];
        let all = &mut self.0[own.root];
        let blocks =
            if own.root == value { 0..all.len() } else { own.first..own.first + own.blocks() };
        self.touch_blocks(own.root, blocks, step);
    }

    fn touch_blocks(&mut self, root: ValueId, blocks: Range<usize>, step: usize) {
        for lifetime in &mut self.0[root][blocks] {
            *lifetime = lifetime.start.min(step)..lifetime.end.max(step + 1);
        }
    }

    /// When any part of a root is in use.
    pub(super) fn whole(&self, root: ValueId) -> Range<usize> {
        let union = |a: Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        self.0[root].iter().filter(|lifetime| !lifetime.is_empty()).fold(NEVER, union)
    }

    /// When a root was in use, which has no memory of its own any more.
    pub(super) fn take(&mut self, root: ValueId) -> Vec<Range<usize>> {
        std::mem::take(&mut self.0[root])
    }

    /// Lets each block of a root be in use until the end of the same one of another.
    pub(super) fn extend(&mut self, root: ValueId, other: &[Range<usize>]) {
        self.0[root].iter_mut().zip(other).for_each(|(own, other)| own.end = other.end);
    }

    /// What a root with this map takes.
    pub(super) fn buffer(&self, root: ValueId, map: &BlockedMap) -> Buffer {
        let mut parts: Vec<Part> = Vec::new();
        for (block, lifetime) in self.0[root].iter().enumerate() {
            match parts.last_mut() {
                Some(part) if part.lifetime == *lifetime => part.size += map.block(),
                _ => {
                    let (offset, size) = (block * map.block(), map.block());
                    parts.push(Part { offset, size, lifetime: lifetime.clone() });
                }
            }
        }
        if parts.len() > MOST_PARTS {
            return Buffer::new(map.vectors(), self.whole(root));
        }
        parts.retain(|part| !part.lifetime.is_empty());
        Buffer { parts }
    }
}

impl Plan {
    /// When each activation and gradient is in use. Step 0 packs the picture, then come the forward steps, the output
    /// gradients, the backward steps and the unpacking.
    pub(super) fn lifetimes(&self, program: &Program, backwards: Backwards) -> [InUse; 2] {
        let of = |value: ValueId| match program.values[value].root == value {
            true => vec![NEVER; blocks(&self.shapes[value], program, value)],
            false => Vec::new(),
        };
        let none = InUse((0..program.values.len()).map(of).collect());
        let (mut activity, mut gradient) = (none.clone(), none);
        let output_gradients = self.forward.len() + 1;
        activity.touch(program, program.picture(), 0);
        for (step, layers) in self.forward.iter().enumerate() {
            for &layer in layers {
                let layer = &program.layers[layer];
                activity.touch(program, layer.output, step + 1);
                layer.inputs.iter().for_each(|&input| activity.touch(program, input, step + 1));
            }
        }
        for &target in &program.targets {
            activity.touch(program, target, output_gradients);
            // All of the root: other parts of it may be cleared then.
            gradient.touch(program, program.values[target].root, output_gradients);
        }
        for (step, backward) in self.backward.iter().enumerate() {
            let step = output_gradients + 1 + step;
            match backward {
                Backward::Clear { root, blocks } => {
                    gradient.touch_blocks(*root, blocks.clone(), step)
                }
                Backward::Layers(layers) => {
                    let strips = program.strips(layers.iter().map(|(layer, _)| *layer)).is_some();
                    for (number, _) in layers {
                        let layer = &program.layers[*number];
                        let kept = strips || self.keeps_quantised(program, *number);
                        gradient.touch(program, layer.output, step);
                        layer.inputs.iter().for_each(|&input| gradient.touch(program, input, step));
                        match layer.kind {
                            Kind::Lrn(_) | Kind::LrnMaxPool(..) if !kept => {
                                activity.touch(program, layer.inputs[0], step)
                            }
                            Kind::Softmax => activity.touch(program, layer.output, step),
                            Kind::Attention(_) => {
                                layer.inputs.iter().for_each(|&x| activity.touch(program, x, step));
                            }
                            Kind::Unary(_)
                            | Kind::PRelu(_)
                            | Kind::LayerNorm(_)
                            | Kind::GroupNorm(_) => activity.touch(program, layer.inputs[0], step),
                            Kind::Binary(Binary::Mul | Binary::Div) => {
                                layer.inputs.iter().for_each(|&x| activity.touch(program, x, step));
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        gradient.touch(program, program.picture(), output_gradients + 1 + self.backward.len());
        if backwards == Backwards::Many {
            // What a backward pass reads lives to its end, for the next one.
            let lifetimes = activity.0.iter_mut().flatten();
            for lifetime in lifetimes.filter(|lifetime| lifetime.end > output_gradients) {
                lifetime.end = output_gradients + 2 + self.backward.len();
            }
        }
        [activity, gradient]
    }
}
