//! Caffe's layer types, one builder each.

use std::sync::Arc;

use graph::{
    Affine, AveragePool, Binary, Conv2d, Dense, Lrn, MaxPool, NodeId, Op, Padding, Rounding, Window,
};

use super::blobs::{Array, unpack};
use super::layer::Layer;
use super::{elementwise, geometry};
use crate::ImportError;
use crate::kit::{Activation, Assembly, check_size, normalised_by};

/// What a builder makes of a layer.
pub(super) enum Built {
    /// An operation on all of the layer's inputs.
    Op(Op),
    /// An operation on the layer's inputs for each of its outputs.
    Several(Vec<Op>),
    /// What has been added already.
    Node(NodeId),
    /// What several operations compute value by value.
    Activation(Activation),
    /// Nothing new: other names for the input.
    Same,
    /// What this program does not have, in a few words that go on from the layer's type.
    Unsupported(&'static str),
}

type Builder = fn(&mut Assembly, &Layer, &[NodeId]) -> Result<Built, ImportError>;

/// How many blobs a layer has to have.
type Blobs = fn(&Layer) -> usize;

const BUILDERS: &[(&str, Blobs, Builder)] = &[
    ("BatchNorm", |layer| if layer.blobs.len() == 5 { 5 } else { 3 }, batch_norm),
    ("Bias", |_| 1, elementwise::bias),
    ("Concat", none, concat),
    (
        "Convolution",
        |layer| with_bias(layer.convolution_param.as_ref().and_then(|param| param.bias_term)),
        convolution,
    ),
    ("Crop", none, geometry::crop),
    (
        "Deconvolution",
        |layer| with_bias(layer.convolution_param.as_ref().and_then(|param| param.bias_term)),
        geometry::deconvolution,
    ),
    ("Dropout", none, same),
    ("ELU", none, elementwise::elu),
    ("Eltwise", none, elementwise::eltwise),
    ("Flatten", none, same),
    (
        "InnerProduct",
        |layer| with_bias(layer.inner_product_param.and_then(|param| param.bias_term)),
        inner_product,
    ),
    ("LRN", none, lrn),
    ("PReLU", |_| 1, prelu),
    ("Pooling", none, pooling),
    ("Power", none, elementwise::power),
    ("ReLU", none, relu),
    ("ReLU6", none, |_, _, _| Ok(Built::Activation(Activation::Clipped { most: 6.0 }))),
    ("Scale", scale_blobs, scale),
    ("Sigmoid", none, elementwise::sigmoid),
    ("Slice", none, geometry::slice),
    ("Softmax", none, softmax),
    ("Split", none, same),
    ("TanH", none, elementwise::tanh),
];

fn none(_: &Layer) -> usize {
    0
}

/// The number of blobs of a layer that has weights, and a bias unless it says otherwise.
fn with_bias(bias_term: Option<bool>) -> usize {
    1 + usize::from(bias_term.unwrap_or(true))
}

/// Those of a layer that scales, which has none of them where it is another input that scales.
fn scale_blobs(layer: &Layer) -> usize {
    if layer.bottom.len() > 1 {
        return 0;
    }
    with_bias(Some(layer.scale_param.unwrap_or_default().bias_term))
}

/// Adds what a layer computes; gives each of its outputs' names with the node it now means.
///
/// # Errors
/// Weights that are missing or do not fit, numbers out of bounds.
pub(super) fn build(
    assembly: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Vec<(String, NodeId)>, ImportError> {
    let builder = BUILDERS.iter().find(|(kind, ..)| *kind == layer.r#type);
    let built = match (builder, bottoms) {
        (Some(_), []) => {
            let problem = "it reads nothing".into();
            return Err(ImportError::Layer { layer: layer.name.clone(), problem });
        }
        (Some((_, blobs, builder)), _) => {
            let built = builder(assembly, layer, bottoms)?;
            // What nobody uses would be missing in what the layer computes.
            if !matches!(built, Built::Unsupported(_)) {
                let (expected, found) = (blobs(layer), layer.blobs.len());
                check_size(&layer.name, "the number of its arrays of weights", expected, found)?;
            }
            built
        }
        (None, _) => Built::Unsupported(""),
    };
    let name = layer.output();
    let node = match built {
        Built::Several(ops) => {
            let mut outputs = Vec::with_capacity(ops.len());
            for (top, op) in layer.top.iter().zip(ops) {
                outputs.push((top.clone(), assembly.add(top, op, bottoms)?));
            }
            return Ok(outputs);
        }
        Built::Node(node) => node,
        Built::Op(op) => assembly.add(name, op, bottoms)?,
        Built::Activation(activation) => activation.add(assembly, name, bottoms[0])?,
        Built::Same => {
            // Copies made only so that several layers can read a blob have no names worth keeping.
            if layer.r#type != "Split" {
                assembly.alias(name, bottoms[0]);
            }
            bottoms[0]
        }
        Built::Unsupported(why) => {
            let kind = format!("{}{why}", layer.r#type);
            assembly.add(name, Op::Unsupported { kind }, bottoms)?
        }
    };
    Ok(layer.top.iter().map(|top| (top.clone(), node)).collect())
}

fn same(_: &mut Assembly, _: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    Ok(Built::Same)
}

/// The weights at `index`, or [`ImportError::MissingWeight`].
pub(super) fn weights(layer: &Layer, index: usize, what: &str) -> Result<Array, ImportError> {
    let blob = layer.blobs.get(index).ok_or_else(|| ImportError::MissingWeight {
        layer: layer.name.clone(),
        weight: what.into(),
    })?;
    unpack(&layer.name, blob)
}

/// The bias, or zeros where the layer has none.
pub(super) fn bias(layer: &Layer, has: bool, outputs: usize) -> Result<Arc<[f32]>, ImportError> {
    if !has {
        return Ok(vec![0.0; outputs].into());
    }
    let bias = weights(layer, 1, "bias")?.values(&layer.name)?;
    check_size(&layer.name, "the number of biases", outputs, bias.len())?;
    Ok(bias.into())
}

/// A size in rows and columns: by two fields, or by one that is given once or twice.
pub(super) fn pair(
    rows: Option<u32>,
    columns: Option<u32>,
    both: &[u32],
    default: u32,
) -> [usize; 2] {
    let [first, second] = match both {
        [] => [default; 2],
        [one] => [*one; 2],
        [first, second, ..] => [*first, *second],
    };
    [rows.unwrap_or(first) as usize, columns.unwrap_or(second) as usize]
}

fn convolution(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let param = layer.convolution_param.clone().unwrap_or_default();
    if param.axis.is_some_and(|axis| axis != 1) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    let kernel = pair(param.kernel_h, param.kernel_w, &param.kernel_size, 0);
    let [rows, columns] = pair(param.pad_h, param.pad_w, &param.pad, 0);
    let window = Window {
        kernel,
        stride: pair(param.stride_h, param.stride_w, &param.stride, 1),
        dilation: pair(None, None, &param.dilation, 1),
        padding: Padding::symmetric(rows, columns),
        rounding: Rounding::Floor,
    };
    let weights = weights(layer, 0, "weights")?;
    let [out_channels, in_channels, height, width] = weights.sizes(&layer.name)?;
    let outputs = param.num_output as usize;
    if (out_channels, [height, width]) != (outputs, kernel) {
        return Err(ImportError::Mismatch {
            layer: layer.name.clone(),
            what: "the shape of its weights",
            expected: format!("[{outputs}, inputs, {}, {}]", kernel[0], kernel[1]),
            found: format!("{:?}", weights.shape),
        });
    }
    Ok(Built::Op(Op::Conv2d(Conv2d {
        window,
        out_channels,
        in_channels,
        groups: param.group.unwrap_or(1) as usize,
        weights: weights.weights(&layer.name)?,
        bias: bias(layer, param.bias_term.unwrap_or(true), out_channels)?,
    })))
}

/// Fully connected; over inputs of 1×1 it is a 1×1 convolution, which larger pictures can have too.
fn inner_product(
    assembly: &mut Assembly,
    layer: &Layer,
    bottoms: &[NodeId],
) -> Result<Built, ImportError> {
    let param = layer.inner_product_param.unwrap_or_default();
    if param.axis.is_some_and(|axis| axis != 1) {
        return Ok(Built::Unsupported(" along another axis than the channels"));
    }
    let array = weights(layer, 0, "weights")?;
    let [mut out_features, mut in_features] = array.sizes(&layer.name)?;
    let mut weights = array.weights(&layer.name)?;
    if param.transpose {
        let (ins, outs) = (out_features, in_features);
        (out_features, in_features) = (outs, ins);
        weights = weights.map(ins * outs, move |values| {
            (0..outs).flat_map(|o| (0..ins).map(move |i| values[i * outs + o])).collect()
        });
    }
    check_size(
        &layer.name,
        "the number of outputs its weights are for",
        param.num_output as usize,
        out_features,
    )?;
    let bias = bias(layer, param.bias_term.unwrap_or(true), out_features)?;
    Ok(Built::Op(if assembly.channels(bottoms[0]) == Some(in_features) {
        Op::Conv2d(Conv2d {
            window: Window::new([1, 1], [1, 1]),
            out_channels: out_features,
            in_channels: in_features,
            groups: 1,
            weights,
            bias,
        })
    } else {
        Op::Dense(Dense { out_features, in_features, weights, bias })
    }))
}

fn pooling(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    const AVERAGE: i32 = 1;
    let param = layer.pooling_param.clone().unwrap_or_default();
    if param.global_pooling {
        return Ok(match param.pool {
            AVERAGE => Built::Op(Op::GlobalAveragePool),
            0 => Built::Op(Op::GlobalMaxPool),
            _ => Built::Unsupported(" at random"),
        });
    }
    let [rows, columns] = pair(param.pad_h, param.pad_w, &param.pad, 0);
    let window = Window {
        kernel: pair(param.kernel_h, param.kernel_w, &param.kernel_size, 0),
        stride: pair(param.stride_h, param.stride_w, &param.stride, 1),
        dilation: [1, 1],
        padding: Padding::symmetric(rows, columns),
        rounding: if param.round_mode == 1 { Rounding::Floor } else { Rounding::Ceil },
    };
    Ok(match param.pool {
        0 => Built::Op(Op::MaxPool(MaxPool { window })),
        AVERAGE => Built::Op(Op::AveragePool(AveragePool { window, count_padding: true })),
        _ => Built::Unsupported(" at random"),
    })
}

fn relu(assembly: &mut Assembly, layer: &Layer, bottoms: &[NodeId]) -> Result<Built, ImportError> {
    Ok(match layer.relu_param {
        Some(param) if param.negative_slope != 0.0 => {
            let channels = assembly.channels(bottoms[0]).unwrap_or(0);
            Built::Activation(Activation::Leaky { slope: vec![param.negative_slope; channels] })
        }
        _ => Built::Op(Op::Relu),
    })
}

/// As a ReLU with a slope below zero, which is one for all channels or one for each.
fn prelu(assembly: &mut Assembly, layer: &Layer, bottoms: &[NodeId]) -> Result<Built, ImportError> {
    let mut slope = weights(layer, 0, "slopes")?.values(&layer.name)?;
    if let Some(channels) = assembly.channels(bottoms[0]) {
        if let [one] = slope[..] {
            slope = vec![one; channels];
        }
        check_size(&layer.name, "the number of slopes", channels, slope.len())?;
    }
    Ok(Built::Activation(Activation::Leaky { slope }))
}

fn lrn(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let param = layer.lrn_param.unwrap_or_default();
    if param.norm_region != 0 {
        return Ok(Built::Unsupported(" within channels"));
    }
    let size = param.local_size.unwrap_or(5);
    Ok(Built::Op(Op::Lrn(Lrn {
        size: size as usize,
        alpha: param.alpha.unwrap_or(1.0) / size.max(1) as f32,
        beta: param.beta.unwrap_or(0.75),
        bias: param.k.unwrap_or(1.0),
    })))
}

fn concat(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let param = layer.concat_param.unwrap_or_default();
    let axis = param.axis.map(i64::from).or(param.concat_dim.map(i64::from)).unwrap_or(1);
    Ok(match axis {
        1 | -3 => Built::Op(Op::Concat),
        _ => Built::Unsupported(" along another axis than the channels"),
    })
}

fn softmax(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    Ok(match layer.softmax_param.and_then(|param| param.axis).unwrap_or(1) {
        1 | -3 => Built::Op(Op::Softmax),
        _ => Built::Unsupported(" along another axis than the channels"),
    })
}

/// `(x − mean) / sqrt(variance + eps)`, with mean and variance summed over as many as the third
/// blob says.
fn batch_norm(_: &mut Assembly, layer: &Layer, _: &[NodeId]) -> Result<Built, ImportError> {
    let eps = layer.batch_norm_param.and_then(|param| param.eps).unwrap_or(1e-5);
    let mean = weights(layer, 0, "mean")?.values(&layer.name)?;
    let variance = weights(layer, 1, "variance")?.values(&layer.name)?;
    check_size(&layer.name, "the number of variances", mean.len(), variance.len())?;
    let count = weights(layer, 2, "number of means")?.values(&layer.name)?;
    let count = count.first().map_or(0.0, |&x| f64::from(x));
    let factor = if count == 0.0 { 0.0 } else { 1.0 / count };
    // NVIDIA's Caffe keeps the scale and shift that follow in the same layer.
    let (gamma, beta) = if layer.blobs.len() == 5 {
        let read = |index, what| weights(layer, index, what)?.values(&layer.name);
        (read(3, "scale")?, read(4, "shift")?)
    } else {
        (vec![1.0; mean.len()], vec![0.0; mean.len()])
    };
    check_size(&layer.name, "the number of scales", mean.len(), gamma.len())?;
    check_size(&layer.name, "the number of shifts", mean.len(), beta.len())?;
    let statistics = mean.iter().zip(&variance).zip(gamma.iter().zip(&beta));
    let (scale, shift): (Vec<f32>, Vec<f32>) = statistics
        .map(|((&mean, &variance), (&gamma, &beta))| {
            let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(f64::from);
            let (scale, shift) =
                normalised_by([gamma, beta, mean * factor, variance * factor], eps);
            (scale as f32, shift as f32)
        })
        .unzip();
    Ok(Built::Op(Op::Affine(Affine { scale: scale.into(), shift: shift.into() })))
}

fn scale(_: &mut Assembly, layer: &Layer, bottoms: &[NodeId]) -> Result<Built, ImportError> {
    let param = layer.scale_param.unwrap_or_default();
    // A gate: a number for each channel, or for each value, that is computed.
    if bottoms.len() == 2 && param.axis == Some(0) && !param.bias_term {
        return Ok(Built::Op(Op::Binary(Binary::Mul)));
    }
    let by_channel = param.axis.unwrap_or(1) == 1 && param.num_axes.unwrap_or(1) == 1;
    if bottoms.len() != 1 || !by_channel {
        return Ok(Built::Unsupported(" by anything but a number for each channel"));
    }
    let scale: Arc<[f32]> = weights(layer, 0, "scale")?.values(&layer.name)?.into();
    let shift = bias(layer, param.bias_term, scale.len())?;
    Ok(Built::Op(Op::Affine(Affine { scale, shift })))
}
