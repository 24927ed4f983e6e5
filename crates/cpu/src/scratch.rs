//! What threads work in: memory that each keeps for the next layer.

use kernels::{Context, attention, group_norm, lrn_pool, pool};

use super::convolution::{Algorithm, Direction};
use super::plan::{Plan, heads};
use super::program::{Kind, Program, ValueId};

/// Bytes that threads work in, and keep.
#[derive(Clone, Copy, Default)]
pub(super) struct Scratch {
    /// Of each thread, that which calls too.
    pub(super) each: u64,
    /// Of the thread that calls, beside that.
    pub(super) of_caller: u64,
}

impl Scratch {
    /// What is enough for both.
    pub(super) fn most(self, other: Self) -> Self {
        let Self { each, of_caller } = other;
        Self { each: self.each.max(each), of_caller: self.of_caller.max(of_caller) }
    }

    /// Bytes of all of so many threads.
    pub(super) fn of_threads(self, count: usize) -> u64 {
        self.each.saturating_mul(count as u64).saturating_add(self.of_caller)
    }
}

impl Plan {
    /// Bytes that threads work in, at the most.
    pub(super) fn scratch(&self, program: &Program, cx: &Context) -> Scratch {
        let each = |each: u64| Scratch { each, of_caller: 0 };
        let layer = |index: usize| {
            let layer = &program.layers[index];
            let (x, y) = (layer.inputs[0], layer.output);
            if let (Kind::LrnMaxPool(..), Some(window)) = (&layer.kind, &self.windows[index]) {
                return each(lrn_pool::scratch_bytes(window, &self.activation(program, x).map));
            }
            if let (Kind::MaxPool(_) | Kind::ReluMaxPool(..), Some(window)) =
                (&layer.kind, &self.windows[index])
            {
                let ways = [Plan::activation, Plan::gradient].map(|part| {
                    let [x, y] = [x, y].map(|value| part(self, program, value));
                    let own = (x.range == y.range).then_some(x.map)?;
                    let pool = pool::InPlace::new(window, &own, &own)?;
                    let [each, of_caller] = pool.scratch_bytes(cx.threads().count());
                    Some(Scratch { each, of_caller })
                });
                return ways.into_iter().flatten().fold(Scratch::default(), Scratch::most);
            }
            if let Kind::Attention(attention) = layer.kind {
                let inputs = [x, layer.inputs[1], layer.inputs[2]].map(|input| self.shapes[input]);
                let [queries, keys, _] = inputs.map(|shape| shape.plane());
                let heads = heads(attention, inputs);
                let each = attention::scratch_bytes(&heads, queries, keys);
                // It has both at once: in that of another layer it may find room for the larger alone.
                let of_caller = attention::call_bytes(&heads, queries, keys).max(each);
                return Scratch { each, of_caller };
            }
            if let Kind::GroupNorm(_) = layer.kind {
                let of_caller = group_norm::call_bytes(&self.activation(program, x).map);
                return Scratch { each: 0, of_caller };
            }
            let ways = [(Direction::Forward, y), (Direction::Backward, x)];
            let way = |(direction, written): (Direction, ValueId)| {
                let algorithm = self.algorithm(program, index, direction);
                match (algorithm, &self.specs[index]) {
                    (Some(Algorithm::Winograd(tile)), Some(spec)) => {
                        spec.scratch(direction, tile, self.shapes[written], cx)
                    }
                    _ => Scratch::default(),
                }
            };
            ways.map(way).into_iter().fold(Scratch::default(), Scratch::most)
        };
        (0..program.layers.len()).map(layer).fold(Scratch::default(), Scratch::most)
    }
}
