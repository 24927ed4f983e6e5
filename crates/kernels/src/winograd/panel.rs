//! One panel of tiles: transformed in, multiplied, transformed out.

use std::cell::RefCell;

use super::{Winograd, transform};
use crate::conv::Output;
use crate::conv::tile::{self, Finish, Tile};
use crate::simd::{Simd, for_level};
use crate::{CpuLevel, Lane, Map, Write};

/// What all panels of one convolution share. Pointers are to values of the whole slices.
pub(super) struct Job<'a> {
    pub(super) conv: &'a Winograd,
    pub(super) level: CpuLevel,
    pub(super) xm: &'a Map,
    pub(super) x: *const f32,
    pub(super) ym: &'a Map,
    pub(super) y: *mut f32,
    pub(super) relu: *mut u16,
    pub(super) output: &'a Output<'a>,
    /// Tiles in a row of the output.
    pub(super) across: usize,
}

// SAFETY: panels read the input and write disjoint pixels of the output; see `Job::panel`.
unsafe impl Sync for Job<'_> {}

/// A thread's memory for one panel, kept from panel to panel.
#[derive(Default)]
struct Scratch {
    /// Transformed inputs, then products: `[plane][block][tile]`.
    lanes: Vec<Lane>,
    /// Each group's distances to its input blocks.
    taps: Vec<isize>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A panel in hand.
struct Panel<'a> {
    job: &'a Job<'a>,
    tiles: std::ops::Range<usize>,
    /// Transformed inputs.
    v: *mut f32,
    /// Products.
    m: *mut f32,
    /// Values between planes of each.
    v_plane: usize,
    m_plane: usize,
}

impl Job<'_> {
    /// Computes the output of `tiles`.
    ///
    /// # Safety
    /// The pointers are good for their maps, and no other thread writes these tiles' pixels.
    pub(super) unsafe fn panel(&self, tiles: std::ops::Range<usize>) {
        SCRATCH.with_borrow_mut(|scratch| {
            // An odd number of lanes between planes, or all planes of a tile would share a cache set.
            let odd = |blocks: usize| (blocks * tiles.len()) | 1;
            let (v_plane, m_plane) = (odd(self.xm.blocks), odd(self.ym.blocks));
            let planes = self.conv.planes();
            let lanes = planes * (v_plane + m_plane);
            if scratch.lanes.len() < lanes {
                scratch.lanes.resize(lanes, Lane::default());
            }
            let v: *mut f32 = scratch.lanes.as_mut_ptr().cast();
            // SAFETY: the scratch holds both parts; the rest is the caller's promise.
            unsafe {
                let (v_plane, m_plane) = (16 * v_plane, 16 * m_plane);
                let m = v.add(planes * v_plane);
                let panel = Panel { job: self, tiles, v, m, v_plane, m_plane };
                inputs(self.level, &panel);
                panel.products(&mut scratch.taps);
                outputs(self.level, &panel);
            }
        });
    }
}

impl Panel<'_> {
    /// The products of matrices, one for each plane.
    ///
    /// # Safety
    /// As [`Job::panel`], after [`inputs`].
    unsafe fn products(&self, taps: &mut Vec<isize>) {
        let (conv, level, width) = (self.job.conv, self.job.level, self.tiles.len());
        taps.clear();
        for group in &conv.groups {
            taps.extend(group.inputs.iter().map(|input| (16 * input * width) as isize));
        }
        for plane in 0..conv.planes() {
            let mut tap = 0;
            for group in &conv.groups {
                let inputs = group.inputs.len();
                let most = tile::most_pixels(level, group.blocks, 1);
                tile::split(width, most, |start, width_here| {
                    // SAFETY: taps, weights and scratch are as long as the groups say.
                    unsafe {
                        let weights = group.weights.as_ptr().cast::<f32>();
                        let tile = Tile {
                            x: self.v.add(plane * self.v_plane + 16 * start),
                            taps: taps.as_ptr().add(tap),
                            count: inputs,
                            live: conv.live,
                            weights: weights.add(plane * inputs * conv.live * 16 * group.blocks),
                            y: self
                                .m
                                .add(plane * self.m_plane + 16 * (group.first * width + start)),
                            y_block: 16 * width,
                            y_step: 16,
                            finish: Finish::PLAIN,
                        };
                        tile::tile_fn(level, group.blocks, width_here, 1)(&tile);
                    }
                });
                tap += inputs;
            }
        }
    }
}

