//! Convolutions whose weights are too many to be kept transformed: each group's are transformed when it is its turn,
//! for as many tiles as can be had at once. The inputs of all these are transformed first, once for all groups.

use std::ops::Range;

use super::inputs::{Inputs, inputs_len};
use super::panel::{Job, apart};
use super::{Winograd, panel_tiles, transform};
use crate::conv::weights::Group;
use crate::scratch::Scratch;
use crate::simd::{Simd, for_level};
use crate::threads::part;
use crate::{Context, Vec16};

/// Vectors of transformed inputs at once, about: few enough for the last-level cache to hold a part of them.
const MOST_INPUTS: usize = 1 << 18;

/// How many tiles' inputs are transformed at once, of `planes` vectors for each of `in_blocks`.
pub(super) fn tiles_at_once(planes: usize, in_blocks: usize, tiles: usize) -> usize {
    let most = (MOST_INPUTS / (planes * in_blocks).max(1)).max(1);
    tiles.div_ceil(tiles.div_ceil(most).max(1))
}

impl Job<'_> {
    /// Computes the output of all tiles, with weights that are not transformed.
    pub(super) fn run_plain(&self, cx: &Context, tiles: usize) {
        let (planes, blocks, threads) =
            (self.conv.planes(), self.xm.blocks(), cx.threads().count());
        let at_once = tiles_at_once(planes, blocks, tiles);
        let chunks = tiles.div_ceil(at_once.max(1));
        let mut scratch = Scratch::new(inputs_len(planes, blocks, at_once));
        for chunk in (0..chunks).map(|chunk| part(chunk, chunks, tiles)) {
            let inputs = Inputs::new(self, cx, chunk.clone(), &mut scratch);
            let groups = &self.conv.packed.groups;
            let shares = threads.div_ceil(groups.len().max(1)).min(chunk.len()).max(1);
            cx.threads().for_each(groups.len() * shares, |task| {
                let own = part(task % shares, shares, chunk.len());
                let own = chunk.start + own.start..chunk.start + own.end;
                self.group(&groups[task / shares], own, &inputs);
            });
        }
    }

    /// Computes the output of a group of channels at some tiles.
    fn group(&self, group: &Group, tiles: Range<usize>, inputs: &Inputs<'_>) {
        let (planes, most) = (self.conv.planes(), panel_tiles(self.conv.level));
        let panels = tiles.len().div_ceil(most);
        let u_plane = apart(group.inputs.len() * self.conv.live * group.blocks);
        let m_plane = apart(group.blocks * tiles.len().div_ceil(panels.max(1)));
        let mut scratch = Scratch::new(planes * (u_plane + m_plane));
        let to = scratch.as_mut_ptr();
        // SAFETY: the scratch holds both parts; no other task has this group at these tiles.
        unsafe {
            let (u, m) = (to.cast::<f32>(), to.add(planes * u_plane).cast());
            weights(self.conv.level, &Transformed { conv: self.conv, group, to, u_plane });
            for own in (0..panels).map(|index| part(index, panels, tiles.len())) {
                let own = tiles.start + own.start..tiles.start + own.end;
                inputs.panel(own, m, 16 * m_plane).finish(group, u, 16 * u_plane);
            }
        }
    }
}

/// A group's weights to be transformed.
struct Transformed<'a> {
    conv: &'a Winograd,
    group: &'a Group,
    to: *mut Vec16,
    /// Vectors between planes.
    u_plane: usize,
}

for_level! {
    /// Transforms a group's weights, plane by plane in the order in which products read them.
    ///
    /// # Safety
    /// There is room for all planes.
    unsafe fn weights(Transformed<'_>) = group_weights
}

#[inline(always)]
unsafe fn group_weights<S: Simd>(of: &Transformed<'_>) {
    let Transformed { conv, group, to, u_plane } = *of;
    let (taps, live, blocks) = (conv.matrix[0].len().pow(2), conv.live, group.blocks);
    let from = &conv.packed.vectors[group.start..];
    let (mut g, mut u) = ([Vec16::default(); 25], [Vec16::default(); 64]);
    for place in 0..group.inputs.len() {
        for lane in 0..live * blocks {
            for (tap, g) in g[..taps].iter_mut().enumerate() {
                *g = from[(place * taps + tap) * live * blocks + lane];
            }
            let u = &mut u[..conv.planes()];
            transform::weights(&conv.matrix, &g[..taps], u);
            for (plane, &value) in u.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { to.add(plane * u_plane + place * live * blocks + lane).write(value) };
            }
        }
    }
}
