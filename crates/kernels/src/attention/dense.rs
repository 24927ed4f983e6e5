//! Maps with the channels of a head together, position by position.

use std::ops::Range;

use super::LANES;
use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::{BlockedMap, Context, Destination, MapRef, Vec16};

/// Groups of channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heads {
    pub(super) count: usize,
    /// In each.
    pub(super) channels: usize,
}

impl Heads {
    /// Blocks of a map that has them.
    pub(super) fn blocks(&self) -> usize {
        (self.count * self.channels).div_ceil(16)
    }
}

/// For each head, each position's channels, and zeros up to whole vectors.
#[derive(Clone, Copy)]
pub(super) struct Dense {
    pub(super) heads: Heads,
    pub(super) positions: usize,
    /// Vectors of a position.
    width: usize,
    /// Where they are, once they have a place.
    vectors: SharedPtr<Vec16>,
}

/// A head as a matrix: where it starts, from one row to the next, and from one column to the next.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    pub(super) start: *const f32,
    pub(super) by_row: usize,
    pub(super) by_column: usize,
}

impl Dense {
    pub(super) fn new(heads: Heads, positions: usize) -> Self {
        let vectors = SharedPtr::of_pointer(std::ptr::null_mut());
        Self { heads, positions, width: heads.channels.div_ceil(16), vectors }
    }

    pub(super) fn vectors(&self) -> usize {
        self.heads.count * self.positions * self.width
    }

    /// The same with the first vectors of `rest` for its place, which are then no longer in that.
    pub(super) fn of(self, rest: &mut &mut [Vec16]) -> Self {
        let (own, others) = std::mem::take(rest).split_at_mut(self.vectors());
        *rest = others;
        Self { vectors: SharedPtr::of(own), ..self }
    }

    /// The first channel of a position of a head.
    ///
    /// # Safety
    /// Both are some of them.
    #[inline(always)]
    pub(super) unsafe fn at(&self, head: usize, position: usize) -> *mut f32 {
        // SAFETY: the memory has a width for each position of each head.
        unsafe { self.vectors.get().add((head * self.positions + position) * self.width).cast() }
    }

    /// A head with a row for each position.
    ///
    /// # Safety
    /// It is one of them.
    #[inline(always)]
    pub(super) unsafe fn by_position(&self, head: usize) -> Matrix {
        // SAFETY: the caller's promise.
        let start = unsafe { self.at(head, 0) };
        Matrix { start, by_row: 16 * self.width, by_column: 1 }
    }

    /// A head with a row for each channel.
    ///
    /// # Safety
    /// It is one of them.
    #[inline(always)]
    pub(super) unsafe fn by_channel(&self, head: usize) -> Matrix {
        // SAFETY: the caller's promise.
        let start = unsafe { self.at(head, 0) };
        Matrix { start, by_row: 1, by_column: 16 * self.width }
    }

    /// Writes sixteen positions of a head, of which `from` has a vector for each channel; those past the last
    /// are left out.
    ///
    /// # Safety
    /// The positions are the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn put(&self, head: usize, first: usize, from: *const f32) {
        for lane in 0..LANES.min(self.positions - first) {
            // SAFETY: the positions lie in the memory, and there is a vector for each channel.
            unsafe {
                let to = self.at(head, first + lane);
                for channel in 0..self.heads.channels {
                    *to.add(channel) = *from.add(LANES * channel + lane);
                }
            }
        }
    }
}

/// Puts a map's channels together by head.
pub(super) fn pack(cx: &Context, x: MapRef<'_>, to: Dense) {
    let (height, row_bytes) =
        (x.map().height(), 4 * to.width * size_of::<Vec16>() * x.map().width());
    let kernel = Pack { x: Source::new(x), to };
    // SAFETY: each row of positions of a head is made from the input alone.
    unsafe { run_rows(cx, to.heads.count, height, row_bytes, &kernel) }
}

struct Pack<'a> {
    x: Source<'a>,
    to: Dense,
}

impl RowKernel for Pack<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, head: usize, rows: Range<usize>) {
        let (width, channels) = (self.x.map.width(), self.to.heads.channels);
        // SAFETY: rows, columns and channels lie in the map, and positions in the memory.
        unsafe {
            for row in rows {
                for channel in 0..16 * self.to.width {
                    let slot = head * channels + channel;
                    let from = match channel < channels {
                        true => Some(self.x.row(slot / 16, row).add(slot % 16)),
                        false => None,
                    };
                    for column in 0..width {
                        let value = from.map_or(0.0, |from| *from.add(16 * column));
                        *self.to.at(head, row * width + column).add(channel) = value;
                    }
                }
            }
        }
    }
}

/// Puts the channels of all heads into a map.
pub(super) fn unpack(cx: &Context, from: Dense, y: Destination<'_>) {
    let map: BlockedMap = *y.map();
    let kernel = Unpack { from, y: Sink::new(y) };
    let row_bytes = 4 * kernel.y.row_bytes();
    // SAFETY: each row is made from the heads alone.
    unsafe { run_rows(cx, map.blocks(), map.height(), row_bytes, &kernel) }
}

struct Unpack<'a> {
    from: Dense,
    y: Sink<'a>,
}

impl RowKernel for Unpack<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let Heads { count, channels } = self.from.heads;
        let width = self.y.map.width();
        // Of each lane's channel, where it is at the first position of its head.
        let places: [Option<(usize, usize)>; 16] = std::array::from_fn(|lane| {
            let slot = 16 * block + lane;
            (slot < count * channels).then_some((slot / channels, slot % channels))
        });
        // SAFETY: rows, columns and channels lie in the map, and positions in the memory.
        unsafe {
            for row in rows.clone() {
                let to = self.y.row(block, row);
                for column in 0..width {
                    let mut values = [0.0; 16];
                    for (value, place) in values.iter_mut().zip(places) {
                        if let Some((head, channel)) = place {
                            *value = *self.from.at(head, row * width + column).add(channel);
                        }
                    }
                    to.put::<S>(column, S::load(values.as_ptr()));
                }
            }
            self.y.close(block, rows);
        }
    }
}
