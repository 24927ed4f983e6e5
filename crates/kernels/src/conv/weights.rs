//! Weights in the order in which the tiles read them.

use crate::conv::Phase;
use crate::conv::tile;
use crate::{Context, CpuLevel, Memory, Vec16};

/// Some blocks of output channels that are computed together.
pub(crate) struct Group {
    /// The first block.
    pub(crate) first: usize,
    /// How many blocks.
    pub(crate) blocks: usize,
    /// The blocks of input channels they read.
    pub(crate) inputs: Vec<usize>,
    /// The first of its weights in [`Packed::vectors`]: for each input block, tap and live channel, a vector
    /// for each output block.
    pub(crate) start: usize,
    /// A vector for each block.
    pub(crate) bias: Vec<Vec16>,
}

/// A convolution's weights in the order of the tiles.
pub(crate) struct Packed {
    pub(crate) groups: Vec<Group>,
    /// The weights of all groups, one after the other.
    pub(crate) vectors: Memory,
}

/// Divides `blocks` into groups of the sizes that the level's tiles like best: pairs, and one of three
/// where they are odd.
pub(crate) fn group_sizes(level: CpuLevel, blocks: usize) -> Vec<usize> {
    match (tile::max_blocks(level), blocks) {
        (1, _) | (_, 1) => vec![1; blocks],
        _ if blocks % 2 == 1 => {
            std::iter::once(3).chain(std::iter::repeat_n(2, (blocks - 3) / 2)).collect()
        }
        _ => vec![2; blocks / 2],
    }
}

/// How the planes of packed weights are ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A direct convolution reads one input block's taps one after the other.
    PlanesInside,
    /// Winograd's products read one plane of all input blocks after the other.
    PlanesOutside,
}

/// Packs the weights of `phase`, `transform`ing all taps from one input slot to one block of output
/// slots into the `planes` vectors that are stored.
pub(crate) fn pack(
    phase: &Phase<'_>,
    cx: &Context,
    (planes, order): (usize, Order),
    transform: &(dyn Fn(&[Vec16], &mut [Vec16]) + Sync),
) -> Packed {
    let (mut first, mut total) = (0, 0);
    let (taps, live) = (phase.taps.count(), phase.live());
    let mut groups: Vec<Group> = group_sizes(cx.level(), phase.out_blocks())
        .into_iter()
        .map(|blocks| {
            let outputs = first..first + blocks;
            let inputs: Vec<usize> = (0..phase.in_blocks())
                .filter(|&i| outputs.clone().any(|o| phase.connected(o, i)))
                .collect();
            let group = Group { first, blocks, inputs, start: total, bias: Vec::new() };
            (first, total) = (outputs.end, total + planes * group.inputs.len() * live * blocks);
            group
        })
        .collect();
    let mut vectors = Memory::new(total);
    let mut rest = &mut vectors[..];
    let mut parts: Vec<(&mut Group, &mut [Vec16])> = Vec::new();
    for group in &mut groups {
        let len = planes * group.inputs.len() * live * group.blocks;
        let (part, after) = rest.split_at_mut(len);
        parts.push((group, part));
        rest = after;
    }
    cx.threads().for_each_mut(&mut parts, |(group, vectors)| {
        let blocks = group.blocks;
        let (mut from, mut to) = (vec![Vec16::default(); taps], vec![Vec16::default(); planes]);
        let inputs = group.inputs.len();
        for (place, &input) in group.inputs.iter().enumerate() {
            for channel in 0..live {
                for block in 0..blocks {
                    from.fill(Vec16::default());
                    phase.weights(group.first + block, 16 * input + channel, &mut from);
                    transform(&from, &mut to);
                    for (p, &value) in to.iter().enumerate() {
                        let tap = match order {
                            Order::PlanesInside => place * planes + p,
                            Order::PlanesOutside => p * inputs + place,
                        };
                        vectors[(tap * live + channel) * blocks + block] = value;
                    }
                }
            }
        }
        group.bias = (0..blocks)
            .map(|b| Vec16(std::array::from_fn(|l| phase.bias(16 * (group.first + b) + l))))
            .collect();
    });
    Packed { groups, vectors }
}
