//! One panel of tiles: transformed in, multiplied, transformed out.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use super::inputs::Inputs;
use super::{Winograd, transform};
use crate::conv::Output;
use crate::conv::tile::{self, Epilogue, Tile};
use crate::conv::weights::Group;
use crate::scratch::Scratch;
use crate::simd::{Simd, for_level};
use crate::{BlockedMap, Vec16, WriteMode};

/// What all panels of one convolution share. Pointers are to values of the whole slices.
pub(super) struct Job<'a> {
    pub(super) conv: &'a Winograd,
    pub(super) xm: &'a BlockedMap,
    pub(super) x: *const f32,
    pub(super) output: &'a Output<'a>,
    /// Tiles in a row of the output.
    pub(super) across: usize,
}

// SAFETY: panels read the input and write disjoint pixels of the output; see `Job::panel`.
unsafe impl Sync for Job<'_> {}

thread_local! {
    /// A group's distances to its input blocks.
    static TAPS: RefCell<Vec<isize>> = RefCell::default();
}

/// A panel in hand.
pub(super) struct Panel<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) tiles: std::ops::Range<usize>,
    /// Transformed inputs of its first tile.
    pub(super) v: *mut f32,
    /// How many tiles' inputs lie there for each block.
    pub(super) width: usize,
    /// Products of one group.
    pub(super) m: *mut f32,
    /// Values between planes of each.
    pub(super) v_plane: usize,
    pub(super) m_plane: usize,
}

/// A panel's output channels in hand.
struct Part<'a> {
    panel: &'a Panel<'a>,
    group: &'a Group,
}

/// Vectors between the planes of so many, which is odd: or all planes would share a cache set.
pub(super) fn apart(vectors: usize) -> usize {
    vectors | 1
}

impl Job<'_> {
    /// Computes the output of `tiles` and `groups` of channels.
    ///
    /// # Safety
    /// The pointers are good for their maps, and no other thread writes these groups at these tiles.
    pub(super) unsafe fn panel(&self, tiles: std::ops::Range<usize>, groups: &[Group]) {
        let most = groups.iter().map(|group| group.blocks).max().unwrap_or(0);
        let [v_plane, m_plane] = [self.xm.blocks(), most].map(|blocks| apart(blocks * tiles.len()));
        let planes = self.conv.planes();
        let mut scratch = Scratch::new(planes * (v_plane + m_plane));
        let v: *mut f32 = scratch.as_mut_ptr().cast();
        // SAFETY: the scratch holds transformed inputs `[plane][block][tile]`, then the products of one group,
        // likewise; the rest is the caller's promise.
        unsafe {
            let (v_plane, m_plane) = (16 * v_plane, 16 * m_plane);
            let m = v.add(planes * v_plane);
            let width = tiles.len();
            let panel = Panel { job: self, tiles, v, width, m, v_plane, m_plane };
            inputs(self.conv.level, &panel);
            panel.finish_groups(groups);
        }
    }

    /// As [`Self::panel`], of tiles whose inputs are transformed.
    ///
    /// # Safety
    /// As [`Self::panel`].
    pub(super) unsafe fn panel_of(
        &self,
        inputs: &Inputs<'_>,
        tiles: std::ops::Range<usize>,
        groups: &[Group],
    ) {
        let most = groups.iter().map(|group| group.blocks).max().unwrap_or(0);
        let m_plane = apart(most * tiles.len());
        let mut scratch = Scratch::new(self.conv.planes() * m_plane);
        let m = scratch.as_mut_ptr().cast();
        // SAFETY: the scratch holds the products of one group; the rest is the caller's promise.
        unsafe { inputs.panel(tiles, m, 16 * m_plane).finish_groups(groups) }
    }
}

impl Panel<'_> {
    /// Computes the output of groups of channels, whose weights are kept transformed.
    ///
    /// # Safety
    /// As [`Job::panel`], after [`inputs`].
    unsafe fn finish_groups(&self, groups: &[Group]) {
        let conv = self.job.conv;
        for group in groups {
            // SAFETY: the weights are the group's; the rest is the caller's promise.
            unsafe {
                let weights = conv.packed.vectors.as_ptr().add(group.start);
                let plane = 16 * group.inputs.len() * conv.live * group.blocks;
                self.finish(group, weights.cast(), plane);
            }
        }
    }

    /// Computes the output of a group of channels from its transformed `weights`, which have `plane` values
    /// between planes.
    ///
    /// # Safety
    /// As [`Job::panel`], after [`inputs`]; the weights are the group's.
    pub(super) unsafe fn finish(&self, group: &Group, weights: *const f32, plane: usize) {
        let part = Part { panel: self, group };
        // SAFETY: the caller's promise.
        unsafe {
            TAPS.with_borrow_mut(|taps| part.products(taps, weights, plane));
            outputs(self.job.conv.level, &part);
        }
    }
}

