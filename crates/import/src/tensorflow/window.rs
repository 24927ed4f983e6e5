//! The windows of convolutions and pools.

use graph::{Padding, Window};

use super::proto::NodeDef;
use super::reader::Layout;

/// The window of a convolution or pool on maps of this layout, or why there is none, as
/// [`Built::Unsupported`](super::reader::Built::Unsupported) has it.
pub(super) fn window(
    node: &NodeDef,
    layout: Layout,
    kernel: [usize; 2],
) -> Result<Window, &'static str> {
    if Layout::of(node) != Some(layout) {
        return Err(layout.not_taken());
    }
    let pair = |name: &str| match node.integers(name) {
        [] => Some([1, 1]),
        sizes => spatial(sizes, layout, 1),
    };
    let (Some(stride), Some(dilation)) = (pair("strides"), pair("dilations")) else {
        return Err(" that steps over channels or pictures");
    };
    let padding = match (node.text("padding"), node.integers("explicit_paddings")) {
        (Some("SAME"), _) => Padding::Same,
        (Some("VALID"), _) => Padding::VALID,
        (Some("EXPLICIT"), pads) => match around(pads, layout) {
            Some([top, bottom, left, right]) => Padding::Explicit { top, bottom, left, right },
            None => return Err(" with this padding"),
        },
        _ => return Err(" with this padding"),
    };
    Ok(Window { dilation, ..Window::new(kernel, stride) }.padded(padding))
}

/// The numbers of rows and columns out of those of all four axes, of which the others are `rest`.
pub(super) fn spatial(sizes: &[i64], layout: Layout, rest: i64) -> Option<[usize; 2]> {
    let (rows, columns) = match (layout, sizes) {
        (Layout::Last, &[batch, rows, columns, channels])
        | (Layout::First, &[batch, channels, rows, columns])
            if [batch, channels] == [rest; 2] =>
        {
            (rows, columns)
        }
        _ => return None,
    };
    Some([usize::try_from(rows).ok()?, usize::try_from(columns).ok()?])
}

/// What is around rows and columns: top, bottom, left, right; `pads` has a pair for each axis.
pub(super) fn around(pads: &[i64], layout: Layout) -> Option<[usize; 4]> {
    let [starts, ends] = [0, 1].map(|end| pads.iter().skip(end).step_by(2).copied());
    let [top, left] = spatial(&starts.collect::<Vec<_>>(), layout, 0)?;
    let [bottom, right] = spatial(&ends.collect::<Vec<_>>(), layout, 0)?;
    Some([top, bottom, left, right])
}
