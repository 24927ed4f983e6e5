//! Attention, which exporters write as products of two values, a softmax, and a product of that with a third.
//!
//! Products of all queries with all keys are no map of a picture: there are more of them the larger it is. They
//! only stand for what is computed in one operation once they meet the values.

use std::sync::Arc;

use graph::{Attention, NodeId, Op};

use super::elementwise::number;
use super::form::{Form, Kind, Part};
use super::node::Node;
use super::reader::{Built, Reader, Value};
use crate::ImportError;
use crate::kit::place;

/// Products of queries and keys, or what a softmax has made of them.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    pub(super) queries: NodeId,
    pub(super) keys: NodeId,
    /// How the queries are laid out.
    form: Form,
    heads: Heads,
    scale: f32,
    /// Whether they have been through the softmax.
    weights: bool,
}

/// The groups of channels that attend by themselves, and the axis along which they are, if there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Heads {
    count: usize,
    axis: Option<usize>,
}

/// What is known of an attention; later versions have more, such as a window around each query.
const ATTRIBUTES: [&str; 7] = [
    "is_causal",
    "kv_num_heads",
    "q_num_heads",
    "qk_matmul_output_mode",
    "scale",
    "softcap",
    "softmax_precision",
];

const OF_TWO: Built = Built::Unsupported(" of two values that are computed");
const UNLIKE: Built = Built::Unsupported(" of queries, keys and values that do not fit each other");
const OTHER: Built = Built::Unsupported(" of products of queries and keys");

/// The products of two values of which one has queries and the other has keys, transposed.
pub(super) fn products(reader: &Reader, inputs: &[Value]) -> Option<Built> {
    let ((queries, form), (keys, other)) = (inputs[0].node()?, inputs[1].node()?);
    let rank = form.rank();
    if rank < 2 || other.rank() != rank {
        return Some(OF_TWO);
    }
    let heads = reader.heads(queries, form, rank - 1, rank - 2);
    if heads.is_none() || heads != reader.heads(keys, other, rank - 2, rank - 1) {
        return Some(OF_TWO);
    }
    if reader.channels(queries) != reader.channels(keys) {
        return Some(OF_TWO);
    }
    let (heads, form) = (heads?, form.clone());
    let scores = Scores { queries, keys, form, heads, scale: 1.0, weights: false };
    Some(Built::same(Value::Scores(Arc::new(scores))))
}

/// Attention as one operation, which files of opset 23 and later have: of a batch of heads, or of channels that are
/// divided into heads.
pub(super) fn whole(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    if inputs[3..].iter().any(|input| !input.is_nothing()) {
        return Ok(Built::Unsupported(" with a mask or what came before"));
    }
    if !node.has_only(&ATTRIBUTES) {
        return Ok(Built::Unsupported(" with attributes that are not known"));
    }
    if node.integer("is_causal", 0) != 0 || node.float("softcap", 0.0) != 0.0 {
        return Ok(Built::Unsupported(" of what came before alone, or with a bound"));
    }
    let (Some((q, form)), Some((k, of_keys)), Some((v, of_values))) =
        (inputs[0].node(), inputs[1].node(), inputs[2].node())
    else {
        return Ok(UNLIKE);
    };
    let rank = form.rank();
    if ![3, 4].contains(&rank) || [of_keys, of_values].iter().any(|form| form.rank() != rank) {
        return Ok(UNLIKE);
    }
    let of = |id: NodeId, form: &Form| reader.heads(id, form, rank - 1, rank - 2);
    let found = of(q, form);
    let alike = found == of(k, of_keys)
        && found == of(v, of_values)
        && reader.channels(q) == reader.channels(k);
    if !alike {
        return Ok(UNLIKE);
    }
    let Some(Heads { mut count, axis }) = found else { return Ok(UNLIKE) };
    if rank == 3 {
        let heads = |name: &str| usize::try_from(node.integer(name, 0)).unwrap_or(0);
        count = heads("q_num_heads");
        let divides = |id: NodeId| count > 0 && reader.channels(id).is_multiple_of(count);
        if heads("kv_num_heads") != count || !divides(q) || !divides(v) {
            return Ok(Built::Unsupported(" of heads that share keys"));
        }
    }
    let usual = 1.0 / ((reader.channels(q) / count) as f32).sqrt();
    let scores = Scores {
        queries: q,
        keys: k,
        form: form.clone(),
        heads: Heads { count: if rank == 3 { 1 } else { count }, axis },
        scale: node.float("scale", usual),
        weights: true,
    };
    Ok(match mean(reader, &scores, &inputs[2]) {
        Built::Op(Op::Attention(attention), inputs, form) => {
            Built::Op(Op::Attention(Attention { heads: count, ..attention }), inputs, form)
        }
        other => other,
    })
}

