//! Transposed convolutions.

use graph::{ConvTranspose2d, NodeId, Op};

use super::convolution::{bias, pair};
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value, optional};
use crate::ImportError;

pub(super) fn conv_transpose(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let Some(weights) = inputs[1].constant() else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [in_channels, each, height, width] = weights.shape[..] else {
        return Ok(Built::Unsupported(" in other than two dimensions"));
    };
    let groups = usize::try_from(node.integer("group", 1)).unwrap_or(0);
    let out_channels = each.saturating_mul(groups);
    let geometry = match geometry(reader, node, source, [height, width]) {
        Ok(geometry) => geometry,
        Err(why) => return Ok(Built::Unsupported(why)),
    };
    let Some(bias) = bias(node, optional(inputs, 2), out_channels)? else {
        return Ok(Built::Unsupported(" with a computed bias"));
    };
    let weights = weights.weights(&node.name)?;
    let conv = ConvTranspose2d { out_channels, in_channels, groups, weights, bias, ..geometry };
    Ok(Built::Map(Op::ConvTranspose2d(conv), vec![source]))
}

/// All but the weights.
fn geometry(
    reader: &Reader,
    node: &Node,
    source: NodeId,
    kernel: [usize; 2],
) -> Result<ConvTranspose2d, &'static str> {
    let (stride, dilation) = (pair(node, "strides")?, pair(node, "dilations")?);
    let added = match node.integers("output_padding") {
        None | Some([]) => [0, 0],
        Some(&[rows, columns]) => [rows, columns],
        Some(_) => return Err(" in other than two dimensions"),
    };
    let shape = reader.shape(source, 0).ok_or(" of what has no known size")?;
    let sizes = [shape.height, shape.width];
    let reach = |axis: usize| {
        let reach = kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]).saturating_add(1);
        i64::try_from(reach).unwrap_or(i64::MAX)
    };
    // Rows and columns that are left out in all, for an output of so many.
    let beyond = |axis: usize, output: i64| {
        let steps = sizes[axis].saturating_sub(1).saturating_mul(stride[axis]);
        let whole = i64::try_from(steps).unwrap_or(i64::MAX).saturating_add(reach(axis));
        whole.saturating_add(added[axis]).saturating_sub(output)
    };
    let same = |axis: usize| {
        let stride = i64::try_from(stride[axis]).unwrap_or(i64::MAX);
        reach(axis).saturating_sub(stride).saturating_add(added[axis])
    };
    let automatic = node.text("auto_pad").unwrap_or("NOTSET");
    let wanted = node.integers("output_shape").filter(|shape| !shape.is_empty());
    let total = match (wanted, automatic) {
        (Some(&[.., rows, columns]), _) => Some([beyond(0, rows), beyond(1, columns)]),
        (Some(_), _) => return Err(" in other than two dimensions"),
        (None, "SAME_UPPER" | "SAME_LOWER") => Some([same(0).max(0), same(1).max(0)]),
        (None, "VALID" | "NOTSET" | "") => None,
        (None, _) => return Err(" with this padding"),
    };
    let (before, after) = match (total, node.integers("pads")) {
        (Some(total), _) => {
            // What the output has more is added at its end.
            let half = total.map(|total| total.max(0) / 2);
            let rest = total.map(|total| total.max(0) - total.max(0) / 2);
            let more = total.map(|total| total.min(0));
            let (before, after) =
                if automatic == "SAME_UPPER" { (half, rest) } else { (rest, half) };
            (before, [after[0] + more[0], after[1] + more[1]])
        }
        (None, None | Some([])) => ([0, 0], [0, 0]),
        (None, Some(&[top, left, bottom, right])) => ([top, left], [bottom, right]),
        (None, Some(_)) => return Err(" in other than two dimensions"),
    };
    let size = |n: i64| usize::try_from(n).map_err(|_| " with negative padding");
    let signed = |n: i64| isize::try_from(n).map_err(|_| " with too much padding");
    Ok(ConvTranspose2d {
        kernel,
        stride,
        dilation,
        before: [size(before[0])?, size(before[1])?],
        after: [
            signed(after[0].saturating_sub(added[0]))?,
            signed(after[1].saturating_sub(added[1]))?,
        ],
        out_channels: 0,
        in_channels: 0,
        groups: 1,
        weights: Vec::new().into(),
        bias: Vec::new().into(),
    })
}
