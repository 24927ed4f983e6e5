//! What each layer needs to run on the maps of one image size: its weights packed and placed, or the slots
//! it copies.

use std::sync::Arc;

use kernels::conv::{Direct, Placed};
use kernels::winograd::Winograd;
use kernels::{OutOfMemory, Vec16};

use graph::{GroupNorm, LayerNorm};

use super::CpuExecutable;
use super::convolution::{Depthwise, Direction, Packed, by_slot, key};
use super::plan::Plan;
use super::program::Kind;

/// What a layer needs to run on the plan's maps.
pub(super) enum Prepared {
    /// A convolution for each phase of a stride.
    Direct(Vec<Placed>),
    Winograd(Arc<Winograd>),
    Depthwise(Arc<Depthwise>),
    /// A vector for each block.
    Affine {
        scale: Vec<Vec16>,
        shift: Vec<Vec16>,
    },
    /// Vectors as for an affine layer, and for each block a bit for each slot that holds a channel.
    Norm {
        scale: Vec<Vec16>,
        shift: Vec<Vec16>,
        live: Vec<u16>,
    },
    /// The slopes below 0, and for each block a bit for each slot that holds a channel.
    PRelu {
        slope: Vec<Vec16>,
        live: Vec<u16>,
    },
    /// For each block of the larger map a bit for each slot that holds a channel.
    Live {
        live: Vec<u16>,
    },
    /// The slot that each slot that is written is copied from.
    Copy {
        sources: Vec<usize>,
    },
}

impl Prepared {
    /// What `layer` needs in a direction; `None` if it needs nothing.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn new(
        executable: &CpuExecutable,
        plan: &Plan,
        layer: usize,
        direction: Direction,
    ) -> Result<Option<Self>, OutOfMemory> {
        let CpuExecutable { program, cx, cache, .. } = executable;
        let (input, output) = (program.layers[layer].inputs[0], program.layers[layer].output);
        let slots = |value: usize| &program.values[value].slots;
        match &program.layers[layer].kind {
            Kind::Affine(affine) => {
                let by_slot = |values: &[f32]| by_slot(slots(output), values.iter().copied());
                let (scale, shift) = (by_slot(&affine.scale), by_slot(&affine.shift));
                return Ok(Some(Prepared::Affine { scale, shift }));
            }
            Kind::LayerNorm(LayerNorm { scale, shift, .. })
            | Kind::GroupNorm(GroupNorm { scale, shift, .. }) => {
                let by_slot = |values: &[f32]| by_slot(slots(output), values.iter().copied());
                let (scale, shift) = (by_slot(scale), by_slot(shift));
                return Ok(Some(Prepared::Norm { scale, shift, live: live(slots(output)) }));
            }
            Kind::PRelu(prelu) => {
                let slope = by_slot(slots(output), prelu.slope.iter().copied());
                return Ok(Some(Prepared::PRelu { slope, live: live(slots(output)) }));
            }
            Kind::Unary(_) | Kind::Add | Kind::Binary(_) => {
                return Ok(Some(Prepared::Live { live: live(slots(output)) }));
            }
            Kind::ChannelMean => {
                return Ok(Some(Prepared::Live { live: live(slots(input)) }));
            }
            Kind::Copy => {
                let (from, to) = match direction {
                    Direction::Forward => (input, output),
                    Direction::Backward => (output, input),
                };
                let mut sources = vec![usize::MAX; 16 * program.values[to].blocks()];
                for (&from, &to) in slots(from).iter().zip(&slots(to)[..]) {
                    sources[to] = from;
                }
                return Ok(Some(Prepared::Copy { sources }));
            }
            _ => {}
        }
        let (Some(spec), Some(algorithm)) =
            (&plan.specs[layer], plan.algorithm(program, cx.level(), layer, direction))
        else {
            return Ok(None);
        };
        Ok(Some(match cache.get(cx, spec, key(layer, spec, direction, algorithm))? {
            Packed::Winograd(conv) => Prepared::Winograd(conv),
            Packed::Depthwise(conv) => Prepared::Depthwise(conv),
            Packed::Direct(convs) => {
                let (x, y) = match direction {
                    Direction::Forward => {
                        (plan.activation(program, input).map, plan.activation(program, output).map)
                    }
                    Direction::Backward => {
                        (plan.gradient(program, output).map, plan.gradient(program, input).map)
                    }
                };
                let place = |(index, conv): (usize, &Arc<Direct>)| {
                    Placed::new(Arc::clone(conv), x, y, index == 0)
                };
                Prepared::Direct(convs.iter().enumerate().map(place).collect())
            }
        }))
    }
}

/// The phases of a layer's direct convolution, if it is one.
pub(super) fn direct(prepared: &[Option<Prepared>], layer: usize) -> Option<&[Placed]> {
    match &prepared[layer] {
        Some(Prepared::Direct(phases)) => Some(phases),
        _ => None,
    }
}

/// For each block a bit for each slot that holds one of the channels at `slots`.
fn live(slots: &[usize]) -> Vec<u16> {
    let mut live = vec![0; slots.last().map_or(0, |last| last / 16 + 1)];
    slots.iter().for_each(|slot| live[slot / 16] |= 1 << (slot % 16));
    live
}
