//! Products with matrices: fully connected layers, and 1×1 convolutions where there is a row of channels for
//! each position.

use std::sync::Arc;

use graph::{Conv2d, Dense, NodeId, Op, Weights, Window};

use super::attention;
use super::convolution::bias;
use super::form::{Form, Kind, Part};
use super::node::Node;
use super::reader::{Built, Reader, Value, optional};
use super::tensor::Constant;
use crate::ImportError;

/// The most values that a matrix may take in another order.
const MAX_ORDERED: usize = 1 << 22;

/// A matrix with a number for each input and output.
struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Whether a row of the file has all inputs of an output.
    by_output: bool,
}

pub(super) fn gemm(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if node.integer("transA", 0) != 0 {
        return Ok(Built::Unsupported(" of a transposed input"));
    }
    let by_output = node.integer("transB", 0) != 0;
    let Some(weights) = inputs[1].constant() else {
        return Ok(Built::Unsupported(" with computed weights"));
    };
    let [rows, columns] = weights.shape[..] else {
        return Ok(Built::Unsupported(" with weights that are no matrix"));
    };
    let (matrix_inputs, outputs) = if by_output { (columns, rows) } else { (rows, columns) };
    let matrix = Matrix { inputs: matrix_inputs, outputs, by_output };
    let added = match optional(inputs, 2) {
        // One number for all outputs.
        Value::Constant(one) if one.len() == 1 && outputs > 1 => {
            Some(vec![one.floats(&node.name)?[0]; outputs].into())
        }
        other => bias(node, other, outputs)?,
    };
    let Some(added) = added else { return Ok(Built::Unsupported(" with a computed bias")) };
    let beta = node.float("beta", 1.0);
    let added = if beta == 1.0 { added } else { added.iter().map(|x| beta * x).collect() };
    product(reader, node, &inputs[0], weights, &matrix, added)
}

pub(super) fn matmul(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if let Some(built) = attention::products(reader, inputs) {
        return Ok(built);
    }
    let Some(weights) = inputs[1].constant() else {
        return Ok(Built::Unsupported(" of a constant and a value that is computed"));
    };
    // A batch of one matrix is one.
    let count = weights.shape.len();
    let [.., rows, columns] = weights.shape[..] else {
        return Ok(Built::Unsupported(" with weights that are no matrix"));
    };
    if weights.shape[..count - 2].iter().any(|&size| size != 1) {
        return Ok(Built::Unsupported(" with several matrices"));
    }
    let matrix = Matrix { inputs: rows, outputs: columns, by_output: false };
    let zeros = std::iter::repeat_n(0.0, columns).collect();
    product(reader, node, &inputs[0], weights, &matrix, zeros)
}

