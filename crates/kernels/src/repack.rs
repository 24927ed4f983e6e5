//! Channels moved to other lanes: where a concatenation's parts do not fill their blocks.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{Context, Lane, Map, Write};

/// Lane `i` of `y`, counted through the blocks, = lane `sources[i]` of `x`, or 0 where that is
/// `usize::MAX`. The gradient is the same with [`invert`]ed sources.
///
/// # Panics
/// If a slice does not have its length, a lane is not in `x`, or the maps differ in rows or columns.
#[expect(clippy::too_many_arguments, reason = "every map comes with its extent")]
pub fn repack(
    cx: &Context,
    sources: &[usize],
    xm: &Map,
    x: &[Lane],
    ym: &Map,
    y: &mut [Lane],
    write: Write,
    mask: Option<&[u16]>,
) {
    assert_eq!((xm.height, xm.width), (ym.height, ym.width), "the maps differ in extent");
    assert_eq!(sources.len(), ym.blocks * 16, "one source for each lane");
    let known = |&lane: &usize| lane < xm.blocks * 16 || lane == usize::MAX;
    assert!(sources.iter().all(known), "no such lane");
    let kernel = Moves { sources, x: Source::new(xm, x), y: Sink::new(ym, y, write, mask) };
    let row_bytes = 2 * kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, ym.blocks, ym.height, row_bytes, &kernel) }
}

/// For each of `lanes` lanes of a map, the lane that [`repack`] with `sources` fills from it, or
/// `usize::MAX` if there is none.
///
/// # Panics
/// If two lanes have the same source, or a source is not among the lanes.
pub fn invert(sources: &[usize], lanes: usize) -> Vec<usize> {
    let mut targets = vec![usize::MAX; lanes];
    for (target, &source) in sources.iter().enumerate() {
        if source != usize::MAX {
            assert_eq!(targets[source], usize::MAX, "two lanes have the same source");
            targets[source] = target;
        }
    }
    targets
}

/// Pixels that are moved together.
const PIXELS: usize = 16;

struct Moves<'a> {
    sources: &'a [usize],
    x: Source<'a>,
    y: Sink<'a>,
}

impl RowKernel for Moves<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let (map, sources) = (&self.y.map, &self.sources[block * 16..][..16]);
        let whole = sources[0].is_multiple_of(16)
            && sources.iter().enumerate().all(|(i, &lane)| lane == sources[0].wrapping_add(i));
        // SAFETY: rows and columns lie in the maps, and the sources in `x`.
        unsafe {
            for row in rows.clone() {
                let to = self.y.row(block, row);
                for start in (0..map.width).step_by(PIXELS) {
                    let pixels = PIXELS.min(map.width - start);
                    if whole {
                        let from = self.x.row(sources[0] / 16, row).add(start * 16);
                        for p in 0..pixels {
                            to.put::<S>(start + p, S::load(from.add(p * 16)));
                        }
                        continue;
                    }
                    let mut lanes = [Lane::default(); PIXELS];
                    for (i, &source) in sources.iter().enumerate() {
                        if source == usize::MAX {
                            continue;
                        }
                        let from = self.x.row(source / 16, row).add(start * 16 + source % 16);
                        for p in 0..pixels {
                            lanes[p].0[i] = *from.add(p * 16);
                        }
                    }
                    for p in 0..pixels {
                        to.put::<S>(start + p, S::load(lanes[p].0.as_ptr()));
                    }
                }
            }
            self.y.close(block, rows);
        }
    }
}
