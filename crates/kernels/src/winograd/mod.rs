//! Convolutions of 2×2 to 5×5 by Winograd's algorithm: fewer products than their definition has.
//!
//! The output is cut into tiles of m × m pixels (m = N + 1 − kernel size). For a panel of tiles, the N × N
//! inputs of each are transformed, which turns the convolution into N² products of matrices (weights ×
//! tiles), each done by the direct kernel's tile with input blocks for taps; the products are
//! transformed back. The panel's scratch stays in the cache.

mod inputs;
mod panel;
mod plain;
mod transform;

use std::ops::Range;

use crate::conv::tile;
use crate::conv::weights::{self, Footprint, Order, Packed};
use crate::conv::{Output, Phase};
use crate::map::clear_halo;
use crate::scratch::Scratch;
use crate::threads::{even_tasks, part};
use crate::{Context, CpuLevel, MapRef, OutOfMemory, Vec16, WriteMode};
use inputs::{Inputs, inputs_len};
use panel::Job;

/// How the weights of a convolution are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Transformed once for all.
    Transformed,
    /// As they are, to be transformed each time.
    Plain,
}

/// A convolution of stride 1 with a square kernel.
pub struct Winograd {
    /// The weights in the order in which they are read, transformed or not.
    packed: Packed,
    keep: Keep,
    /// What weights are transformed by.
    matrix: Vec<Vec<f64>>,
    live: usize,
    in_blocks: usize,
    out_blocks: usize,
    level: CpuLevel,
    /// Inputs of a tile along each axis.
    size: usize,
    /// Outputs of a tile along each axis.
    outputs: usize,
    /// The first tap's offset in the input, in pixels.
    origin: [isize; 2],
}

impl Winograd {
    /// Whether kernels of this size can be done.
    pub fn fits(kernel: [usize; 2]) -> bool {
        kernel[0] == kernel[1] && (2..=5).contains(&kernel[0])
    }

    /// The tile that needs the fewest products for a map of `output` pixels: inputs along each axis.
    pub fn tile(kernel: usize, output: [usize; 2]) -> usize {
        let products = |size: usize| {
            let tiles = output.map(|extent| extent.div_ceil(size + 1 - kernel));
            tiles[0] * tiles[1] * size * size
        };
        if products(8) < products(6) { 8 } else { 6 }
    }

    /// How the weights of `phase` are kept best with tiles of `size`: only a few are worth the memory.
    pub fn keep(phase: &Phase<'_>, size: usize, level: CpuLevel) -> Keep {
        let transformed = Self::bytes(phase, size, Keep::Transformed, level);
        if transformed <= MOST_KEPT { Keep::Transformed } else { Keep::Plain }
    }

    /// Puts the weights of `phase` in order. `size` is the [tile](Self::tile)'s.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// # Panics
    /// If the phase is no convolution of stride 1 with a square kernel that [fits](Self::fits), or there is
    /// no such tile.
    pub fn new(
        phase: &Phase<'_>,
        size: usize,
        keep: Keep,
        cx: &Context,
    ) -> Result<Self, OutOfMemory> {
        let (kernel, origin) = phase.square().expect("a dense square of stride 1");
        assert!(Self::fits([kernel, kernel]) && [6, 8].contains(&size));
        let matrix = transform::weight_matrix(size, kernel);
        let packed = match keep {
            Keep::Transformed => {
                let transform = |g: &[Vec16], u: &mut [Vec16]| transform::weights(&matrix, g, u);
                weights::pack(phase, cx, (size * size, Order::PlanesOutside), &transform)
            }
            Keep::Plain => {
                let same = |g: &[Vec16], u: &mut [Vec16]| u.copy_from_slice(g);
                weights::pack(phase, cx, (kernel * kernel, Order::PlanesInside), &same)
            }
        };
        Ok(Self {
            packed: packed?,
            keep,
            matrix,
            live: phase.live(),
            in_blocks: phase.in_blocks(),
            out_blocks: phase.out_blocks(),
            level: cx.level(),
            size,
            outputs: size + 1 - kernel,
            origin,
        })
    }

