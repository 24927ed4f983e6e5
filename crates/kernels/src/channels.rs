//! Channels moved to other slots: where a concatenation's parts do not fill their blocks.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapRef};

/// Slot `i` of `y`, counted through the blocks, = slot `sources[i]` of `x`, or 0 where that is
/// `usize::MAX`. The gradient is the same with [`invert`]ed sources.
///
/// # Panics
/// If a slice does not have its length, a slot is not in `x`, or the maps differ in rows or columns.
pub fn gather_channels(cx: &Context, sources: &[usize], x: MapRef<'_>, y: Destination<'_>) {
    let (from, to) = (*x.map(), *y.map());
    let (rows, columns) = (from.height() == to.height(), from.width() == to.width());
    assert!(rows && columns, "the maps differ in extent");
    assert_eq!(sources.len(), to.blocks() * 16, "one source for each slot");
    let known = |&slot: &usize| slot < from.blocks() * 16 || slot == usize::MAX;
    assert!(sources.iter().all(known), "no such slot");
    let kernel = Moves { sources, x: Source::new(x), y: Sink::new(y) };
    let row_bytes = 2 * kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, to.blocks(), to.height(), row_bytes, &kernel) }
}

/// For each of `slots` slots of a map, the slot that [`gather_channels`] with `sources` fills from it, or
/// `usize::MAX` if there is none.
///
/// # Panics
/// If two slots have the same source, or a source is not among the slots.
pub fn invert(sources: &[usize], slots: usize) -> Vec<usize> {
    let mut targets = vec![usize::MAX; slots];
    for (target, &source) in sources.iter().enumerate() {
        if source != usize::MAX {
            assert_eq!(targets[source], usize::MAX, "two slots have the same source");
            targets[source] = target;
        }
    }
    targets
}

struct Moves<'a> {
    sources: &'a [usize],
    x: Source<'a>,
    y: Sink<'a>,
}

/// Slots of an output block that come from one block of the input, all moved by as many places.
#[derive(Clone, Copy, Default)]
pub(crate) struct Move {
    pub(crate) block: usize,
    /// From the slot of the input to that of the output.
    pub(crate) by: isize,
    /// Slots of the output.
    pub(crate) slots: u16,
}

/// The moves that make an output block, and how many there are.
pub(crate) fn moves(sources: &[usize]) -> ([Move; 16], usize) {
    let (mut moves, mut count) = ([Move::default(); 16], 0);
    for (slot, &source) in sources.iter().enumerate().filter(|(_, source)| **source != usize::MAX) {
        let (block, by) = (source / 16, slot as isize - (source % 16) as isize);
        let same = moves[..count].iter().position(|m| (m.block, m.by) == (block, by));
        let at = same.unwrap_or(count);
        count = count.max(at + 1);
        moves[at] = Move { block, by, slots: moves[at].slots | 1 << slot };
    }
    (moves, count)
}

impl RowKernel for Moves<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let (moves, count) = moves(&self.sources[block * 16..][..16]);
        // SAFETY: rows and columns lie in the maps, and the sources in `x`; what lies before or after
        // them is not read.
        unsafe {
            for row in rows.clone() {
                let to = self.y.row(block, row);
                let from = moves.map(|m| self.x.row(m.block, row).wrapping_offset(-m.by));
                for column in 0..self.y.map.width() {
                    let mut sum = S::zero();
                    for (from, m) in from[..count].iter().zip(&moves) {
                        let part = S::load_kept(from.wrapping_add(column * 16), m.slots);
                        sum = S::add(sum, part);
                    }
                    to.put::<S>(column, sum);
                }
            }
            self.y.close(block, rows);
        }
    }
}
