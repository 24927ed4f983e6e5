//! What each layer needs to run on the maps of one image size: its weights packed and placed, or the slots
//! it copies.

use std::collections::HashMap;
use std::sync::Arc;

use kernels::conv::{Direct, Placed};
use kernels::winograd::Winograd;
use kernels::{BlockedMap, MapMut, Vec16, WriteMode, pack};

use super::CpuExecutable;
use super::convolution::{Depthwise, Direction, Packed, by_slot, key};
use super::plan::Plan;
use super::program::{Kind, Layer, Program, ValueId};
use graph::{GraphError, GroupNorm, LayerNorm, Op, Shape, Taps};

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
    /// The slot that each slot that is written is copied from; several times, where some are to be added up.
    Copy {
        sources: Vec<Vec<usize>>,
    },
    /// The slot that each slot that is written is copied from, with the pixel of the rectangle.
    Shuffle {
        sources: Vec<usize>,
    },
    /// Pixels that come before others, block by block.
    Before {
        pixels: Vec<Vec16>,
    },
    /// What is added to each pixel, in a map without halo, and for each block a bit for each slot that holds a
    /// channel.
    Added {
        map: BlockedMap,
        vectors: Vec<Vec16>,
        live: Vec<u16>,
    },
    /// What each row and column that is written is the sum of, and what it is without any.
    Resample {
        taps: [Taps; 2],
        fill: Vec<Vec16>,
    },
}

