//! Convolutions of 2×2 to 5×5 by Winograd's algorithm: fewer products than their definition has.
//!
//! The output is cut into tiles of m × m pixels (m = N + 1 − kernel size). For a panel of tiles, the N × N
//! inputs of each are transformed, which turns the convolution into N² products of matrices (weights ×
//! tiles), each done by the direct kernel's tile with input blocks for taps; the products are
//! transformed back. The panel's scratch stays in the cache.

mod panel;
mod transform;

use crate::conv::tile;
use crate::conv::weights::{self, Footprint, Order, Packed};
use crate::conv::{Output, Phase};
use crate::map::clear_halo;
use crate::threads::part;
use crate::{Context, CpuLevel, MapRef, OutOfMemory, Vec16, WriteMode};
use panel::Job;

/// A convolution of stride 1 with a square kernel, its weights transformed.
pub struct Winograd {
    packed: Packed,
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

    /// Transforms the weights of `phase`. `size` is the [tile](Self::tile)'s.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// # Panics
    /// If the phase is no convolution of stride 1 with a square kernel that [fits](Self::fits), or there is
    /// no such tile.
    pub fn new(phase: &Phase<'_>, size: usize, cx: &Context) -> Result<Self, OutOfMemory> {
        let (kernel, origin) = phase.square().expect("a dense square of stride 1");
        assert!(Self::fits([kernel, kernel]) && [6, 8].contains(&size));
        let matrix = transform::weight_matrix(size, kernel);
        let transform = |g: &[Vec16], u: &mut [Vec16]| transform::weights(&matrix, g, u);
        let planes = (size * size, Order::PlanesOutside);
        Ok(Self {
            packed: weights::pack(phase, cx, planes, &transform)?,
            live: phase.live(),
            in_blocks: phase.in_blocks(),
            out_blocks: phase.out_blocks(),
            level: cx.level(),
            size,
            outputs: size + 1 - kernel,
            origin,
        })
    }

    /// Bytes that the weights of `phase` will take, transformed for tiles of `size`.
    pub fn bytes(phase: &Phase<'_>, size: usize, level: CpuLevel) -> u64 {
        let Footprint { vectors, lists, groups } = weights::footprint(phase, level);
        let planes = (size * size) as u64;
        planes.saturating_mul(64 * vectors).saturating_add(8 * lists + groups)
    }

    /// Bytes of memory that each thread works in, at the most, with tiles of `size` from `in_blocks` blocks
    /// of channels to a map of `output` pixels.
    pub fn scratch_bytes(
        kernel: usize,
        size: usize,
        in_blocks: usize,
        output: [usize; 2],
        level: CpuLevel,
    ) -> u64 {
        let tiles: usize = output.iter().map(|extent| extent.div_ceil(size + 1 - kernel)).product();
        let at_once = tile::max_pixels(level, tile::max_blocks(level).min(2), 1);
        let panel = MOST_TILES.max(at_once * PANEL_TILES.div_ceil(at_once));
        let blocks = in_blocks + tile::max_blocks(level);
        let plane = blocks * tiles.min(panel) + 2;
        (size * size * plane * size_of::<Vec16>()) as u64
    }

    /// Convolves `x` into `output`. Pixels outside `x` count as zero, whatever its halo.
    ///
    /// # Panics
    /// If the maps' blocks are not the weights', a mask is not the output's, or the weights were
    /// transformed for another level.
    pub fn run(&self, cx: &Context, x: MapRef<'_>, output: &Output<'_>) {
        let (xm, ym, y) = (x.map(), &output.y.map, output.y.data);
        let blocks = (self.in_blocks, self.out_blocks);
        assert_eq!((xm.blocks(), ym.blocks()), blocks, "the maps' blocks are not the weights'");
        assert_eq!(self.level, cx.level(), "the weights were transformed for another level");
        output.check();
        let across = ym.width().div_ceil(self.outputs);
        let tiles = ym.height().div_ceil(self.outputs) * across;
        let (panels, shares) = self.tasks(tiles, cx.threads().count());
        let job = Job { conv: self, xm, x: x.vectors().as_ptr().cast(), output, across };
        cx.threads().for_each(panels * shares, |task| {
            let panel = part(task / shares, panels, tiles);
            let groups = &self.packed.groups;
            let groups = &groups[part(task % shares, shares, groups.len())];
            // SAFETY: the slices were checked, and no two tasks write the same blocks' pixels.
            unsafe { job.panel(panel, groups) };
        });
        if output.mode == WriteMode::Overwrite {
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
    /// read the weights more often, more shares transform the inputs more often.
    fn tasks(&self, tiles: usize, threads: usize) -> (usize, usize) {
        let at_once = tile::max_pixels(self.level, tile::max_blocks(self.level).min(2), 1);
        let panels = tiles.div_ceil(at_once * PANEL_TILES.div_ceil(at_once));
        let few = if tiles <= MOST_TILES { panels.min(1) } else { panels };
        let groups = &self.packed.groups;
        let splits = [few, panels, panels.next_multiple_of(threads)].into_iter();
        let splits = splits
            .flat_map(|panels| (1..=threads.min(groups.len())).map(move |shares| (panels, shares)));
        let time = |&(panels, shares): &(usize, usize)| {
            let rounds = (panels * shares).div_ceil(threads);
            let shared = (0..shares).map(|share| &groups[part(share, shares, groups.len())]);
            let blocks =
                shared.map(|groups| groups.iter().map(|group| group.blocks).sum::<usize>());
            let (blocks, tiles) = (blocks.max().unwrap_or(0), tiles.div_ceil(panels.max(1)));
            rounds * (16 * blocks * (tiles + WEIGHT_TIME) + tiles * TRANSFORM_TIME)
        };
        splits.min_by_key(time).unwrap_or((1, 1))
    }
}

/// Tiles of a panel, or a few more: enough for the weights to be read seldom, few enough for its
/// transformed inputs and products to stay in the second-level cache.
const PANEL_TILES: usize = 12;

/// So few tiles may be one panel, whose weights are read only once: then each is read from afar.
const MOST_TILES: usize = 42;

/// What it takes to fetch a vector of weights, and to transform a vector of inputs, in units of the product
/// of a vector of weights and one tile.
const WEIGHT_TIME: usize = 8;
const TRANSFORM_TIME: usize = 9;
