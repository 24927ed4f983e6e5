//! Padding that goes by the picture's size, as TensorFlow's `SAME` is in networks that came from there through
//! PyTorch: the windows behind it know that kind of padding themselves.

use std::sync::Arc;

use graph::{NodeId, Padding, Window};

use super::node::Node;
use super::reader::{Built, Reader, Value, optional};

/// Rows and columns around a map, for each of the reader's pictures: above, below, left, right.
#[derive(Clone, Debug)]
pub(super) struct Padded {
    pub(super) source: NodeId,
    around: Vec<[i64; 4]>,
    /// What they hold.
    value: f32,
}

pub(super) const OTHER: Built = Built::Unsupported(" of what is padded by computed sizes");

/// The map `source` with what a `Pad` puts around it, in sizes that depend on the picture; `None` where these are no
/// rows and columns.
pub(super) fn pad(node: &Node, inputs: &[Value], source: NodeId, value: f32) -> Option<Value> {
    let Value::Sized(both, odd) = inputs.get(1)? else { return None };
    if !optional(inputs, 3).is_nothing() {
        return None;
    }
    let around = both.iter().chain(odd).map(|pads| match pads.integers(&node.name).ok()?[..] {
        [0, 0, top, left, 0, 0, bottom, right] => Some([top, bottom, left, right]),
        _ => None,
    });
    let around: Vec<_> = around.collect::<Option<_>>()?;
    Some(Value::Padded(Arc::new(Padded { source, around, value })))
}

/// To multiples of how much sizes are rounded up.
const ROUNDED: [i64; 5] = [8, 16, 32, 64, 128];

impl Padded {
    /// Whether zeros are put below and to the right until the sizes are multiples of a number, as detectors do it with
    /// pictures of a batch. Here these are of any size: the map can do without.
    pub(super) fn rounds_up(&self, reader: &Reader) -> bool {
        let rounded = |by: i64| {
            self.around.iter().enumerate().all(|(picture, &[top, bottom, left, right])| {
                let Some(shape) = reader.shape(self.source, picture) else { return false };
                let padded = [shape.height as i64 + bottom, shape.width as i64 + right];
                [top, left] == [0; 2]
                    && [bottom, right].iter().all(|after| (0..by).contains(after))
                    && padded.iter().all(|size| size % by == 0)
            })
        };
        self.value == 0.0 && ROUNDED.into_iter().any(rounded)
    }

    /// The window of a convolution or pool over what is padded, if the two together are as [`Padding::Same`];
    /// `fill` is what is as good as nothing to it.
    pub(super) fn window(&self, reader: &Reader, window: Window, fill: f32) -> Option<Window> {
        let same = window.padded(Padding::Same);
        let fits = |(picture, around): (usize, &[i64; 4])| {
            let shape = reader.shape(self.source, picture)?;
            let [rows, columns] = [same.span(0, shape.height)?, same.span(1, shape.width)?];
            let wanted = [rows.before, rows.after, columns.before, columns.after];
            (wanted.map(|n| n as i64) == *around).then_some(())
        };
        let fits = self.around.iter().enumerate().all(|of| fits(of).is_some());
        (fits && self.value == fill && window.padding == Padding::VALID).then_some(same)
    }
}