/// What a node makes of products of queries and keys.
pub(super) fn step(
    reader: &mut Reader,
    node: &Node,
    inputs: &[Value],
) -> Result<Built, ImportError> {
    let (scores, other) = match inputs {
        [Value::Scores(scores)] => (scores, &Value::Nothing),
        [Value::Scores(scores), other, ..] | [other, Value::Scores(scores)] => (scores, other),
        _ => return Ok(OTHER),
    };
    let first = matches!(inputs[0], Value::Scores(_));
    let scaled = |by: f32| {
        let scale = scores.scale * by;
        Built::same(Value::Scores(Arc::new(Scores { scale, ..(**scores).clone() })))
    };
    Ok(match (node.op.as_str(), number(other)) {
        ("Identity" | "Dropout" | "Cast" | "CastLike", _) if first => {
            Built::same(inputs[0].clone())
        }
        ("Mul", Some(by)) if !scores.weights => scaled(by),
        ("Div", Some(by)) if !scores.weights && first => scaled(1.0 / by),
        ("Softmax", _) if !scores.weights => {
            let usual = if node.opset < 13 { 1 } else { -1 };
            let rank = scores.form.rank();
            if place(node.integer("axis", usual), rank) != Some(rank - 1) {
                return Ok(Built::Unsupported(" over anything but the keys"));
            }
            Built::same(Value::Scores(Arc::new(Scores { weights: true, ..(**scores).clone() })))
        }
        ("Add", _) => Built::Unsupported(" of a number for each pair of positions"),
        ("MatMul", _) if scores.weights && first => mean(reader, scores, other),
        _ => OTHER,
    })
}

/// The means of values by their weights.
fn mean(reader: &Reader, scores: &Scores, values: &Value) -> Built {
    let Some((id, form)) = values.node() else { return OTHER };
    let rank = scores.form.rank();
    let alike = form.rank() == rank
        && reader.heads(id, form, rank - 1, rank - 2) == Some(scores.heads)
        && reader.shape(id, 0).map(|shape| shape.size())
            == reader.shape(scores.keys, 0).map(|shape| shape.size());
    if !alike {
        return OTHER;
    }
    let each = reader.channels(id) / scores.heads.count;
    let mut result = scores.form.clone();
    result.0[rank - 1] = vec![Part::whole(Kind::Channels, each)];
    if let Some(axis) = scores.heads.axis {
        result.0[axis] = vec![Part { kind: Kind::Channels, size: scores.heads.count, step: each }];
    }
    let attention = Attention { heads: scores.heads.count, scale: scores.scale };
    Built::Op(Op::Attention(attention), vec![scores.queries, scores.keys, id], result)
}

impl Reader {
    /// The heads of a value that has the channels of each along one axis, all positions along another, and the
    /// heads along a third if there are several.
    fn heads(&self, id: NodeId, form: &Form, channels: usize, positions: usize) -> Option<Heads> {
        let each = match form.0[channels][..] {
            [] => 1,
            [part] if part.kind == Kind::Channels && part.step == 1 => part.size,
            _ => return None,
        };
        if !self.has_positions(id, form, positions) {
            return None;
        }
        let others = (0..form.rank()).filter(|axis| ![channels, positions].contains(axis));
        let mut others = others.filter(|&axis| !form.0[axis].is_empty());
        let (first, second) = (others.next(), others.next());
        let heads = match (first, second) {
            (None, _) => Heads { count: 1, axis: None },
            (Some(axis), None) => match form.0[axis][..] {
                [part] if part.kind == Kind::Channels && part.step == each => {
                    Heads { count: part.size, axis: Some(axis) }
                }
                _ => return None,
            },
            _ => return None,
        };
        (heads.count.checked_mul(each)? == self.channels(id)).then_some(heads)
    }

    /// Whether an axis has all rows and columns of a node, row by row, and nothing else.
    pub(super) fn has_positions(&self, id: NodeId, form: &Form, axis: usize) -> bool {
        let Some(shape) = self.shape(id, 0) else { return false };
        let all = [Part::whole(Kind::Rows, shape.height), Part::whole(Kind::Columns, shape.width)];
        let several = |part: &&Part| part.size != 1;
        form.0[axis].iter().filter(several).eq(all.iter().filter(several))
    }
}
