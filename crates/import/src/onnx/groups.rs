//! What is computed across a part of the channels, such as the branches that split attention weighs: sums, means,
//! largest values and softmax.

use graph::{NodeId, Op};

use super::elementwise::{larger, uniform};
use super::form::{Form, Kind, Part};
use super::node::Node;
use super::reader::{Built, Reader, Value};
use super::tokens;
use crate::ImportError;

/// The most channels of a part that are taken one by one.
const MOST: usize = 64;

/// Sums, means or largest values over an axis that has a part of the channels and nothing else; `None` for another.
pub(super) fn reduce(
    reader: &mut Reader,
    node: &Node,
    (id, form): (NodeId, &Form),
    axis: usize,
) -> Result<Option<Built>, ImportError> {
    let channels = reader.channels(id);
    let part = tokens::part_along(form, axis, channels).filter(|part| part.size <= MOST);
    let (Some(part), "ReduceSum" | "ReduceMean" | "ReduceMax") = (part, &*node.op) else {
        return Ok(None);
    };
    let mut taken = Vec::with_capacity(part.size);
    let mut left = form.clone();
    for place in 0..part.size {
        let Some((op, form)) = tokens::selected(channels, form, axis, part, &[place]) else {
            return Ok(None);
        };
        left = form;
        taken.push(reader.add(&node.name, op, &[id])?);
    }
    match node.integer("keepdims", 1) {
        0 => drop(left.0.remove(axis)),
        _ => left.0[axis].clear(),
    }
    let share = 1.0 / part.size as f32;
    Ok(Some(match &*node.op {
        "ReduceSum" => Built::Op(Op::Add, taken, left),
        "ReduceMean" => {
            let sum = reader.add(&node.name, Op::Add, &taken)?;
            let mean = uniform(reader.channels(sum), share, 0.0);
            Built::Op(Op::Affine(mean), vec![sum], left)
        }
        _ => {
            let (mut most, rest) = (taken[0], &taken[1..]);
            for &other in rest {
                most = larger(reader, &node.name, [most, other], true)?;
            }
            Built::same(Value::Node(most, reader.settled(most, left)))
        }
    }))
}

/// Softmax over an axis that has a part of the channels and nothing else; `None` for another. The other channels
/// become columns meanwhile.
pub(super) fn softmax(
    reader: &mut Reader,
    node: &Node,
    (id, form): (NodeId, &Form),
    axis: usize,
) -> Result<Option<Built>, ImportError> {
    let channels = reader.channels(id);
    let Some(part) = tokens::part_along(form, axis, channels) else { return Ok(None) };
    let of_channels = form.0.iter().flatten().filter(|part| part.kind == Kind::Channels);
    let mut all: Vec<Part> = of_channels.copied().collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.step));
    let others: Vec<Part> = all.iter().copied().filter(|other| *other != part).collect();
    let places = |kind| form.0.iter().flatten().copied().filter(move |p| p.kind == kind);
    let (rows, columns): (Vec<Part>, Vec<Part>) =
        (places(Kind::Rows).collect(), places(Kind::Columns).collect());
    let beside: usize = others.iter().map(|other| other.size).product();
    if rows.len() > 1 || columns.len() > 1 || beside.checked_mul(part.size) != Some(channels) {
        return Ok(None);
    }
    let along = columns.iter().chain(&others).copied().collect();
    let spread = Form(vec![Vec::new(), vec![part], rows.clone(), along]);
    let Some(map) = reader.map(&node.name, &Value::Node(id, spread))? else { return Ok(None) };
    let map = reader.add(&node.name, Op::Softmax, &[map])?;
    // And back to channels.
    let mut left = beside;
    let deep = all.iter().map(|&other| match other == part {
        true => Part::whole(Kind::Channels, part.size),
        false => {
            left /= other.size;
            Part { kind: Kind::Columns, size: other.size, step: left }
        }
    });
    let deep = deep.collect();
    let columns = columns.iter().map(|part| Part { step: beside, ..*part }).collect();
    let joined = reader.settled(map, Form(vec![Vec::new(), deep, rows, columns]));
    let map = reader.map(&node.name, &Value::Node(map, joined))?;
    Ok(map.map(|map| Built::same(Value::Node(map, reader.settled(map, form.clone())))))
}
