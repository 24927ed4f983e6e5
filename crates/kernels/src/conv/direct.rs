//! Convolution as its definition has it, and with it every stride, dilation and direction.
//!
//! A [`Direct`] convolution sums, for each position (r, c) of its grid and each tap (dr, dc), input
//! pixel `(r·in_step + dr, c·in_step + dc)` times the tap's weights into output pixel
//! `(r·out_step + origin)`. Forward, the taps are the window; backward through stride s, each of the s²
//! phases of the input is such a convolution of the output's gradient, with `out_step` s.

use crate::conv::tile::{self, Epilogue, Tile};
use crate::conv::weights::{self, Group, Order, Packed, Weights};
use crate::map::clear_halo;
use crate::{BlockedMap, Context, Vec16, WriteMode};

/// How the taps lie. Rows first in every pair.
#[derive(Clone, Debug)]
pub struct Taps {
    /// Each tap's offset in the input, in pixels.
    pub offsets: Vec<[isize; 2]>,
    /// Pixels of the input between positions.
    pub in_step: [usize; 2],
    /// Pixels of the output between positions.
    pub out_step: [usize; 2],
    /// The first position's pixel in the output.
    pub origin: [usize; 2],
}

impl Taps {
    /// How far outside the picture the taps read for `positions` and an input of `height` × `width`.
    pub fn reach(&self, positions: [usize; 2], input: [usize; 2]) -> usize {
        let axis = |axis: usize| {
            let ends = |offset: &[isize; 2]| {
                let last = (positions[axis].max(1) - 1) * self.in_step[axis];
                let after = last as isize + offset[axis] - (input[axis] as isize - 1);
                after.max(-offset[axis]).max(0) as usize
            };
            self.offsets.iter().map(ends).max().unwrap_or(0)
        };
        axis(0).max(axis(1))
    }
}

/// A convolution ready for maps of any size.
pub struct Direct {
    pub(crate) taps: Taps,
    pub(crate) packed: Packed,
    live: usize,
    in_blocks: usize,
    out_blocks: usize,
}

impl Direct {
    /// Packs `weights` for the level's tiles.
    pub fn new(taps: Taps, weights: &dyn Weights, cx: &Context) -> Self {
        let count = taps.offsets.len();
        let copy = |from: &[Vec16], to: &mut [Vec16]| to.copy_from_slice(from);
        let planes = (count, Order::PlanesInside);
        Self {
            packed: weights::pack(weights, count, cx.level(), cx.threads(), planes, &copy),
            taps,
            live: weights.live(),
            in_blocks: weights.in_blocks(),
            out_blocks: weights.out_blocks(),
        }
    }
}

/// A [`Direct`] convolution with its taps' places worked out for maps of one size.
pub struct Placed {
    x: BlockedMap,
    y: BlockedMap,
    positions: [usize; 2],
    /// For each group, each tap's distance from the position's pixel, in values.
    offsets: Vec<Vec<isize>>,
    /// Whether this convolution is the one to clear the output's halo.
    clears: bool,
}

impl Placed {
    /// Places `conv` on maps `x` and `y`, for `positions` rows and columns.
    ///
    /// # Panics
    /// If the maps' blocks are not the weights', or the taps reach beyond the halo.
    pub fn new(
        conv: &Direct,
        x: BlockedMap,
        y: BlockedMap,
        positions: [usize; 2],
        clears: bool,
    ) -> Self {
        assert_eq!((x.blocks, y.blocks), (conv.in_blocks, conv.out_blocks));
        assert!(conv.taps.reach(positions, [x.height, x.width]) <= x.halo, "the halo is too small");
        for (axis, extent) in [y.height, y.width].into_iter().enumerate() {
            let last = (positions[axis].max(1) - 1) * conv.taps.out_step[axis];
            assert!(positions[axis] == 0 || last + conv.taps.origin[axis] < extent);
        }
        let offset = |block: usize, [row, column]: [isize; 2]| {
            16 * ((block * x.block()) as isize + row * x.pitch() as isize + column)
        };
        let place = |group: &Group| {
            let taps = &conv.taps.offsets;
            group.inputs.iter().flat_map(|&i| taps.iter().map(move |&tap| offset(i, tap))).collect()
        };
        Self { x, y, positions, offsets: conv.packed.groups.iter().map(place).collect(), clears }
    }
}

/// One convolution of a [`run`]. Masks have an entry for each of the output's pixels, a bit for each channel.
pub struct Call<'a> {
    /// The weights.
    pub conv: &'a Direct,
    /// Where they lie.
    pub placed: &'a Placed,
    /// The input.
    pub x: &'a [Vec16],
    /// The output.
    pub output: Output<'a>,
}

/// Where a convolution's sums go.
#[derive(Clone, Copy)]
pub struct Output<'a> {
    /// The output.
    pub y: &'a Target<'a>,
    /// Whether sums are added to what is there.
    pub write: WriteMode,
    /// Whether the bias is the sums' start.
    pub bias: bool,
    /// With it, negative sums become zero, and it tells which are positive.
    pub relu: Option<&'a Target<'a, u16>>,
    /// With it, the sums of channels whose bit is not set become zero.
    pub mask: Option<&'a [u16]>,
}

/// A slice that several calls of one [`run`] may write to.
pub struct Target<'a, T = Vec16> {
    data: *mut T,
    len: usize,
    slice: std::marker::PhantomData<&'a mut [T]>,
}

