//! What takes the place of something else that is never needed again: the gradients of normalisations, which read each
//! pixel for the last time when they write its gradient, and what pools with windows side by side make. Theirs are the
//! largest maps of many networks.

use kernels::{BlockedMap, WriteMode, pool};

use super::lifetimes::InUse;
use super::plan::Plan;
use super::program::{Kind, Program, ValueId};

/// What lies in the place of something else, or that.
#[derive(Clone, Copy)]
pub(super) enum InPlace {
    Activation(ValueId),
    Gradient(ValueId),
}

impl Plan {
    /// What can lie in the place of what, of activations and gradients with these maps and lifetimes. What is there
    /// first then lives as long as both, and the other needs no memory.
    pub(super) fn in_place(
        &self,
        program: &Program,
        [activations, gradients]: [&[BlockedMap]; 2],
        [activity, gradient]: [&mut InUse; 2],
    ) -> Vec<(InPlace, InPlace)> {
        let mut in_place = Vec::new();
        let whole = |value: ValueId| program.values[value].root == value;
        let pools = |layer: usize, maps: &[BlockedMap]| {
            let kind = &program.layers[layer].kind;
            let [x, y] = [program.layers[layer].inputs[0], program.layers[layer].output];
            let window = self.windows[layer].as_ref();
            let fits = |window| pool::InPlace::new(window, &maps[x], &maps[y]).is_some();
            matches!(kind, Kind::MaxPool(_) | Kind::ReluMaxPool(..))
                && whole(x)
                && whole(y)
                && window.is_some_and(fits)
        };
        for (step, layers) in self.forward.iter().enumerate() {
            let (&[layer], step) = (&layers[..], step + 1) else { continue };
            let [x, y] = [program.layers[layer].inputs[0], program.layers[layer].output];
            if pools(layer, activations) && activity.whole(x).end == step + 1 {
                let later = activity.take(y);
                activity.extend(x, &later);
                in_place.push((InPlace::Activation(y), InPlace::Activation(x)));
            }
        }
        let first = self.forward.len() + 2;
        for (step, backward) in self.backward.iter().enumerate() {
            let ([(layer, contributions)], step) = (backward.layers(), first + step) else {
                continue;
            };
            let [x, y] = [program.layers[*layer].inputs[0], program.layers[*layer].output];
            let overwrites = contributions[0].mode == WriteMode::Overwrite;
            if !overwrites || gradient.whole(x).start != step {
                continue;
            }
            let normalises =
                matches!(program.layers[*layer].kind, Kind::Lrn(_) | Kind::LrnMaxPool(..));
            if normalises
                && whole(x)
                && activity.whole(x).end == step + 1
                && activations[x] == gradients[x]
            {
                activity.extend(x, &gradient.take(x));
                in_place.push((InPlace::Gradient(x), InPlace::Activation(x)));
            } else if pools(*layer, gradients) && gradient.whole(y).end == step + 1 {
                let later = gradient.take(x);
                gradient.extend(y, &later);
                in_place.push((InPlace::Gradient(x), InPlace::Gradient(y)));
            }
        }
        in_place
    }
}
