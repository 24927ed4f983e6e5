//! Batch normalisation, local response normalisation, softmax.

use graph::{Affine, Lrn, Op};

use super::convolution::row;
use super::groups;
use super::node::Node;
use super::reader::{Built, NO_MAP, Reader, Value};
use crate::ImportError;
use crate::kit::{Array, Values, normalised_by};

/// `scale · (x − mean) / √(variance + epsilon) + shift`, with one of each for each channel: a scale and a shift.
pub(super) fn batch(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    if form.rank() < 2 || !form.is_channels(1, channels) {
        return Ok(Built::Unsupported(" over anything but the channels"));
    }
    let mut rows = Vec::with_capacity(4);
    for input in &inputs[1..] {
        let Some(constant) = input.constant() else {
            return Ok(Built::Unsupported(" with computed statistics"));
        };
        rows.push(row(node, constant, channels, "the number of statistics")?);
    }
    let [scale, shift, mean, variance] = &rows[..] else { return Ok(NO_MAP) };
    let epsilon = node.float("epsilon", 1e-5);
    let of = |c: usize| {
        normalised_by([scale[c], shift[c], mean[c], variance[c]].map(f64::from), epsilon)
    };
    let affine = Affine {
        scale: (0..channels).map(|c| of(c).0 as f32).collect(),
        shift: (0..channels).map(|c| of(c).1 as f32).collect(),
    };
    Ok(Built::Op(Op::Affine(affine), vec![id], form.clone()))
}

/// Local response normalisation across channels; its alpha is for the whole window.
pub(super) fn lrn(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some(source) = reader.map(&node.name, &inputs[0])? else { return Ok(NO_MAP) };
    let size = usize::try_from(node.integer("size", 0)).unwrap_or(0);
    let lrn = Lrn {
        size,
        alpha: node.float("alpha", 1e-4) / size as f32,
        beta: node.float("beta", 0.75),
        bias: node.float("bias", 1.0),
    };
    Ok(Built::Map(Op::Lrn(lrn), vec![source]))
}

/// Softmax across the channels. Until opset 12 it goes over all axes from one on.
pub(super) fn softmax(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let Some((id, form)) = inputs[0].node() else { return Ok(NO_MAP) };
    let channels = reader.channels(id);
    let old = node.opset < 13;
    let axis = form.axis(node.integer("axis", if old { 1 } else { -1 }));
    let across = axis.is_some_and(|axis| {
        let rest = &form.0[axis + 1..];
        form.has_channels(axis, channels)
            && (!old || rest.iter().flatten().all(|part| part.size == 1))
    });
    if across {
        return Ok(Built::Op(Op::Softmax, vec![id], form.clone()));
    }
    let of_part = match axis.filter(|_| !old || form.rank() == 2) {
        Some(axis) => groups::softmax(reader, node, (id, &form.clone()), axis)?,
        None => None,
    };
    Ok(of_part.unwrap_or(Built::Unsupported(" over anything but the channels")))
}

/// Batch normalisation of a constant, as of weights that are standardised while the network runs: by its own mean and
/// variance for each step along the second axis in training, else by those that are given.
pub(super) fn of_constants(node: &Node, inputs: &[Option<Array>]) -> Option<Array> {
    let row = |index: usize| -> Option<Vec<f64>> {
        let array = inputs.get(index)?.clone()?.into_floats();
        Some(array.as_floats()?.iter().map(|&x| x.into()).collect())
    };
    let array = inputs.first()?.clone()?.into_floats();
    let (shape, values) = (array.shape().to_vec(), array.as_floats()?);
    let [scale, shift, mut means, mut variances] = [row(1)?, row(2)?, row(3)?, row(4)?];
    let channels = *shape.get(1)?;
    // One channel after another, again and again.
    let inner: usize = shape[2..].iter().product();
    let blocks = || values.chunks(inner.max(1)).zip((0..channels).cycle());
    if node.integer("training_mode", 0) != 0 {
        let count = values.len() as f64 / channels as f64;
        means = sums(blocks(), channels, |x, _| x / count);
        variances = sums(blocks(), channels, |x, c| (x - means[c]).powi(2) / count);
    }
    if [&scale, &shift, &means, &variances].iter().any(|row| row.len() != channels) {
        return None;
    }
    let epsilon = node.float("epsilon", 1e-5);
    let numbers: Vec<(f64, f64)> = (0..channels)
        .map(|c| normalised_by([scale[c], shift[c], means[c], variances[c]], epsilon))
        .collect();
    let mut normalised = Vec::with_capacity(values.len());
    for (block, c) in blocks() {
        let (factor, rest) = numbers[c];
        normalised.extend(block.iter().map(|&x| (f64::from(x) * factor + rest) as f32));
    }
    Array::new(shape, Values::Floats(normalised))
}

/// For each channel, the sum of `term` of all of its values.
fn sums<'a>(
    blocks: impl Iterator<Item = (&'a [f32], usize)>,
    channels: usize,
    term: impl Fn(f64, usize) -> f64,
) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for (block, c) in blocks {
        sums[c] = block.iter().fold(sums[c], |sum, &x| sum + term(x.into(), c));
    }
    sums
}
