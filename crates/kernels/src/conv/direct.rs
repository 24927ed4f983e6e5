//! Convolution as its definition has it, and with it every stride, dilation and direction.
//!
//! A [`Direct`] convolution sums, for each position (r, c) of its grid and each tap (dr, dc), input
//! pixel `(r·in_step + dr, c·in_step + dc)` times the tap's weights into output pixel
//! `(r·out_step + origin)`. Forward, the taps are the window; backward through stride s, each of the s²
//! phases of the input is such a convolution of the output's gradient, with `out_step` s.

use std::ops::Range;
use std::sync::Arc;

use crate::conv::taps::Taps;
use crate::conv::tile::{self, Epilogue, Tile};
use crate::conv::weights::{self, Group, Order, Packed};
use crate::conv::{Output, Phase};
use crate::map::clear_halo;
use crate::threads::{even_tasks, part};
use crate::{BlockedMap, Context, CpuLevel, MapRef, OutOfMemory, Vec16, WriteMode};

/// A convolution's weights packed for the tiles of one CPU level, for maps of any size.
pub struct Direct {
    taps: Taps,
    packed: Packed,
    level: CpuLevel,
    live: usize,
    in_blocks: usize,
    out_blocks: usize,
}

impl Direct {
    /// Packs the weights of `phase` for the level's tiles.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn new(phase: &Phase<'_>, cx: &Context) -> Result<Self, OutOfMemory> {
        let taps = phase.taps.clone();
        let copy = |from: &[Vec16], to: &mut [Vec16]| to.copy_from_slice(from);
        let planes = (taps.count(), Order::PlanesInside);
        Ok(Self {
            packed: weights::pack(phase, cx, planes, &copy)?,
            taps,
            level: cx.level(),
            live: phase.live(),
            in_blocks: phase.in_blocks(),
            out_blocks: phase.out_blocks(),
        })
    }
}

/// A [`Direct`] convolution with its taps' places worked out for maps of one size.
pub struct Placed {
    conv: Arc<Direct>,
    x: BlockedMap,
    y: BlockedMap,
    positions: [usize; 2],
    /// For each group, each tap's distance from the position's pixel, in values.
    offsets: Vec<Vec<isize>>,
    /// Whether this convolution is the one to clear the output's halo.
    clears_halo: bool,
}

impl Placed {
    /// Places `conv` on maps `x` and `y`. One of the phases that together make up an output
    /// `clears_halo`: the first, which has the most positions.
    ///
    /// # Panics
    /// If the maps' blocks are not the weights', or the taps reach beyond the halo.
    pub fn new(conv: Arc<Direct>, x: BlockedMap, y: BlockedMap, clears_halo: bool) -> Self {
        let blocks = (conv.in_blocks, conv.out_blocks);
        assert_eq!((x.blocks(), y.blocks()), blocks, "the maps' blocks are not the weights'");
        let [written, read] = [&y, &x].map(|map| [map.height(), map.width()]);
        assert!(conv.taps.reach(read, written) <= x.halo(), "the halo is too small");
        let offset = |block: usize, [row, column]: [isize; 2]| {
            16 * ((block * x.block()) as isize + row * x.pitch() as isize + column)
        };
        let place = |group: &Group| {
            let taps = &conv.taps.offsets;
            group.inputs.iter().flat_map(|&i| taps.iter().map(move |&tap| offset(i, tap))).collect()
        };
        let offsets = conv.packed.groups.iter().map(place).collect();
        Self { positions: conv.taps.positions(written), x, y, offsets, clears_halo, conv }
    }
}

/// One convolution of a [`run`].
pub struct Call<'a> {
    placed: &'a Placed,
    x: &'a [Vec16],
    output: Output<'a>,
}

impl<'a> Call<'a> {
    /// Convolves `x` into `output`.
    ///
    /// # Panics
    /// If the maps are not those that the convolution was placed on, or a mask is not the output's.
    pub fn new(placed: &'a Placed, x: MapRef<'a>, output: Output<'a>) -> Self {
        let maps = (x.map(), &output.y.map);
        assert_eq!(maps, (&placed.x, &placed.y), "the convolution was placed on other maps");
        output.check();
        Self { placed, x: x.vectors(), output }
    }
}