for_level! {
    /// Transforms the inputs of all tiles and blocks.
    ///
    /// # Safety
    /// As [`Job::panel`].
    unsafe fn inputs(Panel<'_>) = input_tiles
}

for_level! {
    /// Transforms the products of all tiles and blocks into the output.
    ///
    /// # Safety
    /// As [`Job::panel`], after [`Panel::products`].
    unsafe fn outputs(Panel<'_>) = output_tiles
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
    for block in 0..map.blocks {
        for (place, tile) in panel.tiles.clone().enumerate() {
            let row = (tile / job.across * outputs) as isize + top;
            let column = (tile % job.across * outputs) as isize + left;
            // SAFETY: pixels outside the map's picture are not read; the scratch holds every plane.
            unsafe {
                let mut d = [[S::zero(); N]; N];
                let inside = row >= 0
                    && column >= 0
                    && row as usize + N <= map.height
                    && column as usize + N <= map.width;
                if inside {
                    let first = job.x.add(16 * map.at(block, row, column));
                    for i in 0..N {
                        for j in 0..N {
                            d[i][j] = S::load(first.add(16 * (i * map.pitch() + j)));
                        }
                    }
                } else {
                    for i in 0..N {
                        for j in 0..N {
                            let (y, x) = (row + i as isize, column + j as isize);
                            let rows = 0..map.height as isize;
                            if rows.contains(&y) && x >= 0 && x < map.width as isize {
                                d[i][j] = S::load(job.x.add(16 * map.at(block, y, x)));
                            }
                        }
                    }
                }
                for i in 0..N {
                    d[i] = transform::input::<S, N>(d[i]);
                }
                let to = panel.v.add(16 * (block * panel.tiles.len() + place));
                for j in 0..N {
                    let mut column = [S::zero(); N];
                    for i in 0..N {
                        column[i] = d[i][j];
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
unsafe fn output_tiles<S: Simd>(panel: &Panel<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match (panel.job.conv.size, panel.job.conv.outputs) {
            (6, 2) => output_tiles_of::<S, 6, 2>(panel),
            (6, 3) => output_tiles_of::<S, 6, 3>(panel),
            (6, 4) => output_tiles_of::<S, 6, 4>(panel),
            (6, _) => output_tiles_of::<S, 6, 5>(panel),
            (_, 4) => output_tiles_of::<S, 8, 4>(panel),
            (_, 5) => output_tiles_of::<S, 8, 5>(panel),
            (_, 6) => output_tiles_of::<S, 8, 6>(panel),
            _ => output_tiles_of::<S, 8, 7>(panel),
        }
    }
}

#[inline(always)]
unsafe fn output_tiles_of<S: Simd, const N: usize, const M: usize>(panel: &Panel<'_>) {
    let (job, map) = (panel.job, panel.job.ym);
    for group in &job.conv.groups {
        for o in 0..group.blocks {
            let block = group.first + o;
            let bias = if job.output.bias { group.bias[o] } else { Lane::default() };
            for (place, tile) in panel.tiles.clone().enumerate() {
                let (row, column) = (tile / job.across * M, tile % job.across * M);
                // SAFETY: only pixels of the map are written, all of this tile.
                unsafe {
                    let from = panel.m.add(16 * (block * panel.tiles.len() + place));
                    let mut rows = [[S::zero(); N]; M];
                    for j in 0..N {
                        let mut column = [S::zero(); N];
                        for i in 0..N {
                            column[i] = S::load(from.add((i * N + j) * panel.m_plane));
                        }
                        let column = transform::output::<S, N, M>(column);
                        for i in 0..M {
                            rows[i][j] = column[i];
                        }
                    }
                    let pixel = map.pixel(block, row, column);
                    let finish = Finish {
                        bias: std::ptr::null(),
                        add: job.output.write == Write::Add,
                        relu: if job.relu.is_null() { job.relu } else { job.relu.add(pixel) },
                        mask: match job.output.mask {
                            Some(mask) => mask.as_ptr().add(pixel),
                            None => std::ptr::null(),
                        },
                        mask_block: 0,
                        mask_step: 1,
                    };
                    let bias = S::load(bias.0.as_ptr());
                    for i in 0..M.min(map.height - row) {
                        let sums = transform::output::<S, N, M>(rows[i]);
                        let y = job.y.add(16 * map.at(block, (row + i) as isize, column as isize));
                        for j in 0..M.min(map.width - column) {
                            let sum = S::add(sums[j], bias);
                            finish.apply::<S>(sum, y.add(16 * j), 0, i * map.width + j);
                        }
                    }
                }
            }
        }
    }
}
