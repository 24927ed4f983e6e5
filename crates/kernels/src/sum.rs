//! Sums of maps, spread out to one extent, and through ReLU.

use std::ops::Range;

use crate::broadcast::{Operand, Spread};
use crate::elementwise::relu;
use crate::rows::{RowKernel, Sink, run_rows};
use crate::shared_ptr::SharedPtr;
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, Relu, WriteMode};

/// `y` = `a` + `b`, or added, and through ReLU if there is one: a sum of many is made of several. `live` has,
/// for each block, a bit for each slot that holds a channel; the others become 0.
///
/// # Panics
/// If an extent does not fit, or a slice does not have its length.
pub fn forward(
    cx: &Context,
    live: &[u16],
    (a, b): (Operand<'_>, Option<Operand<'_>>),
    mode: WriteMode,
    y: MapMut<'_>,
    relu: Option<Relu<'_>>,
) {
    let map = *y.map();
    assert_eq!(live.len(), map.blocks(), "the live slots of each block");
    let relu = relu.map(|Relu { mask, most }| {
        assert_eq!(mask.len(), map.pixels(), "the mask is not the map's");
        (SharedPtr::of(mask), most)
    });
    let add = mode == WriteMode::Accumulate;
    let (a, y) = (Spread::new(a, &map), Sink::new(Destination::new(y, mode, None)));
    let row_bytes = 3 * y.row_bytes();
    let (blocks, height) = (map.blocks(), map.height());
    // SAFETY: each row is made from the inputs, and from itself, alone.
    unsafe {
        if let Some(b) = b {
            let kernel = Sum { live, terms: [a, Spread::new(b, &map)], y, add, relu };
            run_rows(cx, blocks, height, row_bytes, &kernel);
        } else {
            let kernel = Sum { live, terms: [a], y, add, relu };
            run_rows(cx, blocks, height, row_bytes, &kernel);
        }
    }
}

struct Sum<'a, const N: usize> {
    live: &'a [u16],
    terms: [Spread<'a>; N],
    y: Sink<'a>,
    /// Whether they are added to what is there.
    add: bool,
    /// The mask, and where ReLU ends.
    relu: Option<(SharedPtr<u16>, f32)>,
}

impl<const N: usize> RowKernel for Sum<'_, N> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let map = &self.y.map;
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                let terms = self.terms.map(|term| term.row(block, row));
                let to = self.y.row(block, row);
                for column in 0..map.width() {
                    let mut sum = if self.add { to.get::<S>(column) } else { S::zero() };
                    for (place, term) in terms.iter().enumerate() {
                        let value = term.at::<S>(column);
                        sum = if place == 0 && !self.add { value } else { S::add(sum, value) };
                    }
                    if let Some((mask, most)) = self.relu {
                        let (value, kept) = relu::<S>(sum, most);
                        *mask.get().add(map.pixel(block, row, column)) = kept;
                        sum = value;
                    }
                    to.set::<S>(column, S::keep(sum, self.live[block]));
                }
            }
            self.y.close(block, rows);
        }
    }
}