impl Part<'_> {
    /// The products of matrices, one for each plane.
    ///
    /// # Safety
    /// As [`Panel::finish`].
    unsafe fn products(&self, taps: &mut Vec<isize>, weights: *const f32, weights_plane: usize) {
        let Self { panel, group } = *self;
        let (conv, width) = (panel.job.conv, panel.tiles.len());
        let level = conv.level;
        taps.clear();
        taps.extend(group.inputs.iter().map(|input| (16 * input * panel.width) as isize));
        let most = tile::max_pixels(level, group.blocks, 1);
        // The next plane's weights are fetched bit by bit, a share at each tap of each tile.
        let fetch = (16 * group.blocks).div_ceil(width.div_ceil(most).max(1));
        for plane in 0..conv.planes() {
            let weights = weights.wrapping_add(plane * weights_plane);
            let mut next = weights.wrapping_add(weights_plane);
            tile::split(width, most, |start, width_here| {
                // SAFETY: taps, weights and scratch are as long as the group says.
                unsafe {
                    let tile = Tile {
                        x: panel.v.add(plane * panel.v_plane + 16 * start),
                        taps: taps.as_ptr(),
                        ahead: panel.v_plane,
                        count: taps.len(),
                        live: conv.live,
                        weights,
                        fetch,
                        next,
                        y: panel.m.add(plane * panel.m_plane + 16 * start),
                        y_block: 16 * width,
                        y_step: 16,
                        epilogue: Epilogue::PLAIN,
                    };
                    tile::tile_fn(level, group.blocks, width_here, 1)(&tile);
                }
                next = next.wrapping_add(16 * fetch * taps.len());
            });
        }
    }
}

