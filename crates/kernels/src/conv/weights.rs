//! Weights in the order in which the tiles read them.

use crate::conv::Phase;
use crate::conv::tile;
use crate::{Context, CpuLevel, Memory, OutOfMemory, Vec16};

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
///
/// # Errors
/// If there is no memory for them.
pub(crate) fn pack(
    phase: &Phase<'_>,
    cx: &Context,
    (planes, order): (usize, Order),
    transform: &(dyn Fn(&[Vec16], &mut [Vec16]) + Sync),
) -> Result<Packed, OutOfMemory> {
    let (taps, live) = (phase.taps.count(), phase.live());
    let (mut groups, total) = groups(phase, cx.level(), planes);
    let mut vectors = Memory::try_new(total)?;
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
    Ok(Packed { groups, vectors })
}

/// The groups of output channels of `phase`, and how many vectors the weights of so many `planes` take.
fn groups(phase: &Phase<'_>, level: CpuLevel, planes: usize) -> (Vec<Group>, usize) {
    let (mut first, mut total) = (0, 0);
    let live = phase.live();
    let group = |blocks: usize| {
        let outputs = first..first + blocks;
        let inputs: Vec<usize> = (0..phase.in_blocks())
            .filter(|&i| outputs.clone().any(|o| phase.connected(o, i)))
            .collect();
        let group = Group { first, blocks, inputs, start: total, bias: Vec::new() };
        (first, total) = (outputs.end, total + planes * group.inputs.len() * live * blocks);
        group
    };
    let groups = group_sizes(level, phase.out_blocks()).into_iter().map(group).collect();
    (groups, total)
}

/// What packed weights are made of.
pub(crate) struct Footprint {
    /// Vectors for each plane.
    pub(crate) vectors: u64,
    /// Blocks of input channels that the groups read, together.
    pub(crate) lists: u64,
    /// Bytes of the groups themselves, without the lists.
    pub(crate) groups: u64,
}

/// What the packed weights of `phase` will take.
pub(crate) fn footprint(phase: &Phase<'_>, level: CpuLevel) -> Footprint {
    let (groups, vectors) = groups(phase, level, 1);
    let group = |group: &Group| (size_of::<Group>() + 128 + 64 * group.blocks) as u64;
    Footprint {
        vectors: vectors as u64,
        lists: groups.iter().map(|group| group.inputs.len() as u64).sum(),
        groups: groups.iter().map(group).sum(),
    }
}
