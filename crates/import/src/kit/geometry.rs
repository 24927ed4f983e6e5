//! Bounds of what moves channels and pixels.

use graph::{ConvTranspose2d, Extent, Op, Resize};

use super::assembly::{MAX_CHANNELS, MAX_WINDOW};
use super::limits::{check_size, within};
use crate::ImportError;

/// The most that one operation may enlarge rows or columns, or make of channels along one axis.
const MAX_SCALE: usize = 64;

/// The most channels that become rows or columns, of which there are as many times fewer.
pub(crate) const MAX_BLOCK: usize = 1 << 12;
/// The most rows or columns that an activation may be resized to.
const MAX_EXTENT: usize = 1 << 14;

/// Checks what an operation says of itself; those that move neither channels nor pixels are not looked at.
///
/// # Errors
/// What is out of bounds, by the node's name.
pub(super) fn check_geometry(name: &str, op: &Op) -> Result<(), ImportError> {
    match op {
        Op::ConvTranspose2d(conv) => check_conv_transpose(name, conv),
        Op::SelectChannels(select) => {
            within(name, "the number of input channels", select.in_channels, 1, MAX_CHANNELS)?;
            within(name, "the number of channels", select.channels.len(), 1, MAX_CHANNELS)?;
            let largest = select.channels.iter().copied().max().unwrap_or(0);
            within(name, "the number of a channel", largest, 0, select.in_channels - 1)
        }
        Op::DepthToSpace(shuffle) => check_block(name, shuffle.block),
        Op::SpaceToDepth(shuffle) => check_block(name, shuffle.0.block),
        Op::Pad(pad) => {
            for padding in pad.rows.into_iter().chain(pad.columns) {
                within(name, "the padding", padding, 0, MAX_WINDOW)?;
            }
            if pad.fill().is_nan() {
                return Err(problem(name, "it pads with what is no number"));
            }
            Ok(())
        }
        Op::Crop(crop) if crop.rows.step == 0 || crop.columns.step == 0 => {
            Err(problem(name, "it slices with a step of 0"))
        }
        Op::Resize(Resize { size, .. }) => {
            for extent in size {
                match *extent {
                    Extent::Fixed(extent) => {
                        within(name, "the size it makes", extent, 1, MAX_EXTENT)?;
                    }
                    Extent::OfSecond => {}
                    Extent::Scale(scale) if scale > 0.0 && scale <= MAX_SCALE as f32 => {}
                    Extent::Scale(scale) => {
                        let what = format!("it resizes by {scale}; up to {MAX_SCALE} is possible");
                        return Err(problem(name, &what));
                    }
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn problem(name: &str, problem: &str) -> ImportError {
    ImportError::Layer { layer: name.into(), problem: problem.into() }
}

fn check_block(name: &str, block: [usize; 2]) -> Result<(), ImportError> {
    within(name, "the height of its blocks", block[0], 1, MAX_BLOCK)?;
    within(name, "the width of its blocks", block[1], 1, MAX_BLOCK)
}

fn check_conv_transpose(name: &str, conv: &ConvTranspose2d) -> Result<(), ImportError> {
    for axis in 0..2 {
        within(name, "the kernel's size", conv.kernel[axis], 1, MAX_WINDOW)?;
        within(name, "the stride", conv.stride[axis], 1, MAX_SCALE)?;
        within(name, "the dilation", conv.dilation[axis], 1, MAX_WINDOW)?;
        within(name, "the padding", conv.before[axis], 0, MAX_WINDOW)?;
        within(name, "the padding", conv.after[axis].unsigned_abs(), 0, MAX_WINDOW)?;
    }
    for (what, channels) in [("output", conv.out_channels), ("input", conv.in_channels)] {
        within(name, "the number of channels", channels, 1, MAX_CHANNELS)?;
        within(name, "the number of groups", conv.groups, 1, MAX_CHANNELS)?;
        if !channels.is_multiple_of(conv.groups) {
            let what = format!("its {channels} {what} channels do not make {} groups", conv.groups);
            return Err(problem(name, &what));
        }
    }
    let stride = conv.stride[0] * conv.stride[1];
    let all = conv.out_channels.saturating_mul(stride);
    within(name, "the number of channels for all pixels of its stride", all, 1, MAX_CHANNELS)?;
    let sizes = [conv.out_channels / conv.groups, conv.kernel[0], conv.kernel[1]];
    let expected = sizes.into_iter().fold(conv.in_channels, usize::saturating_mul);
    check_size(name, "the number of weights", expected, conv.weights.len())?;
    check_size(name, "the number of biases", conv.out_channels, conv.bias.len())
}

/// How many weights a transposed convolution has at the most as a convolution of stride 1.
pub(super) fn expanded_weights(conv: &ConvTranspose2d) -> usize {
    let along = |axis: usize| {
        conv.kernel[axis].saturating_mul(conv.dilation[axis]).saturating_add(2 * conv.stride[axis])
    };
    let pairs = conv.in_channels.saturating_mul(conv.out_channels / conv.groups.max(1));
    pairs.saturating_mul(along(0)).saturating_mul(along(1))
}

#[cfg(test)]
mod tests {
    use graph::{
        BlockOrder, Coordinates, Crop, Cut, DepthToSpace, Interpolation, Pad, PadMode,
        SelectChannels,
    };

    use super::super::assembly::Assembly;
    use super::*;

    fn transposed(stride: usize, kernel: usize, outs: usize) -> Op {
        Op::ConvTranspose2d(ConvTranspose2d {
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1, 1],
            before: [0, 0],
            after: [0, 0],
            out_channels: outs,
            in_channels: 3,
            groups: 1,
            weights: vec![0.0; 3 * outs * kernel * kernel].into(),
            bias: vec![0.0; outs].into(),
        })
    }

    fn added(op: Op) -> Result<graph::NodeId, ImportError> {
        let mut assembly = Assembly::new("picture", 3).unwrap();
        let input = assembly.input();
        assembly.add("layer", op, &[input])
    }

    #[test]
    fn what_no_network_has_is_refused() {
        let select = |channels: &[usize]| {
            Op::SelectChannels(SelectChannels { in_channels: 3, channels: channels.into() })
        };
        let shuffle =
            |block| Op::DepthToSpace(DepthToSpace { block, order: BlockOrder::PixelsFirst });
        let pad = |above, mode| Op::Pad(Pad { rows: [above, 0], columns: [0, 0], mode });
        let crop =
            |step| Op::Crop(Crop { rows: Cut { start: 0, end: 9, step }, columns: Cut::ALL });
        let resize = |extent| {
            let (coordinates, interpolation) = (Coordinates::HalfPixel, Interpolation::Linear);
            Op::Resize(Resize { size: [extent; 2], coordinates, interpolation })
        };
        for good in [
            select(&[2, 1, 0, 0]),
            shuffle([3, 1]),
            pad(MAX_WINDOW, PadMode::Reflect),
            crop(-1),
            resize(Extent::Scale(2.0)),
            transposed(2, 4, 8),
        ] {
            added(good).unwrap();
        }
        for bad in [
            select(&[3]),
            select(&[]),
            shuffle([2, 1]),
            shuffle([0, 3]),
            pad(MAX_WINDOW + 1, PadMode::Edge),
            pad(1, PadMode::Constant(f32::NAN)),
            crop(0),
            resize(Extent::Scale(0.0)),
            resize(Extent::Scale(f32::NAN)),
            resize(Extent::Scale(65.0)),
            resize(Extent::Fixed(0)),
            resize(Extent::Fixed(MAX_EXTENT + 1)),
            transposed(65, 4, 8),
            transposed(64, 1, 65),
        ] {
            let described = format!("{bad:?}");
            assert!(added(bad).is_err(), "{described}");
        }
    }

    #[test]
    fn a_stride_cannot_make_endless_weights_of_few() {
        // A weight for each pair of channels, that would become 129 × 129.
        let mut assembly = Assembly::new("picture", 3).unwrap();
        let mut last = assembly.input();
        let count = (0..5000).take_while(|index| {
            let added = assembly.add(&format!("layer{index}"), transposed(64, 1, 3), &[last]);
            added.map(|node| last = node).is_ok()
        });
        assert_eq!(count.count(), (1 << 29) / (9 * 129 * 129 + 3));
    }
}