for_level! {
    /// Transforms the inputs of all tiles and blocks.
    ///
    /// # Safety
    /// As [`Job::panel`].
    pub(super) unsafe fn inputs(Panel<'_>) = input_tiles
}

for_level! {
    /// Transforms the products of a group into the output.
    ///
    /// # Safety
    /// As [`Job::panel`], after [`Part::products`].
    unsafe fn outputs(Part<'_>) = output_tiles
}

#[inline(always)]
unsafe fn input_tiles<S: Simd>(panel: &Panel<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match panel.job.conv.size {
            6 => input_tiles_of::<S, 6>(panel),
            _ => input_tiles_of::<S, 8>(panel),
        }
    }
}

#[inline(always)]
unsafe fn input_tiles_of<S: Simd, const N: usize>(panel: &Panel<'_>) {
    let (job, map) = (panel.job, panel.job.xm);
    let (outputs, [top, left]) = (job.conv.outputs, job.conv.origin);
    let zeros = Vec16::default();
    for block in 0..map.blocks() {
        for (place, tile) in panel.tiles.clone().enumerate() {
            let row = (tile / job.across * outputs) as isize + top;
            let column = (tile % job.across * outputs) as isize + left;
            let whole = column >= 0 && column as usize + N <= map.width();
            // SAFETY: pixels outside the map's picture are not read, all rows are written before any is
            // read, and the scratch holds every plane.
            unsafe {
                // The rows, transformed; a whole tile is more than registers hold.
                let mut rows = MaybeUninit::<[[S::V; N]; N]>::uninit();
                let rows = rows.as_mut_ptr().cast::<[S::V; N]>();
                for i in 0..N {
                    let y = row + i as isize;
                    if !(0..map.height() as isize).contains(&y) {
                        rows.add(i).write([S::zero(); N]);
                        continue;
                    }
                    let from = job.x.add(16 * map.at(block, y, 0)).wrapping_offset(16 * column);
                    let mut values = [S::zero(); N];
                    if whole {
                        for j in 0..N {
                            values[j] = S::load(from.add(16 * j));
                            S::prefetch(from.wrapping_add(16 * (j + N)));
                        }
                    } else {
                        for j in 0..N {
                            let inside = (0..map.width() as isize).contains(&(column + j as isize));
                            let from = from.wrapping_add(16 * j);
                            values[j] = S::load(if inside { from } else { zeros.0.as_ptr() });
                        }
                    }
                    rows.add(i).write(transform::input::<S, N>(values));
                }
                let to = panel.v.add(16 * (block * panel.width + place));
                for j in 0..N {
                    let mut column = [S::zero(); N];
                    for i in 0..N {
                        column[i] = (*rows.add(i))[j];
                    }
                    let column = transform::input::<S, N>(column);
                    for i in 0..N {
                        S::store(to.add((i * N + j) * panel.v_plane), column[i]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn output_tiles<S: Simd>(part: &Part<'_>) {
    let conv = part.panel.job.conv;
    // SAFETY: the caller's promise.
    unsafe {
        match (conv.size, conv.outputs) {
            (6, 2) => output_tiles_of::<S, 6, 2>(part),
            (6, 3) => output_tiles_of::<S, 6, 3>(part),
            (6, 4) => output_tiles_of::<S, 6, 4>(part),
            (6, _) => output_tiles_of::<S, 6, 5>(part),
            (_, 4) => output_tiles_of::<S, 8, 4>(part),
            (_, 5) => output_tiles_of::<S, 8, 5>(part),
            (_, 6) => output_tiles_of::<S, 8, 6>(part),
            _ => output_tiles_of::<S, 8, 7>(part),
        }
    }
}

#[inline(always)]
unsafe fn output_tiles_of<S: Simd, const N: usize, const M: usize>(part: &Part<'_>) {
    let Part { panel, group } = *part;
    let (job, map) = (panel.job, &panel.job.output.y.map);
    let values: *mut f32 = job.output.y.data.cast();
    for o in 0..group.blocks {
        let block = group.first + o;
        let bias = if job.output.bias { group.bias[o] } else { Vec16::default() };
        for (place, tile) in panel.tiles.clone().enumerate() {
            let (row, column) = (tile / job.across * M, tile % job.across * M);
            // SAFETY: only pixels of the map are written, all of this tile; all of `rows` is written
            // before any of it is read.
            unsafe {
                let from = panel.m.add(16 * (o * panel.tiles.len() + place));
                let mut rows = MaybeUninit::<[[S::V; N]; M]>::uninit();
                let rows = rows.as_mut_ptr().cast::<[S::V; N]>();
                for j in 0..N {
                    let mut column = [S::zero(); N];
                    for i in 0..N {
                        column[i] = S::load(from.add((i * N + j) * panel.m_plane));
                    }
                    let column = transform::output::<S, N, M>(column);
                    for i in 0..M {
                        (&raw mut (*rows.add(i))[j]).write(column[i]);
                    }
                }
                let pixel = map.pixel(block, row, column);
                let epilogue = Epilogue {
                    bias: std::ptr::null(),
                    add: job.output.mode == WriteMode::Accumulate,
                    relu_mask: match job.output.relu_mask {
                        Some(mask) => mask.data.add(pixel),
                        None => std::ptr::null_mut(),
                    },
                    relu_most: job.output.relu_mask.map_or(f32::INFINITY, |mask| mask.most),
                    mask: match job.output.mask {
                        Some(mask) => mask.as_ptr().add(pixel),
                        None => std::ptr::null(),
                    },
                    mask_block: 0,
                    mask_step: 1,
                };
                let bias = S::load(bias.0.as_ptr());
                let whole = column + M <= map.width();
                for i in 0..M.min(map.height() - row) {
                    let sums = transform::output::<S, N, M>(*rows.add(i));
                    let y = values.add(16 * map.at(block, (row + i) as isize, column as isize));
                    for j in 0..M {
                        S::prefetch(y.wrapping_add(16 * (M + j)));
                    }
                    if whole {
                        for j in 0..M {
                            let sum = S::add(sums[j], bias);
                            epilogue.apply::<S>(sum, y.add(16 * j), 0, i * map.width() + j);
                        }
                    } else {
                        for j in 0..map.width() - column {
                            let sum = S::add(sums[j], bias);
                            epilogue.apply::<S>(sum, y.add(16 * j), 0, i * map.width() + j);
                        }
                    }
                }
            }
        }
    }
}