impl Prepared {
    /// What `layer` needs in a direction; `None` if it needs nothing.
    ///
    /// # Errors
    /// If there is no memory for it, or its weights cannot be read.
    pub(super) fn new(
        executable: &CpuExecutable,
        plan: &Plan,
        layer: usize,
        direction: Direction,
    ) -> Result<Option<Self>, GraphError> {
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
                return Ok(Some(Prepared::Copy { sources: vec![sources] }));
            }
            Kind::Select(channels) => {
                let pairs = channels.iter().map(|&channel| slots(input)[channel]);
                let pairs = pairs.zip(slots(output).iter().copied());
                let sources = match direction {
                    Direction::Forward => copies(program.values[output].blocks(), pairs),
                    Direction::Backward => {
                        copies(program.values[input].blocks(), pairs.map(|(from, to)| (to, from)))
                    }
                };
                return Ok(Some(Prepared::Copy { sources }));
            }
            Kind::DepthToSpace(shuffle) | Kind::SpaceToDepth(shuffle) => {
                let to_space = matches!(program.layers[layer].kind, Kind::DepthToSpace(_));
                let (deep, wide) = if to_space { (input, output) } else { (output, input) };
                let spreads = to_space == (direction == Direction::Forward);
                let (channels, pixels) = (slots(wide).len(), shuffle.pixels());
                let blocks = |value: ValueId| 16 * program.values[value].blocks();
                let count = if spreads { pixels * blocks(wide) } else { blocks(deep) };
                let mut sources = vec![usize::MAX; count];
                for (channel, &shallow) in slots(wide).iter().enumerate() {
                    for pixel in 0..pixels {
                        let place = pixel * blocks(wide) + shallow;
                        let deep = slots(deep)[shuffle.deep_channel(channels, channel, pixel)];
                        let (to, from) = if spreads { (place, deep) } else { (deep, place) };
                        sources[to] = from;
                    }
                }
                return Ok(Some(Prepared::Shuffle { sources }));
            }
            Kind::Tokens(tokens) if direction == Direction::Forward => {
                let pixel = |before: &[f32]| by_slot(slots(output), before.iter().copied());
                let pixels: Vec<Vec<Vec16>> = match tokens.channels {
                    0 => Vec::new(),
                    channels => tokens.before.chunks(channels).map(pixel).collect(),
                };
                let blocks = 0..program.values[output].blocks();
                let pixels = blocks.flat_map(|block| pixels.iter().map(move |pixel| pixel[block]));
                return Ok(Some(Prepared::Before { pixels: pixels.collect() }));
            }
            Kind::PositionEmbedding(embedding) if direction == Direction::Forward => {
                let (shape, blocks) = (plan.shapes[output], program.values[output].blocks());
                let map = BlockedMap::new(blocks, shape.height, shape.width, 0);
                let map = map.expect("no larger than the value it is added to");
                let mut vectors = vec![Vec16::default(); map.vectors()];
                let values = embedding.values::<f32>(shape);
                let to = MapMut::new(map, &mut vectors);
                pack::from_planes(cx, &values, slots(output), to, WriteMode::Overwrite);
                return Ok(Some(Prepared::Added { map, vectors, live: live(slots(output)) }));
            }
            Kind::Resample(op) => {
                let (from, to) = (plan.shapes[input], plan.shapes[output]);
                let taps = op.taps(from, to).expect("the operation adds up rows and columns");
                let value = match op {
                    Op::Pad(pad) if direction == Direction::Forward => pad.fill(),
                    _ => 0.0,
                };
                let fill = by_slot(slots(output), slots(output).iter().map(|_| value));
                let taps = match direction {
                    Direction::Forward => taps,
                    Direction::Backward => {
                        [taps[0].transposed(from.height), taps[1].transposed(from.width)]
                    }
                };
                return Ok(Some(Prepared::Resample { taps, fill }));
            }
            _ => {}
        }
        let name = &program.layers[layer].name;
        let (Some(spec), Some(algorithm)) =
            (&plan.specs[layer], plan.algorithm(program, layer, direction))
        else {
            return Ok(None);
        };
        Ok(Some(match cache.get(cx, name, spec, key(layer, spec, direction, algorithm))? {
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

/// For each of the slots of `blocks` blocks, the slot it is copied from, by pairs of (from, to): as many lists
/// as the slot has pairs that has most.
fn copies(blocks: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut lists = vec![vec![usize::MAX; 16 * blocks]];
    let mut counts = vec![0; 16 * blocks];
    for (from, to) in pairs {
        if counts[to] == lists.len() {
            lists.push(vec![usize::MAX; 16 * blocks]);
        }
        lists[counts[to]][to] = from;
        counts[to] += 1;
    }
    lists
}

/// Bytes that a layer's lists and vectors take, both directions together, at the most.
pub(super) fn list_bytes(program: &Program, shapes: &[Shape], layer: usize) -> u64 {
    let Layer { kind, inputs, output, .. } = &program.layers[layer];
    let blocks = |value: ValueId| program.values[value].blocks() as u64;
    let (from, to) = (blocks(inputs[0]), blocks(*output));
    match kind {
        Kind::Affine(_) | Kind::LayerNorm(_) | Kind::GroupNorm(_) | Kind::PRelu(_) => {
            2 * (2 * 64 + 2) * to
        }
        Kind::Add | Kind::Binary(_) | Kind::Unary(_) => 2 * 2 * to,
        // Twice, for a moment: by pixel and by block.
        Kind::Tokens(tokens) => (2 * 64 * to).saturating_mul(tokens.count() as u64),
        Kind::PositionEmbedding(_) => {
            // The map, and for a moment the values and what they are made of.
            let Shape { height, width, .. } = shapes[*output];
            let map = BlockedMap::new(to as usize, height, width, 0);
            let vectors = map.map_or(u64::MAX, |map| map.vectors() as u64);
            vectors.saturating_mul(3 * 64).saturating_add(2 * to)
        }
        Kind::ChannelMean => 2 * 2 * from,
        Kind::Copy => 16 * 8 * (to + from),
        // Backward a list for each time that a channel comes again.
        Kind::Select(channels) => 16 * 8 * (to + from.saturating_mul(most_often(channels))),
        Kind::DepthToSpace(shuffle) | Kind::SpaceToDepth(shuffle) => {
            (from + to).saturating_mul(shuffle.pixels() as u64).saturating_mul(16 * 8)
        }
        Kind::Resample(_) => {
            let (input, output) = (shapes[inputs[0]], shapes[*output]);
            let extents = [input.height, input.width, output.height, output.width];
            let extents = extents.iter().fold(0u64, |sum, &n| sum.saturating_add(n as u64));
            // Up to four taps for each, in both directions, and room that lists grow into.
            extents.saturating_mul(4 * 2 * 2 * 16).saturating_add(2 * 64 * to)
        }
        _ => 0,
    }
}

/// How often the channel comes that comes most often.
fn most_often(channels: &[usize]) -> u64 {
    let mut counts = HashMap::new();
    channels.iter().for_each(|channel| *counts.entry(channel).or_insert(0) += 1);
    counts.into_values().max().unwrap_or(1)
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
