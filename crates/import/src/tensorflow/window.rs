//! The windows of convolutions and pools.

use graph::{Padding, Window};

use super::proto::NodeDef;

/// The window of a convolution or pool, or why there is none, as [`Built::Unsupported`](super::reader::Built::Unsupported) has it.
pub(super) fn window(node: &NodeDef, kernel: [usize; 2]) -> Result<Window, &'static str> {
    if !matches!(node.text("data_format"), None | Some("NHWC")) {
        return Err(" in another order than NHWC");
    }
    let pair = |name: &str| match node.integers(name) {
        [] => Some([1, 1]),
        [1, rows, columns, 1] => {
            Some([usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?])
        }
        _ => None,
    };
    let (Some(stride), Some(dilation)) = (pair("strides"), pair("dilations")) else {
        return Err(" that steps over channels or pictures");
    };
    let padding = match (node.text("padding"), node.integers("explicit_paddings")) {
        (Some("SAME"), _) => Padding::Same,
        (Some("VALID"), _) => Padding::VALID,
        (Some("EXPLICIT"), [0, 0, pads @ .., 0, 0]) => match explicit(pads) {
            Some([top, bottom, left, right]) => Padding::Explicit { top, bottom, left, right },
            None => return Err(" with this padding"),
        },
        _ => return Err(" with this padding"),
    };
    Ok(Window { dilation, ..Window::new(kernel, stride) }.padded(padding))
}

pub(super) fn explicit(pads: &[i64]) -> Option<[usize; 4]> {
    let pads: Option<Vec<usize>> = pads.iter().map(|&pad| usize::try_from(pad).ok()).collect();
    pads?.try_into().ok()
}