    /// Bytes that the weights of `phase` will take, for tiles of `size`.
    pub fn bytes(phase: &Phase<'_>, size: usize, keep: Keep, level: CpuLevel) -> u64 {
        let Footprint { vectors, lists, groups } = weights::footprint(phase, level);
        let planes = match keep {
            Keep::Transformed => size * size,
            Keep::Plain => phase.taps.count(),
        } as u64;
        planes.saturating_mul(64 * vectors).saturating_add(8 * lists + groups)
    }

    /// Bytes of memory that each thread works in, at the most, with tiles of `size` for the convolution of
    /// `phase` to a map of `output` pixels; and what the thread that calls takes beside that.
    pub fn scratch_bytes(
        phase: &Phase<'_>,
        size: usize,
        output: [usize; 2],
        cx: &Context,
    ) -> [u64; 2] {
        let (level, threads) = (cx.level(), cx.threads().count());
        let kernel = phase.taps.count().isqrt();
        let tiles: usize = output.iter().map(|extent| extent.div_ceil(size + 1 - kernel)).product();
        let (planes, in_blocks) = (size * size, phase.in_blocks());
        let (most, blocks) = (panel_tiles(level), tile::max_blocks(level));
        let bytes = |plane: usize| (planes * plane * size_of::<Vec16>()) as u64;
        match Self::keep(phase, size, level) {
            Keep::Transformed => {
                let panel = tiles.min(MOST_TILES.max(most));
                let shared = threads > 1 && shares_inputs(tiles, threads, level);
                let of_caller = if shared { bytes(panel::apart(in_blocks * tiles)) } else { 0 };
                [bytes((in_blocks + blocks) * panel + 2), of_caller]
            }
            Keep::Plain => {
                let weights = panel::apart(in_blocks * phase.live() * blocks);
                let at_once = plain::tiles_at_once(planes, in_blocks, tiles);
                let group = bytes(weights + panel::apart(blocks * tiles.min(most)));
                // It has both at once: in that of another layer it may find room for the larger alone.
                [group, bytes(panel::apart(in_blocks * at_once)).max(group)]
            }
        }
    }

    /// Convolves `x` into `output`. Pixels outside `x` count as zero, whatever its halo.
    ///
    /// # Panics
    /// If the maps' blocks are not the weights', a mask is not the output's, or the weights were
    /// transformed for another level.
    pub fn run(&self, cx: &Context, x: MapRef<'_>, output: &Output<'_>) {
        let height = output.y.map.height();
        self.run_rows(cx, x, output, 0..height.div_ceil(self.outputs));
    }

    /// Rows of the output in a row of tiles.
    pub fn rows(&self) -> usize {
        self.outputs
    }

    /// How many more rows of the input are read for a row of tiles than it has.
    pub fn rows_besides(&self) -> usize {
        self.size - self.outputs
    }

    /// How many rows of an input of `height` rows are read for the rows of tiles before `row`.
    pub fn rows_read(&self, row: usize, height: usize) -> usize {
        let end =
            (row * self.outputs) as isize + self.origin[0] + (self.size - self.outputs) as isize;
        height.min(end.max(0) as usize)
    }

    /// As [`Self::run`], of some `rows` of tiles alone.
    ///
    /// # Panics
    /// As [`Self::run`], if there are no such rows, or if weights are kept [plain](Keep::Plain) and not all rows are
    /// wanted.
    pub fn run_rows(&self, cx: &Context, x: MapRef<'_>, output: &Output<'_>, rows: Range<usize>) {
        let (xm, ym, y) = (x.map(), &output.y.map, output.y.data);
        let blocks = (self.in_blocks, self.out_blocks);
        assert_eq!((xm.blocks(), ym.blocks()), blocks, "the maps' blocks are not the weights'");
        assert_eq!(self.level, cx.level(), "the weights were transformed for another level");
        output.check();
        let across = ym.width().div_ceil(self.outputs);
        let all = ym.height().div_ceil(self.outputs);
        assert!(rows.end <= all, "there are no such tiles");
        let tiles = rows.len() * across;
        let job = Job { conv: self, xm, x: x.vectors().as_ptr().cast(), output, across };
        match self.keep {
            Keep::Plain => {
                assert_eq!(rows, 0..all, "plain weights are transformed for all tiles");
                job.run_plain(cx, tiles);
            }
            Keep::Transformed => {
                let (panels, shares) = self.tasks(tiles, cx.threads().count());
                let first = rows.start * across;
                let room = inputs_len(self.planes(), self.in_blocks, tiles);
                let mut scratch = (shares > 1).then(|| Scratch::new(room));
                let transform = |scratch| Inputs::new(&job, cx, first..first + tiles, scratch);
                let inputs = scratch.as_mut().map(transform);
                cx.threads().for_each(panels * shares, |task| {
                    let panel = part(task / shares, panels, tiles);
                    let panel = first + panel.start..first + panel.end;
                    let groups = &self.packed.groups;
                    let groups = &groups[part(task % shares, shares, groups.len())];
                    // SAFETY: the slices were checked, and no two tasks write the same blocks' pixels.
                    unsafe {
                        match &inputs {
                            Some(inputs) => job.panel_of(inputs, panel, groups),
                            None => job.panel(panel, groups),
                        }
                    }
                });
            }
        }
        if output.mode == WriteMode::Overwrite && rows.end == all {
            for block in 0..ym.blocks() {
                // SAFETY: the halo belongs to the output, and all tasks are done.
                unsafe { clear_halo(ym, y.add(block * ym.block()), 0..ym.height()) };
            }
        }
    }