fn product(
    reader: &Reader,
    node: &Node,
    input: &Value,
    weights: &Constant,
    matrix: &Matrix,
    bias: Arc<[f32]>,
) -> Result<Built, ImportError> {
    let Some((id, form)) = input.node() else {
        return Ok(Built::Unsupported(" of these inputs"));
    };
    let (channels, alpha) = (reader.channels(id), node.float("alpha", 1.0));
    let Some((last, others)) = form.0.split_last() else {
        return Ok(Built::Unsupported(" of one number"));
    };
    let elsewhere = others.iter().flatten().count();
    let (last, count) = (last.clone(), form.size(form.rank() - 1));
    let mut form = form.clone();
    let outputs = matrix.outputs;
    let axis = form.rank() - 1;
    form.0[axis] = vec![Part::whole(Kind::Channels, outputs)];
    let in_a_row = last.iter().all(|part| part.kind == Kind::Channels || part.size == 1)
        && has_all_channels(&last, channels);
    if in_a_row && matrix.inputs == channels {
        // Rows and columns of which there is one in a picture of this size stay what they are.
        let rest: Vec<Part> =
            last.iter().copied().filter(|part| part.kind != Kind::Channels).collect();
        form.0[axis].extend(rest);
        let weights = by_output(weights.weights(&node.name)?, matrix, alpha, None);
        let conv = Conv2d {
            window: Window::new([1, 1], [1, 1]),
            out_channels: outputs,
            in_channels: channels,
            groups: 1,
            weights,
            bias,
        };
        return Ok(Built::Op(Op::Conv2d(conv), vec![id], form));
    }
    if elsewhere > 0 || reader.shape(id, 0).is_none_or(|shape| shape.len() != count) {
        return Ok(Built::Unsupported(" over anything but channels, or all of a picture"));
    }
    let kinds: Vec<Kind> = last.iter().filter(|part| part.size > 1).map(|part| part.kind).collect();
    let straight = is_straight(&kinds);
    // Of a file for pictures of any size, the size is unknown that its weights are for.
    let other_size = straight && !reader.is_fixed && matrix.inputs.checked_rem(channels) == Some(0);
    if matrix.inputs != count && !other_size {
        return Ok(Built::Unsupported(" with weights for another number of inputs"));
    }
    let order = match straight {
        true => None,
        false => match reader.ordered(id, &last) {
            Some(order) => Some(order),
            None => return Ok(Built::Unsupported(" of a picture that was taken apart")),
        },
    };
    let dense = Dense {
        out_features: outputs,
        in_features: matrix.inputs,
        weights: by_output(weights.weights(&node.name)?, matrix, alpha, order),
        bias,
    };
    Ok(Built::Op(Op::Dense(dense), vec![id], Form(form.0)))
}

/// Whether channels, rows and columns come in this order, each in one part.
fn is_straight(kinds: &[Kind]) -> bool {
    kinds.is_sorted_by_key(|kind| match kind {
        Kind::Channels => 0,
        Kind::Rows => 1,
        Kind::Columns => 2,
    }) && kinds.windows(2).all(|pair| pair[0] != pair[1])
}

/// Whether all channels are there in one part.
fn has_all_channels(parts: &[Part], channels: usize) -> bool {
    let mut own = parts.iter().filter(|part| part.kind == Kind::Channels);
    match (own.next(), own.next()) {
        (None, _) => channels == 1,
        (Some(&part), None) => part == Part::whole(Kind::Channels, channels),
        _ => false,
    }
}

/// The weights with all inputs of an output after another, times `alpha`; `order` has for each of the file's
/// inputs its place among the channels, rows and columns here.
fn by_output(weights: Weights, matrix: &Matrix, alpha: f32, order: Option<Vec<usize>>) -> Weights {
    let Matrix { inputs, outputs, by_output } = *matrix;
    if by_output && alpha == 1.0 && order.is_none() {
        return weights;
    }
    weights.map(inputs * outputs, move |from| {
        let mut to = vec![0.0; from.len()];
        for o in 0..outputs {
            for i in 0..inputs {
                let at = if by_output { o * inputs + i } else { i * outputs + o };
                let place = order.as_ref().map_or(i, |order| order[i]);
                to[o * inputs + place] = alpha * from[at];
            }
        }
        to
    })
}

impl Reader {
    /// For each value along an axis that has all of a node, its place among the channels, rows and columns
    /// here, in a picture of the first size.
    fn ordered(&self, id: NodeId, parts: &[Part]) -> Option<Vec<usize>> {
        let shape = self.shape(id, 0)?;
        let count: usize = parts.iter().map(|part| part.size).product();
        if count != shape.len() || count > MAX_ORDERED {
            return None;
        }
        let mut places = vec![0usize; count];
        let mut along = 1;
        for part in parts.iter().rev() {
            let step = part.step
                * match part.kind {
                    Kind::Channels => shape.plane(),
                    Kind::Rows => shape.width,
                    Kind::Columns => 1,
                };
            for (i, place) in places.iter_mut().enumerate() {
                *place += i / along % part.size * step;
            }
            along *= part.size;
        }
        // Each place once.
        let mut seen = vec![false; count];
        let once = places.iter().all(|&at| at < count && !std::mem::replace(&mut seen[at], true));
        once.then_some(places)
    }
}
