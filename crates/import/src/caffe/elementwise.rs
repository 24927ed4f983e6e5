//! Caffe's layers that work value by value.

use graph::{Affine, Binary, NodeId, Op, Unary};

use super::layer::Layer;
use super::ops::{Built, weights};
use crate::ImportError;
use crate::kit::{Assembly, check_size};

pub(super) fn sigmoid(_: &mut Assembly, _: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    Ok(Built::Op(Op::Unary(Unary::Sigmoid)))
}

pub(super) fn tanh(_: &mut Assembly, _: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    Ok(Built::Op(Op::Unary(Unary::Tanh)))
}

pub(super) fn elu(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let alpha = layer.elu_param.and_then(|param| param.alpha).unwrap_or(1.0);
    Ok(Built::Op(Op::Unary(Unary::Elu { alpha })))
}

/// `(shift + scale · x)^power`
pub(super) fn power(
    assembly: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Built, ImportError> {
    let param = layer.power_param.unwrap_or_default();
    let Some(channels) = assembly.channels(bottoms[0]) else {
        return Ok(Built::Unsupported(" of what is not supported"));
    };
    let scale = vec![param.scale.unwrap_or(1.0); channels].into();
    let shift = vec![param.shift; channels].into();
    let affine = Op::Affine(Affine { scale, shift });
    let exponent = param.power.unwrap_or(1.0);
    if exponent == 1.0 {
        return Ok(Built::Op(affine));
    }
    let base = assembly.add(layer.output(), affine, bottoms)?;
    let power = Op::Unary(Unary::Pow { exponent });
    Ok(Built::Node(assembly.add(layer.output(), power, &[base])?))
}

/// One number for each channel, added.
pub(super) fn bias(
    _: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Built, ImportError> {
    let param = layer.bias_param.unwrap_or_default();
    let by_channel = param.axis.unwrap_or(1) == 1 && param.num_axes.unwrap_or(1) == 1;
    if bottoms.len() != 1 || !by_channel {
        return Ok(Built::Unsupported(" by anything but a number for each channel"));
    }
    let shift = weights(layer, 0, "bias")?.values(&layer.name)?;
    let scale = vec![1.0; shift.len()].into();
    Ok(Built::Op(Op::Affine(Affine { scale, shift: shift.into() })))
}

/// Sums, with factors or without, products, and the largest of several.
pub(super) fn eltwise(
    assembly: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Built, ImportError> {
    const PRODUCT: i32 = 0;
    const SUM: i32 = 1;
    let param = layer.eltwise_param.clone().unwrap_or_default();
    let all: Option<Vec<usize>> = bottoms.iter().map(|&id| assembly.channels(id)).collect();
    let Some(channels) = all else {
        return Ok(Built::Unsupported(" of what is not supported"));
    };
    for &other in &channels {
        check_size(&layer.name, "the number of channels of each input", channels[0], other)?;
    }
    let name = layer.output();
    Ok(match param.operation.unwrap_or(SUM) {
        SUM if param.coeff.iter().all(|&factor| factor == 1.0) => Built::Op(Op::Add),
        SUM => {
            check_size(&layer.name, "the number of factors", bottoms.len(), param.coeff.len())?;
            let mut scaled = Vec::with_capacity(bottoms.len());
            for (&bottom, &factor) in bottoms.iter().zip(&param.coeff) {
                let scale = vec![factor; channels[0]].into();
                let affine = Affine { scale, shift: vec![0.0; channels[0]].into() };
                scaled.push(assembly.add(name, Op::Affine(affine), &[bottom])?);
            }
            Built::Node(assembly.add(name, Op::Add, &scaled)?)
        }
        PRODUCT => {
            let mut product = bottoms[0];
            for &bottom in &bottoms[1..] {
                product = assembly.add(name, Op::Binary(Binary::Mul), &[product, bottom])?;
            }
            Built::Node(product)
        }
        // a + max(b − a, 0)
        _ => {
            let mut largest = bottoms[0];
            for &bottom in &bottoms[1..] {
                let more = assembly.add(name, Op::Binary(Binary::Sub), &[bottom, largest])?;
                let more = assembly.add(name, Op::Relu, &[more])?;
                largest = assembly.add(name, Op::Add, &[largest, more])?;
            }
            Built::Node(largest)
        }
    })
}