    /// Products of a tile for each pair of channels: one for each plane of weights.
    fn planes(&self) -> usize {
        self.size * self.size
    }

    /// Into how many panels `tiles` are divided, and into how many shares the groups of output channels,
    /// each share of each panel being a task: what should take the threads the least time. More panels
    /// read the weights more often; where there are several shares, inputs are transformed in a step of their own,
    /// and there are as many as let the threads end together.
    fn tasks(&self, tiles: usize, threads: usize) -> (usize, usize) {
        let panels = tiles.div_ceil(panel_tiles(self.level));
        let few = if tiles <= MOST_TILES { panels.min(1) } else { panels };
        let groups = &self.packed.groups;
        let splits = [few, panels, panels.next_multiple_of(threads)].into_iter();
        let most = if shares_inputs(tiles, threads, self.level) { threads } else { 1 };
        let splits = splits
            .flat_map(|panels| (1..=most.min(groups.len())).map(move |shares| (panels, shares)));
        let time = |&(panels, shares): &(usize, usize)| {
            let rounds = (panels * shares).div_ceil(threads);
            let shared = (0..shares).map(|share| &groups[part(share, shares, groups.len())]);
            let blocks =
                shared.map(|groups| groups.iter().map(|group| group.blocks).sum::<usize>());
            let (blocks, own) = (blocks.max().unwrap_or(0), tiles.div_ceil(panels.max(1)));
            let transform = match shares {
                1 => rounds * own * TRANSFORM_TIME,
                _ => tiles.div_ceil(threads) * TRANSFORM_TIME,
            };
            rounds * 16 * blocks * (own + WEIGHT_TIME) + transform
        };
        let (panels, shares) = splits.min_by_key(time).unwrap_or((1, 1));
        if shares == 1 {
            return (panels, 1);
        }
        (panels, even_tasks(threads).div_ceil(panels).min(groups.len()))
    }
}

/// Whether tasks may share the transformed inputs of so many tiles: only where panels alone are too few for the threads.
fn shares_inputs(tiles: usize, threads: usize, level: CpuLevel) -> bool {
    tiles <= threads.saturating_mul(panel_tiles(level).max(MOST_TILES))
}

/// How many tiles a panel has, if there are enough.
fn panel_tiles(level: CpuLevel) -> usize {
    let at_once = tile::max_pixels(level, tile::max_blocks(level).min(2), 1);
    at_once * PANEL_TILES.div_ceil(at_once)
}

/// The most bytes of transformed weights that are kept. They are up to seven times as many as those of the file, in
/// each direction: of a layer with more, they would be most of what a network takes.
const MOST_KEPT: u64 = 12 << 20;

/// Tiles of a panel, or a few more: enough for the weights to be read seldom, few enough for the larger part of
/// its transformed inputs and products to stay in the second-level cache.
const PANEL_TILES: usize = 24;

/// So few tiles may be one panel, whose weights are read only once: then each is read from afar.
const MOST_TILES: usize = 42;

/// What it takes to fetch a vector of weights, and to transform a vector of inputs, in units of the product
/// of a vector of weights and one tile.
const WEIGHT_TIME: usize = 8;
const TRANSFORM_TIME: usize = 9;