impl<'a, T> Target<'a, T> {
    /// The whole slice.
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { len: slice.len(), data: slice.as_mut_ptr(), slice: std::marker::PhantomData }
    }

    pub(crate) fn pointer(&self, len: usize) -> *mut T {
        assert_eq!(self.len, len, "the output is not the map's");
        self.data
    }
}

/// Runs convolutions side by side, strip of rows by strip of rows, so that calls that read the same
/// input find it in the cache, and calls that add to the same output do so in their order.
///
/// # Panics
/// If a slice is not its map's, or two calls that share an output are neither phases of one stride nor
/// of the same positions.
pub fn run(cx: &Context, calls: &[Call<'_>]) {
    for (index, call) in calls.iter().enumerate() {
        call.check();
        for other in &calls[..index] {
            let same = other.output.y.data == call.output.y.data;
            let (a, b) = (&other.conv.taps, &call.conv.taps);
            assert!(!same || (a.out_step == b.out_step && other.placed.y == call.placed.y));
        }
    }
    let rows = calls.iter().map(|call| call.placed.positions[0]).max().unwrap_or(0);
    let share = rows.div_ceil(STRIPS_PER_THREAD * cx.threads().count()).max(1);
    let strip = calls.iter().map(Call::strip).fold(share, usize::min);
    let calls = Calls(calls);
    cx.threads().for_each(rows.div_ceil(strip), |task| {
        let start = task * strip;
        for call in calls.get() {
            let rows = call.placed.positions[0];
            let end = (start + strip).min(rows);
            // SAFETY: `check` held, and strips do not overlap.
            unsafe { call.strip_of_rows(cx, start.min(end)..end, start < rows && end == rows) };
        }
    });
}

/// The calls of one [`run`], for its threads alone: a [`Target`] is not for sharing between runs.
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

/// Strips enough to even out threads that are slowed down, and few enough to reuse weights in each.
const STRIPS_PER_THREAD: usize = 6;

impl Call<'_> {
    fn check(&self) {
        let (x, y) = (&self.placed.x, &self.placed.y);
        assert_eq!(self.x.len(), x.vectors(), "the input is not the map's");
        self.output.y.pointer(y.vectors());
        if let Some(relu) = self.output.relu {
            relu.pointer(y.pixels());
        }
        if let Some(mask) = self.output.mask {
            assert_eq!(mask.len(), y.pixels(), "the mask is not the map's");
        }
        assert_eq!(self.placed.offsets.len(), self.conv.packed.groups.len());
    }

    /// How many rows of positions make up a strip of the input.
    fn strip(&self) -> usize {
        let x = &self.placed.x;
        let row = x.blocks * x.pitch() * size_of::<Vec16>() * self.conv.taps.in_step[0];
        (STRIP_BYTES / row.max(1)).max(1)
    }

    /// Computes `rows` of the positions, all groups; `last` tells that no rows come after them.
    ///
    /// # Safety
    /// `check` held, and no other thread writes these rows.
    unsafe fn strip_of_rows(&self, cx: &Context, rows: std::ops::Range<usize>, last: bool) {
        let (x, y, taps) = (&self.placed.x, &self.placed.y, &self.conv.taps);
        let ([_, columns], pixels) = (self.placed.positions, y.height * y.width);
        let (values, step) = (self.output.y.data, taps.in_step[1]);
        for (group, offsets) in self.conv.packed.groups.iter().zip(&self.placed.offsets) {
            let most = tile::max_pixels(cx.level(), group.blocks, step);
            for row in rows.clone() {
                let in_row = (row * taps.in_step[0]) as isize;
                let out_row = row * taps.out_step[0] + taps.origin[0];
                tile::split(columns, most, |column, width| {
                    let out_column = column * taps.out_step[1] + taps.origin[1];
                    let pixel = group.first * pixels + out_row * y.width + out_column;
                    let at = y.at(group.first, out_row as isize, out_column as isize);
                    // SAFETY: `Placed::new` checked that taps and positions stay inside their maps.
                    unsafe {
                        let epilogue = Epilogue {
                            bias: if self.output.bias {
                                group.bias.as_ptr().cast()
                            } else {
                                std::ptr::null()
                            },
                            add: self.output.write == WriteMode::Accumulate,
                            relu: match self.output.relu {
                                Some(relu) => relu.data.add(pixel),
                                None => std::ptr::null_mut(),
                            },
                            mask: match self.output.mask {
                                Some(mask) => mask.as_ptr().add(pixel),
                                None => std::ptr::null(),
                            },
                            mask_block: pixels,
                            mask_step: taps.out_step[1],
                        };
                        let first = x.at(0, in_row, (column * step) as isize);
                        let tile = Tile {
                            x: self.x.as_ptr().add(first).cast(),
                            taps: offsets.as_ptr(),
                            count: offsets.len(),
                            live: self.conv.live,
                            weights: self.conv.packed.vectors.as_ptr().add(group.start).cast(),
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
        if self.placed.clears && self.output.write == WriteMode::Overwrite {
            let from = (rows.start * taps.out_step[0]).min(y.height);
            let to = if last { y.height } else { rows.end * taps.out_step[0] };
            for block in 0..y.blocks {
                // SAFETY: the halo beside these rows is this strip's alone.
                unsafe { clear_halo(y, values.add(block * y.block()), from..to) };
            }
        }
    }
}
