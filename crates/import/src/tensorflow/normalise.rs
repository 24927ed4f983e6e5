//! Batch normalisation of TensorFlow, with its trained statistics, as a scale and a shift by channel.

use graph::{Affine, Op};

use super::proto::NodeDef;
use super::reader::{Built, Form, Layout, Reader, Value, input};
use crate::ImportError;
use crate::kit::{check_size, normalised_by};

/// Inputs: x, scale, offset, mean, variance.
pub(super) fn fused(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(Form::Map(layout)) = input(node, inputs, 0)?.form()
        && Layout::of(node) != Some(layout)
    {
        return Ok(Built::Unsupported(layout.not_taken()));
    }
    if node.bool("is_training", true) {
        return Ok(Built::Unsupported(" that is still in training"));
    }
    let names = ["scale", "offset", "mean", "variance"];
    let epsilon = node.float("epsilon", 1e-4);
    fold(reader, node, inputs, names, |statistics| normalised_by(statistics, epsilon))
}

/// Inputs: x, mean, variance, beta, gamma.
pub(super) fn global_normalization(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let names = ["mean", "variance", "beta", "gamma"];
    let epsilon = node.float("variance_epsilon", 1e-3);
    let scaled = node.bool("scale_after_normalization", false);
    fold(reader, node, inputs, names, |[mean, variance, beta, gamma]| {
        let gamma = if scaled { gamma } else { 1.0 };
        normalised_by([gamma, beta, mean, variance], epsilon)
    })
}

/// A scale and a shift for each channel, from four numbers of it.
fn fold(
    reader: &Reader,
    node: &NodeDef,
    inputs: &[Value],
    names: [&'static str; 4],
    formula: impl Fn([f64; 4]) -> (f64, f64),
) -> Result<Built, ImportError> {
    let source = input(node, inputs, 0)?;
    let Some(id) = source.node().filter(|_| !matches!(source.form(), Some(Form::Row(_)))) else {
        return Ok(Built::Unsupported(" of what is no picture"));
    };
    let mut parameters = Vec::with_capacity(4);
    for (index, what) in names.into_iter().enumerate() {
        let Some(constant) = reader.constant(input(node, inputs, index + 1)?) else {
            return Ok(Built::Unsupported(" with computed statistics"));
        };
        let values = constant.floats(&node.name)?;
        let expected = parameters.first().map_or(values.len(), Vec::len);
        check_size(&node.name, what, expected, values.len())?;
        parameters.push(values);
    }
    let (scale, shift): (Vec<f32>, Vec<f32>) = (0..parameters[0].len())
        .map(|c| formula([0, 1, 2, 3].map(|i| f64::from(parameters[i][c]))))
        .map(|(scale, shift)| (scale as f32, shift as f32))
        .unzip();
    let affine = Affine { scale: scale.into(), shift: shift.into() };
    Ok(Built::Op(Op::Affine(affine), vec![id]))
}
