//! Which gradients take the place of the activation they belong to: those of normalisations, which read each pixel for
//! the last time when they write its gradient. Theirs are the largest maps of many networks.

use std::ops::Range;

use kernels::{BlockedMap, WriteMode};

use super::plan::Plan;
use super::program::{Kind, Program, ValueId};

impl Plan {
    /// The values whose gradient can lie where their activation does, of `activations` and `gradients` with these
    /// lifetimes. Their activations then live as long as both, and their gradients need no memory.
    pub(super) fn replaced(
        &self,
        program: &Program,
        (activations, gradients): (&[BlockedMap], &[BlockedMap]),
        (activity, gradient): (&mut [Range<usize>], &mut [Range<usize>]),
    ) -> Vec<ValueId> {
        let mut replaced = Vec::new();
        let first = self.forward.len() + 2;
        for (step, backward) in self.backward.iter().enumerate() {
            let [(layer, contributions)] = backward.layers() else { continue };
            let layer = &program.layers[*layer];
            let (x, step) = (layer.inputs[0], first + step);
            let normalises = matches!(layer.kind, Kind::Lrn(_) | Kind::LrnMaxPool(..));
            let whole = program.values[x].root == x;
            let overwrites = contributions[0].mode == WriteMode::Overwrite;
            let ends = activity[x].end == step + 1 && gradient[x].start == step;
            if normalises && whole && overwrites && ends && activations[x] == gradients[x] {
                activity[x].end = gradient[x].end;
                gradient[x] = 0..0;
                replaced.push(x);
            }
        }
        replaced
    }
}
