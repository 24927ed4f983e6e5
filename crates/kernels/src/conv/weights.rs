//! Weights in the order in which the tiles read them.

use crate::conv::tile;
use crate::{CpuLevel, Memory, Threads, Vec16};

/// A convolution's weights as a function, in terms of the slots of the blocked maps: what its input
/// and output maps hold in which slot, holes included, is the caller's knowledge.
pub trait Weights: Sync {
    /// Blocks of output channels.
    fn out_blocks(&self) -> usize;
    /// Blocks of input channels.
    fn in_blocks(&self) -> usize;
    /// How many of the input's slots are used if that is fewer than sixteen, else 16.
    fn live(&self) -> usize;
    /// The weights of all taps from input slot `i` to the sixteen slots of output block `block`, a vector
    /// for each tap; 0 where a slot holds nothing. `taps` comes filled with zeros.
    fn taps(&self, block: usize, i: usize, taps: &mut [Vec16]);
    /// The bias of output slot `o`.
    fn bias(&self, o: usize) -> f32;
    /// Whether any slot of output block `o` reads any of input block `i`: not so in grouped convolutions.
    fn connected(&self, o: usize, i: usize) -> bool;
}

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

/// Packs `weights` of `taps` taps, `transform`ing all taps from one input slot to one block of output
/// slots into the `planes` vectors that are stored.
pub(crate) fn pack(
    weights: &dyn Weights,
    taps: usize,
    level: CpuLevel,
    threads: &Threads,
    (planes, order): (usize, Order),
    transform: &(dyn Fn(&[Vec16], &mut [Vec16]) + Sync),
) -> Packed {
    let (mut first, mut total) = (0, 0);
    let live = weights.live();
    let mut groups: Vec<Group> = group_sizes(level, weights.out_blocks())
        .into_iter()
        .map(|blocks| {
            let outputs = first..first + blocks;
            let inputs: Vec<usize> = (0..weights.in_blocks())
                .filter(|&i| outputs.clone().any(|o| weights.connected(o, i)))
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
    threads.for_each_mut(&mut parts, |(group, vectors)| {
        let blocks = group.blocks;
        let (mut from, mut to) = (vec![Vec16::default(); taps], vec![Vec16::default(); planes]);
        let inputs = group.inputs.len();
        for (place, &input) in group.inputs.iter().enumerate() {
            for channel in 0..live {
                for block in 0..blocks {
                    from.fill(Vec16::default());
                    weights.taps(group.first + block, 16 * input + channel, &mut from);
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
            .map(|b| Vec16(std::array::from_fn(|l| weights.bias(16 * (group.first + b) + l))))
            .collect();
    });
    Packed { groups, vectors }
}
