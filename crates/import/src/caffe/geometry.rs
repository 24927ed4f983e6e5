//! Caffe's layers that move channels, rows and columns.

use graph::{ConvTranspose2d, CropLike, NodeId, Op, SelectChannels};

use super::layer::Layer;
use super::ops::{Built, bias, pair, weights};
use crate::ImportError;
use crate::kit::{Assembly, check_size};

pub(super) fn deconvolution(
    _: &mut Assembly,
    layer: &Layer,
    _: &[NodeId],
) -> Result<Built, ImportError> {
    let param = layer.convolution_param.clone().unwrap_or_default();
    if param.axis.is_some_and(|axis| axis != 1) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    let kernel = pair(param.kernel_h, param.kernel_w, &param.kernel_size, 0);
    let padding = pair(param.pad_h, param.pad_w, &param.pad, 0);
    let (groups, out_channels) = (param.group.unwrap_or(1) as usize, param.num_output as usize);
    let weights = weights(layer, 0, "weights")?;
    let [in_channels, outputs, height, width] = weights.sizes(&layer.name)?;
    let expected = out_channels.checked_div(groups).unwrap_or(0);
    check_size(&layer.name, "the number of outputs its weights are for", expected, outputs)?;
    check_size(&layer.name, "the height of its weights", kernel[0], height)?;
    check_size(&layer.name, "the width of its weights", kernel[1], width)?;
    Ok(Built::Op(Op::ConvTranspose2d(ConvTranspose2d {
        kernel,
        stride: pair(param.stride_h, param.stride_w, &param.stride, 1),
        dilation: pair(None, None, &param.dilation, 1),
        before: padding,
        after: padding.map(|padding| padding as isize),
        out_channels,
        in_channels,
        groups,
        bias: bias(layer, param.bias_term.unwrap_or(true), out_channels)?,
        weights: weights.weights(&layer.name)?,
    })))
}

/// The channels divided among the outputs: at the points that the layer states, or equally.
pub(super) fn slice(
    assembly: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Built, ImportError> {
    let param = layer.slice_param.clone().unwrap_or_default();
    let axis = param.axis.map(i64::from).or(param.slice_dim.map(i64::from)).unwrap_or(1);
    if !matches!(axis, 1 | -3) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    let Some(channels) = assembly.channels(bottoms[0]) else {
        return Ok(Built::Unsupported(" of what is not supported"));
    };
    let count = layer.top.len().max(1);
    let mut ends: Vec<usize> = param.slice_point.iter().map(|&point| point as usize).collect();
    if ends.is_empty() {
        if !channels.is_multiple_of(count) {
            let problem = format!("{channels} channels cannot be divided by {count}");
            return Err(ImportError::Layer { layer: layer.name.clone(), problem });
        }
        ends = (1..count).map(|part| channels / count * part).collect();
    }
    check_size(&layer.name, "the number of points", count - 1, ends.len())?;
    let mut starts = vec![0];
    starts.append(&mut ends.clone());
    ends.push(channels);
    if starts.iter().zip(&ends).any(|(start, end)| start >= end) {
        let problem = format!("its points do not divide {channels} channels");
        return Err(ImportError::Layer { layer: layer.name.clone(), problem });
    }
    let part = |(start, end): (usize, usize)| {
        Op::SelectChannels(SelectChannels {
            in_channels: channels,
            channels: (start..end).collect(),
        })
    };
    Ok(Built::Several(starts.into_iter().zip(ends).map(part).collect()))
}

/// As many rows and columns of the first input as the second has.
pub(super) fn crop(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let param = layer.crop_param.clone().unwrap_or_default();
    if !matches!(param.axis.unwrap_or(2), 2 | -2) {
        return Ok(Built::Unsupported(" of other than rows and columns"));
    }
    let offset = match param.offset[..] {
        [] => [0, 0],
        [both] => [both as usize; 2],
        [rows, columns] => [rows as usize, columns as usize],
        _ => return Ok(Built::Unsupported(" by more offsets than there are axes")),
    };
    Ok(Built::Op(Op::CropLike(CropLike { offset })))
}