/// Runs convolutions side by side, strip of rows by strip of rows, so that calls that read the same
/// input find it in the cache, and calls that add to the same output do so in their order.
///
/// # Panics
/// If weights were packed for another level, or two calls that share an output or a mask are neither
/// phases of one stride nor of the same positions.
pub fn run(cx: &Context, calls: &[Call<'_>]) {
    let mut may_share = true;
    for (index, call) in calls.iter().enumerate() {
        let (taps, level) = (&call.placed.conv.taps, call.placed.conv.level);
        assert_eq!(level, cx.level(), "the weights were packed for another level");
        for other in &calls[..index] {
            let shares = other.output.overlaps(&call.output);
            let same = other.placed.conv.taps.out_step == taps.out_step
                && other.placed.y == call.placed.y
                && other.output.y.data == call.output.y.data;
            assert!(!shares || same, "two convolutions write the same rows at different times");
            may_share &= !shares || call.has_groups_of(other);
        }
    }
    let rows = calls.iter().map(|call| call.placed.positions[0]).max().unwrap_or(0);
    let share = rows.div_ceil(STRIPS_PER_THREAD * cx.threads().count()).max(1);
    let strip = calls.iter().map(Call::strip).fold(share, usize::min);
    let strips = rows.div_ceil(strip);
    // Where there are few strips, threads share the groups of outputs too; weights are read no more often.
    let groups = calls.iter().map(|call| call.placed.conv.packed.groups.len()).max().unwrap_or(0);
    let parts = even_tasks(cx.threads().count()).div_ceil(strips.max(1)).clamp(1, groups.max(1));
    let parts = if may_share { parts } else { 1 };
    let calls = Calls(calls);
    cx.threads().for_each(strips * parts, |task| {
        let start = task / parts * strip;
        for call in calls.get() {
            let rows = call.placed.positions[0];
            if start < rows {
                let rows = start..(start + strip).min(rows);
                let number = task % parts;
                let groups = part(number, parts, call.placed.conv.packed.groups.len());
                // SAFETY: `Call::new` checked the slices, and neither strips nor groups overlap. One task of each
                // strip is the first, also where there are fewer groups than tasks.
                unsafe { call.strip_of_rows(cx, rows, groups, number == 0) };
            }
        }
    });
}

/// The calls of one [`run`], for its threads alone: a shared output is not for sharing between runs.
struct Calls<'a>(&'a [Call<'a>]);

// SAFETY: `run` gives each thread rows of its own.
unsafe impl Sync for Calls<'_> {}

impl<'a> Calls<'a> {
    fn get(&self) -> &'a [Call<'a>] {
        self.0
    }
}

/// A strip of the input that stays in the second-level cache while all groups of outputs read it.
const STRIP_BYTES: usize = 256 << 10;

/// Strips few enough to reuse weights in each, and enough to even out threads that are slowed down where they cannot
/// share the groups.
const STRIPS_PER_THREAD: usize = 6;

/// How far ahead weights are fetched, in values.
const AHEAD: usize = 2048;

impl Call<'_> {
    /// Whether the groups of output channels are those of the other call.
    fn has_groups_of(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|call| call.placed.conv.packed.groups.iter());
        own.map(|group| group.first).eq(others.map(|group| group.first))
    }

    /// How many rows of positions make up a strip of the input.
    fn strip(&self) -> usize {
        let x = &self.placed.x;
        let row = x.blocks() * x.pitch() * size_of::<Vec16>();
        (STRIP_BYTES / row.saturating_mul(self.placed.conv.taps.in_step[0]).max(1)).max(1)
    }

    /// Computes `rows` of the positions, of some `groups`; the `first` to do so clears the halo beside them.
    ///
    /// # Safety
    /// The rows are among the positions, no other thread writes these groups of them, and no other is the first
    /// of these rows.
    unsafe fn strip_of_rows(
        &self,
        cx: &Context,
        rows: Range<usize>,
        groups: Range<usize>,
        first: bool,
    ) {
        let Placed { conv, x, y, positions, .. } = self.placed;
        let (taps, columns, pixels) = (&conv.taps, positions[1], y.height() * y.width());
        let (values, step) = (self.output.y.data, taps.in_step[1]);
        let all = conv.packed.groups.iter().zip(&self.placed.offsets);
        for (group, offsets) in all.take(groups.end).skip(groups.start) {
            let most = tile::max_pixels(cx.level(), group.blocks, step);
            for row in rows.clone() {
                let in_row = (row * taps.in_step[0]) as isize;
                let out_row = row * taps.out_step[0] + taps.origin[0];
                tile::split(columns, most, |column, width| {
                    let out_column = column * taps.out_step[1] + taps.origin[1];
                    let pixel = y.pixel(group.first, out_row, out_column);
                    let at = y.at(group.first, out_row as isize, out_column as isize);
                    // SAFETY: `Placed::new` checked that taps and positions stay inside their maps, and
                    // `Call::new` that the slices are the maps'.
                    unsafe {
                        let epilogue = Epilogue {
                            bias: if self.output.bias {
                                group.bias.as_ptr().cast()
                            } else {
                                std::ptr::null()
                            },
                            add: self.output.mode == WriteMode::Accumulate,
                            relu_mask: match self.output.relu_mask {
                                Some(mask) => mask.data.add(pixel),
                                None => std::ptr::null_mut(),
                            },
                            relu_most: self
                                .output
                                .relu_mask
                                .map_or(f32::INFINITY, |mask| mask.most),
                            mask: match self.output.mask {
                                Some(mask) => mask.as_ptr().add(pixel),
                                None => std::ptr::null(),
                            },
                            mask_block: pixels,
                            mask_step: taps.out_step[1],
                        };
                        let first = x.at(0, in_row, (column * step) as isize);
                        let weights: *const f32 =
                            conv.packed.vectors.as_ptr().add(group.start).cast();
                        // The other tiles find them in the cache.
                        let reads_first = column == 0 && row == rows.start;
                        let tile = Tile {
                            x: self.x.as_ptr().add(first).cast(),
                            taps: offsets.as_ptr(),
                            ahead: 16 * step * width,
                            count: offsets.len(),
                            live: conv.live,
                            weights,
                            fetch: if reads_first { 16 * group.blocks } else { 0 },
                            next: weights.wrapping_add(AHEAD),
                            y: values.add(at).cast(),
                            y_block: 16 * y.block(),
                            y_step: 16 * taps.out_step[1],
                            epilogue,
                        };
                        tile::tile_fn(cx.level(), group.blocks, width, step)(&tile);
                    }
                });
            }
        }
        if first && self.placed.clears_halo && self.output.mode == WriteMode::Overwrite {
            let from = rows.start * taps.out_step[0];
            let last = rows.end == positions[0];
            let to = if last { y.height() } else { rows.end * taps.out_step[0] };
            for block in 0..y.blocks() {
                // SAFETY: the halo beside these rows is left to the strip's first task.
                unsafe { clear_halo(y, values.add(block * y.block()), from..to) };
            }
        }
    }
}
